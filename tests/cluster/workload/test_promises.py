"""What was promised is remembered per slot, counted whole, and compared with what is there."""

from __future__ import annotations

import pytest

from cluster.workload.promises import Promises


def _promised(**slots: int) -> Promises:
    promises = Promises()
    for slot, number in slots.items():
        promises.acknowledge(slot, number)
    return promises


def test_the_newest_promise_of_a_slot_counts_and_all_are_totalled() -> None:
    promises = _promised(a=1, b=2)
    promises.acknowledge("a", 9)
    assert promises.total == 3
    assert promises.compare([("a", "9"), ("b", "2")]).lost == 0
    assert promises.compare([("a", "1"), ("b", "2")]).lost == 1


@pytest.mark.parametrize(
    ("items", "lost"),
    [
        ([("a", "5"), ("b", "7")], 0),
        ([("a", "6"), ("b", "7")], 0),  # a later write that was never acknowledged
        ([("a", "4"), ("b", "7")], 1),
        ([("a", "5")], 1),
        ([], 2),
        ([("a", "somebody else's"), ("b", "7")], 1),
        ([("a", "²"), ("b", "7")], 1),
        ([("a", ""), ("b", "-7")], 2),
        ([("a", "5"), ("b", "7"), ("c", "1")], 0),
    ],
)
def test_what_is_missing_or_older_is_lost(items: list[tuple[str, str]], lost: int) -> None:
    count = _promised(a=5, b=7).compare(items)
    assert (count.acked, count.lost) == (2, lost)
    assert len(count.examples) == lost


def test_promises_made_while_one_looks_are_not_looked_for() -> None:
    promises = _promised(a=5)
    before = promises.snapshot()
    promises.acknowledge("a", 6)
    promises.acknowledge("b", 7)
    assert before.compare([("a", "5")]).lost == 0
    assert (before.total, promises.total) == (1, 3)


@pytest.mark.parametrize("number", [5, 4])
def test_a_number_that_does_not_rise_is_a_defect_of_the_client(number: int) -> None:
    with pytest.raises(AssertionError, match="one writer, rising numbers"):
        _promised(a=5).acknowledge("a", number)
