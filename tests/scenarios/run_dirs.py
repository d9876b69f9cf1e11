"""Run directories written by hand: a stale-lock-holder run of two orders, as its processes would have recorded it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from scenarios.lines import GENESIS, digest, encode

ORDERS = ("order-1", "order-2")
TOGGLES = {"fencing": "off", "lock": "redis", "ttl_ms": "1000", "watchdog": "off", "check_before_write": "off"}


def write_lines(path: Path, lines: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(map(encode, lines)))


def write_ledger(path: Path, lines: list[dict[str, Any]]) -> None:
    """Chained as a ledger chains them."""
    before, chained = GENESIS, []
    for number, line in enumerate(lines):
        chained.append({"seq": number, "mono_ns": number, "prev_sha": before, **line})
        before = digest(encode(chained[-1]))
    write_lines(path, chained)


def write_ending(root: Path, *, done: bool) -> None:
    """The runner's word on whether all clients were done when it ended the run."""
    write_lines(root / "phases.jsonl", [{"mono_ns": 1, "phase": "running"}, {"mono_ns": 2, "phase": "ending", "done": done}])


def charged(order: str, caller: str, kind: str = "charged") -> dict[str, Any]:
    return {"kind": kind, "order": order, "cents": 1, "token": 1 if caller == "w1" else 2, "caller": caller, "request": 1}


def stale_lock_run(root: Path, ledger: list[dict[str, Any]], fencing: str = "off", *, late: bool = True, done: bool = True) -> Path:
    """w1 takes both locks, stands still from 100 to 200, w2 takes them at 150, w1 sends at 210 (or, not `late`, at 90); `done`: in time."""
    params = {"slug": "stale-lock-holder", "variant": "broken", "toggles": {**TOGGLES, "fencing": fencing}, "seed": 1, "scale": 1.0}
    root.mkdir(parents=True, exist_ok=True)
    (root / "params.json").write_bytes(msgspec.json.encode(params))
    (root / "truth.json").write_bytes(msgspec.json.encode({"workload": [{"id": order, "cents": 1} for order in ORDERS]}))
    stops = [("stopped", 100), ("continued", 200)]
    write_lines(root / "supervisor.jsonl", [{"mono_ns": at, "event": event, "process": "w1"} for event, at in stops])
    for worker, at, end in (("w1", 10, "lock.lost"), ("w2", 150, "lock.released")):
        taken = [{"mono_ns": at, "process": worker, "event": "lock.acquired", "order": order} for order in ORDERS]
        ended = [{"mono_ns": at + 205, "process": worker, "event": end, "order": order} for order in ORDERS]
        write_lines(root / "trace" / f"{worker}.jsonl", taken + ended)
    sent = [{"time": 210 if late else 90, "type": "invoke", "f": "charge", "value": {"order": order}} for order in ORDERS]
    write_lines(root / "history" / "w1.jsonl", sent)
    write_ending(root, done=done)
    write_ledger(root / "ledger" / "payd.jsonl", ledger)
    return root
