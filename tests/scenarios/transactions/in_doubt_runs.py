"""Run directories of 2pc-in-doubt, written by hand: times in milliseconds, the coordinator dead from 1000 to 9000."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from scenarios.records import Judgement, Params, Records
from scenarios.transactions._2pc_in_doubt import oracle
from tests.scenarios.run_dirs import write_ledger, write_lines

DIED, BACK = 1_000, 9_000
OPEN = tuple(f"t{number}" for number in range(1, 6))
CENTS = 7
Told = dict[str, str]


def prepared(txn: str, at_ms: float, sign: int) -> dict[str, Any]:
    return _line("prepared", txn, at_ms, sign)


def ended(txn: str, at_ms: float, sign: int, kind: str = "aborted", by: str = "c1") -> dict[str, Any]:
    return {**_line(kind, txn, at_ms, sign), "by": by}


def stepped(txn: str, at_ms: float, sign: int, step: str) -> dict[str, Any]:
    return {**_line("stepped", txn, at_ms, sign), "step": step, "account": "B1" if step == "give" else "A1"}


def refused(txn: str, at_ms: float, sign: int) -> dict[str, Any]:
    return {**_line("refused", txn, at_ms, sign), "reason": "no such account"}


def _line(kind: str, txn: str, at_ms: float, sign: int) -> dict[str, Any]:
    return {"kind": kind, "txn": txn, "account": "A1" if sign < 0 else "B1", "cents": sign * CENTS, "at_ns": round(at_ms * 1e6)}


def both(line: Any, *args: Any, **more: Any) -> dict[str, list[dict[str, Any]]]:
    """The same line at either bank, at the same time."""
    return {bank: [line(*args, sign, **more)] for bank, sign in (("banka", -1), ("bankb", 1))}


def resolved(at_ms: float, kind: str = "aborted") -> dict[str, list[dict[str, Any]]]:
    """Five transfers, promised at 900 and resolved then; one that came before, one that came after, and one that was refused."""
    lines: dict[str, list[dict[str, Any]]] = {"banka": [], "bankb": []}
    for bank, sign in (("banka", -1), ("bankb", 1)):
        lines[bank] += [prepared("t8", 100, sign), ended("t8", 101, sign, "committed")]
        lines[bank] += [prepared(txn, 900, sign) for txn in OPEN]
        lines[bank] += [ended(txn, at_ms, sign, kind) for txn in OPEN]
        lines[bank] += [prepared("t6", 9_500, sign), ended("t6", 9_501, sign, "committed")]
    lines["bankb"].append(refused("t7", 9_600, 1))
    return lines


def judged(
    root: Path, lines: dict[str, list[dict[str, Any]]], told: Told | None = None, scale: float = 1.0, kill_point: str = "all_votes_yes",
    end_ms: float = 20_000,
) -> Judgement:  # fmt: skip
    """`told`: transfer -> what its customer heard. `end_ms`: when the runner ended the run."""
    params = Params("2pc-in-doubt", "broken", {"protocol": "2pc", "kill_point": kill_point}, 1, scale)
    root.mkdir(parents=True, exist_ok=True)
    (root / "params.json").write_bytes(msgspec.json.encode(params))
    wanted = [{"id": f"t{number}", "source": "A1", "target": "B1", "cents": CENTS} for number in range(1, 10)]
    (root / "truth.json").write_bytes(msgspec.json.encode({"workload": wanted}))
    lives = [("started", 1, {}), ("exited", DIED, {"status": -9}), ("started", BACK, {})]
    supervisor = [{"mono_ns": round(at * 1e6), "event": event, "process": "c1", **more} for event, at, more in lives]
    write_lines(root / "supervisor.jsonl", supervisor)
    write_lines(root / "phases.jsonl", [{"mono_ns": round(end_ms * 1e6), "phase": "ending", "done": True}])
    heard = [{"type": kind, "f": "transfer", "value": {"id": txn, "cents": CENTS, "status": 200}} for txn, kind in (told or {}).items()]
    write_lines(root / "history" / "payer.jsonl", heard)
    for bank, ledger in lines.items():
        opened = {"kind": "opened", "accounts": {f"{bank[-1].upper()}1": 10_000}, "at_ns": 0}
        write_ledger(root / "ledger" / f"{bank}.jsonl", [opened, *ledger])
    return oracle.judge(Records(root), params)


def rules(judgement: Judgement) -> dict[str, int]:
    """Rule -> violations."""
    found: dict[str, int] = {}
    for evidence in judgement.violations:
        found[evidence.rule] = found.get(evidence.rule, 0) + 1
    return found
