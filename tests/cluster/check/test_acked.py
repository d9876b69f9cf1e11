"""Counting acknowledged writes again."""

from __future__ import annotations

from cluster.check.acked import EXAMPLES_MAX, AckedCount, count_acked


def test_all_there() -> None:
    assert count_acked({"a": 3, "b": 0}, {"a": 3, "b": 0}) == AckedCount(2, 0, ())


def test_an_older_or_absent_value_is_a_loss() -> None:
    count = count_acked({"a": 3, "b": 7, "c": 1, "d": 0}, {"a": 2, "b": None, "c": 1})
    assert (count.acked, count.lost) == (4, 3)
    assert count.examples == (
        "a: 3 was acknowledged, 2 is there",
        "b: 7 was acknowledged, nothing is there",
        "d: 0 was acknowledged, nothing is there",
    )


def test_a_newer_value_is_an_unacknowledged_write_that_took_effect() -> None:
    assert count_acked({"a": 3}, {"a": 4}).lost == 0


def test_what_was_never_promised_is_not_missed() -> None:
    assert count_acked({}, {"a": 9, "b": None}) == AckedCount(0, 0, ())


def test_examples_are_the_first_few_and_the_count_is_whole() -> None:
    count = count_acked({f"s{number}": 1 for number in range(100)}, {})
    assert (count.lost, len(count.examples)) == (100, EXAMPLES_MAX)
