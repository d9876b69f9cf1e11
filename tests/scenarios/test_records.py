"""Damaged records are refused, with the place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from scenarios.records import Pause, Records, RecordsBroken
from tests.scenarios.run_dirs import ORDERS, charged, stale_lock_run, write_lines

LEDGER = [charged(order, caller) for caller in ("w2", "w1") for order in ORDERS]


def _swap(lines: list[bytes]) -> list[bytes]:
    return [lines[0], lines[2], lines[1], lines[3]]


@pytest.mark.parametrize(
    ("mutate", "where"),
    [
        (lambda lines: [lines[0], lines[1].replace(b'"w2"', b'"w9"'), *lines[2:]], "payd.jsonl:3"),
        (lambda lines: [*lines[:1], *lines[2:]], "payd.jsonl:2"),
        (lambda lines: lines[1:], "payd.jsonl:1"),
        (_swap, "payd.jsonl:2"),
        (lambda lines: [*lines[:2], lines[1], *lines[2:]], "payd.jsonl:3"),
        (lambda lines: [*lines[:3], lines[3][:20]], "payd.jsonl"),
        (lambda lines: [*lines[:3], b"{nonsense\n"], "payd.jsonl:4"),
    ],
    ids=["changed", "removed", "first-removed", "reordered", "doubled", "torn", "nonsense"],
)
def test_a_ledger_that_was_touched_does_not_read(tmp_path: Path, mutate: Callable[[list[bytes]], list[bytes]], where: str) -> None:
    run_dir = stale_lock_run(tmp_path, LEDGER)
    path = run_dir / "ledger" / "payd.jsonl"
    assert len(Records(run_dir).ledger("payd")) == 4
    path.write_bytes(b"".join(mutate(path.read_bytes().splitlines(keepends=True))))
    with pytest.raises(RecordsBroken) as caught:
        Records(run_dir).ledger("payd")
    assert caught.value.where == f"ledger/{where}"


def test_a_missing_ledger_and_a_missing_field_are_broken_records(tmp_path: Path) -> None:
    records = Records(stale_lock_run(tmp_path, LEDGER))
    with pytest.raises(RecordsBroken, match=r"ledger/other\.jsonl: is missing"):
        records.ledger("other")
    with pytest.raises(RecordsBroken, match=r"ledger/payd\.jsonl:1: has no field 'amount'"):
        records.ledger("payd")[0]["amount"]


def test_a_pause_that_did_not_end_has_no_end(tmp_path: Path) -> None:
    events = [("stopped", 1), ("continued", 5), ("stopped", 9)]
    write_lines(tmp_path / "supervisor.jsonl", [{"mono_ns": at, "event": event, "process": "w1"} for event, at in events])
    assert Records(tmp_path).pauses("w1") == [Pause(1, 5), Pause(9, None)]
    assert Records(tmp_path).pauses("w2") == []
