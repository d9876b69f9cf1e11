"""The oracle of the outbox, over records written by hand: each kind of violation, each way of proving nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from scenarios.catalog import load
from scenarios.judging import Outcome, judge
from tests.scenarios.run_dirs import write_ending, write_ledger, write_lines

TOGGLES = {"consumer_dedup": "off", "dedup_store": "same_txn", "dedup_by": "event_id", "mark": "after", "qos": "1", "bus": "mqtt"}
EVENTS = [f"e{i}" for i in range(7)]
BATCH = EVENTS[:5]
FIRST = [("decremented", event) for event in BATCH]
TWICE = [*FIRST, *FIRST, ("decremented", "e5"), ("decremented", "e5"), ("decremented", "e6")]
CURED = [*FIRST, *(("dropped", event) for event in BATCH), ("decremented", "e5"), ("dropped", "e5"), ("decremented", "e6")]
RELAY, INVENTORY = "outbox.between_publish_and_mark", "inv.after_apply_before_ack"


def outbox_run(
    root: Path, ledger: list[tuple[str, str]], *, toggles: dict[str, str] | None = None, last: tuple[str, str] = (RELAY, INVENTORY),
    batch: list[str] = BATCH, status: int = -9, placed: list[str] = EVENTS, wanted: int = 7, done: bool = True,
) -> Path:  # fmt: skip
    """The relay dies at 100 and the inventory at 200, each after its last word."""
    params = {"slug": "outbox-double-publish", "variant": "broken", "toggles": TOGGLES | (toggles or {}), "seed": 1, "scale": 1.0}
    root.mkdir(parents=True, exist_ok=True)
    (root / "params.json").write_bytes(msgspec.json.encode(params))
    (root / "truth.json").write_bytes(msgspec.json.encode({"workload": [{"id": f"order-{i}"} for i in range(wanted)]}))
    deaths = (("relay", 100, status), ("inventory", 200, status))
    write_lines(root / "supervisor.jsonl", [{"mono_ns": at, "event": "exited", "process": who, "status": how} for who, at, how in deaths])
    write_lines(
        root / "trace" / "relay.jsonl", [{"mono_ns": 90, "event": last[0], "events": batch}, {"mono_ns": 150, "event": "outbox.passed_on"}]
    )
    write_lines(
        root / "trace" / "inventory.jsonl", [{"mono_ns": 190, "event": last[1], "of": "e5"}, {"mono_ns": 250, "event": "inv.delivered"}]
    )
    write_ledger(
        root / "ledger" / "orders.jsonl", [{"kind": "placed", "order": f"order-{i}", "event": event} for i, event in enumerate(placed)]
    )
    lines: list[dict[str, Any]] = [{"kind": kind, "event": event, "message": str(i)} for i, (kind, event) in enumerate(ledger)]
    write_ledger(root / "ledger" / "inventory.jsonl", lines)
    write_ending(root, done=done)
    return root


def judged(run_dir: Path) -> Outcome:
    return judge(load("outbox-double-publish"), run_dir, 1.0)


def test_a_batch_and_one_counted_twice_are_six_with_their_lines(tmp_path: Path) -> None:
    outcome = judged(outbox_run(tmp_path, TWICE))
    assert (outcome.verdict, outcome.violations.by_rule) == ("FAIL", {"counted_twice": 6})
    assert outcome.violations.evidence[0].records == ("ledger/inventory.jsonl:1", "ledger/inventory.jsonl:6")
    assert "message 0, and again 5" in outcome.violations.evidence[0].text


def test_duplicates_that_are_dropped_pass(tmp_path: Path) -> None:
    outcome = judged(outbox_run(tmp_path, CURED, toggles={"consumer_dedup": "on"}))
    assert (outcome.verdict, outcome.violations.count, outcome.metrics["dropped"]) == ("PASS", 0, 6)


@pytest.mark.parametrize(
    ("ledger", "rules"),
    [
        (CURED[:-1], {"never_counted": 1}),  # a line deleted
        ([*CURED, CURED[0]], {"counted_twice": 1}),  # a line duplicated
        ([*CURED, ("decremented", "e9")], {"strange_event": 1}),
        (list(reversed(CURED)), {}),  # the order of lines alone is no violation here
    ],
)
def test_a_changed_ledger_is_a_changed_verdict(tmp_path: Path, ledger: list[tuple[str, str]], rules: dict[str, int]) -> None:
    outcome = judged(outbox_run(tmp_path, ledger, toggles={"consumer_dedup": "on"}))
    assert (outcome.verdict, outcome.violations.by_rule) == ("FAIL" if rules else "PASS", rules)


def test_what_is_not_counted_yet_is_not_lost_and_proves_nothing(tmp_path: Path) -> None:
    outcome = judged(outbox_run(tmp_path / "late", CURED[:-1], toggles={"consumer_dedup": "on"}, done=False))
    assert (outcome.verdict, outcome.violations.count) == ("VACUOUS", 0)
    assert outcome.coverage["the relay had said all, and the inventory had heard it"] is False
    assert judged(outbox_run(tmp_path / "twice", TWICE[:-1], done=False)).violations.by_rule == {"counted_twice": 6}


@pytest.mark.parametrize(
    "changed",
    [
        {"last": ("outbox.passed_on", INVENTORY)},
        {"last": (RELAY, "inv.delivered")},
        {"batch": BATCH[:4]},
        {"status": 0},
        {"placed": EVENTS[:6]},
        {"wanted": 0},
    ],
    ids=["marked already", "nothing counted", "half a batch", "nobody was killed", "an order is missing", "nothing to do"],
)
def test_what_was_no_trial_is_vacuous(tmp_path: Path, changed: dict[str, Any]) -> None:
    assert judged(outbox_run(tmp_path, TWICE, **changed)).verdict == "VACUOUS"


def test_what_did_not_come_again_tried_nobody(tmp_path: Path) -> None:
    once = [("decremented", event) for event in EVENTS]
    assert judged(outbox_run(tmp_path / "broken", once)).verdict == "VACUOUS"
    assert judged(outbox_run(tmp_path / "canonical", once, toggles={"consumer_dedup": "on"})).verdict == "VACUOUS"
    # Of QoS 2 nothing is due but the batch; marked first, nothing but what the consumer had not acknowledged.
    assert judged(outbox_run(tmp_path / "qos2", [*TWICE[:11], TWICE[12]], toggles={"qos": "2"})).verdict == "FAIL"
    assert judged(outbox_run(tmp_path / "before", [*once, ("decremented", "e6")], toggles={"mark": "before"})).verdict == "FAIL"
