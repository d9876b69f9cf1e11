"""The oracle of the leaked locks, over records written by hand: each kind of violation, each way of proving nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from scenarios.catalog import load
from scenarios.judging import Outcome, judge
from tests.scenarios.run_dirs import write_ledger, write_lines

S = 1_000_000_000
DEAD, LIVE = "w1/11", "w2/22"
CANONICAL = {"ttl": "2s", "heartbeat": "on", "crash_cleanup": "off", "owner_token": "on", "atomic": "on", "crash": "kill"}
CRASH = 1 * S
ASKED = [5 * S + i for i in range(10)]


def line(at_ns: int, kind: str, unit: str, owner: str, purchase: str = "") -> dict[str, Any]:
    return {"mono_ns": at_ns, "kind": kind, "unit": unit, "owner": owner, "purchase": purchase}


def refused(at_ns: int) -> dict[str, Any]:
    return {"mono_ns": at_ns, "kind": "refused", "sku": "sku3", "purchase": "p-9", "left": 5}


def key(unit: str, owner: str) -> dict[str, Any]:
    return {"mono_ns": 12 * S, "kind": "key", "key": f"hold:{unit}", "value": owner, "left_ms": -1}


HELD = [line(900_000_000 + i, "held", f"sku3.u{i}", f"{DEAD}/{i}", f"p-{i}") for i in range(1, 6)]
LONG = [line(2 * S, "held", "sku5.u1", f"{LIVE}/1", "p-6"), line(7 * S, "sold", "sku5.u1", f"{LIVE}/1", "p-6")]


def leak_run(
    root: Path, more: list[dict[str, Any]] | None = None, *, held: list[dict[str, Any]] = HELD, long: list[dict[str, Any]] = LONG,
    keys: list[dict[str, Any]] | None = None, told: tuple[str, ...] = ("p-6",), asked: list[int] = ASKED,
    heard: dict[str, str] | None = None,
    hit: bool = True, dumped: bool = True,
) -> Path:  # fmt: skip
    """`heard`: purchase -> the type of its outcome, "" for none; of `told` it is "ok".

    w1 died at one second with five units, w2 had a checkout of five seconds; `more` lines of the stock besides.
    """
    outcomes = dict.fromkeys(told, "ok") | (heard or {})
    params = {"slug": "lock-leak-crash", "variant": "canonical", "toggles": CANONICAL, "seed": 1, "scale": 1.0}
    root.mkdir(parents=True, exist_ok=True)
    (root / "params.json").write_bytes(msgspec.json.encode(params))
    (root / "truth.json").write_bytes(msgspec.json.encode({"workload": [{"id": purchase} for purchase in outcomes]}))
    write_lines(root / "supervisor.jsonl", [{"mono_ns": CRASH, "event": "exited", "process": "w1", "pid": 11, "status": -9}])
    landed = {"mono_ns": CRASH, "do": "kill", "target": "w1", "on": "failpoint:inv.after_hold@w1", "phase": "landed"}
    write_lines(root / "faults.jsonl", [landed] if hit else [])
    write_lines(root / "trace" / "w1.jsonl", [{**taken, "event": "hold.taken"} for taken in held])
    invokes = [
        {"index": i, "time": at, "type": "invoke", "f": "purchase", "value": {"sku": "sku3", "purchase": f"p-{i + 100}"}}
        for i, at in enumerate(asked)
    ]
    for i, (purchase, kind) in enumerate(outcomes.items(), 200):
        of = {"index": i, "time": 2 * S, "type": "invoke", "f": "purchase", "value": {"sku": "sku5", "purchase": purchase}}
        invokes += [of, {**of, "time": 8 * S, "type": kind}] if kind else [of]
    write_lines(root / "history" / "shopper.jsonl", invokes)
    write_ledger(root / "ledger" / "inventory.jsonl", sorted([*held, *long, *(more or [])], key=lambda entry: int(entry["mono_ns"])))
    ends = [{"mono_ns": 12 * S, "kind": "dumped", "keys": 0}] if dumped else []
    write_ledger(root / "ledger" / "dump.jsonl", [*(keys or []), *ends])
    return root


def judged(run_dir: Path) -> Outcome:
    return judge(load("lock-leak-crash"), run_dir, 1.0)


def test_units_that_are_free_again_pass_and_refusals_right_after_the_crash_do_too(tmp_path: Path) -> None:
    again = [line(4 * S, "held", "sku3.u1", f"{LIVE}/2", "p-7"), line(5 * S, "sold", "sku3.u1", f"{LIVE}/2", "p-7")]
    outcome = judged(leak_run(tmp_path, [refused(2 * S), *again], told=("p-6", "p-7")))
    assert (outcome.verdict, outcome.violations.count) == ("PASS", 0)
    assert (outcome.metrics["sold"], outcome.metrics["refused"]) == (2, 1)


def test_a_key_of_somebody_long_dead_is_a_violation_and_one_of_the_living_is_not(tmp_path: Path) -> None:
    outcome = judged(leak_run(tmp_path, keys=[key("sku3.u1", f"{DEAD}/1"), key("sku5.u2", f"{LIVE}/9")]))
    assert (outcome.verdict, outcome.violations.by_rule) == ("FAIL", {"stranded_unit": 1})
    assert outcome.violations.evidence[0].records == ("ledger/dump.jsonl:1",)


def test_a_refusal_counts_while_a_unit_is_stranded_and_not_after_all_are_taken(tmp_path: Path) -> None:
    taken = [line(6 * S + i, "held", f"sku3.u{i}", f"{LIVE}/{i + 1}") for i in range(1, 6)]
    outcome = judged(leak_run(tmp_path, [refused(3 * S), refused(5 * S), *taken, refused(7 * S)]))
    assert outcome.violations.by_rule == {"refused_for_a_stranded_unit": 1}


def test_a_unit_that_was_reaped_strands_nobody(tmp_path: Path) -> None:
    reaped = [line(2 * S, "reaped", f"sku3.u{i}", f"{DEAD}/{i}") for i in range(1, 6)]
    assert judged(leak_run(tmp_path, [*reaped, refused(5 * S)])).verdict == "PASS"


def test_two_living_owners_and_two_sales_are_a_violation_each(tmp_path: Path) -> None:
    other = [line(4 * S, "held", "sku5.u1", "w3/33/1", "p-7"), line(5 * S, "sold", "sku5.u1", "w3/33/1", "p-7")]
    outcome = judged(leak_run(tmp_path, other, told=("p-6", "p-7")))
    assert outcome.violations.by_rule == {"sold_twice": 1, "held_twice": 1}


@pytest.mark.parametrize(("kind", "verdict"), [("fail", "FAIL"), ("info", "FAIL"), ("", "VACUOUS")])
def test_a_sale_of_which_its_shopper_does_not_know(tmp_path: Path, kind: str, verdict: str) -> None:
    outcome = judged(leak_run(tmp_path, told=(), heard={"p-6": kind}))
    assert (outcome.verdict, outcome.violations.by_rule) == (verdict, {"sale_without_a_buyer": 1} if kind else {})
    assert outcome.coverage["every shopper had an answer, or knows that there is none"] is bool(kind)


def test_a_sale_that_nobody_asked_for(tmp_path: Path) -> None:
    assert judged(leak_run(tmp_path, told=())).violations.by_rule == {"sale_without_a_buyer": 1}


def test_a_sale_that_is_gone_from_the_book_is_found_by_what_the_shopper_heard(tmp_path: Path) -> None:
    outcome = judged(leak_run(tmp_path, told=("p-6", "p-8")))
    assert outcome.violations.by_rule == {"sale_without_a_line": 1}


@pytest.mark.parametrize(
    "changed",
    [
        {"hit": False},
        {"held": HELD[:4]},
        {"held": [*HELD, line(950_000_000, "held", "sku1.u1", f"{DEAD}/6")]},
        {"long": [LONG[0], {**LONG[1], "mono_ns": 6 * S}]},
        {"long": LONG[:1], "told": ()},
        {"asked": ASKED[:9]},
        {"dumped": False},
    ],
    ids=["no fault", "four units", "six units", "four seconds", "never ended", "nine asked", "no dump"],
)
def test_what_was_no_trial_is_vacuous(tmp_path: Path, changed: dict[str, Any]) -> None:
    assert judged(leak_run(tmp_path, **changed)).verdict == "VACUOUS"
