"""Counting."""

from __future__ import annotations

import pytest

from cluster.core.raft.quorum import Outcome, held_by_majority, majority, tally


@pytest.mark.parametrize(("count", "needed"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3), (9, 5)])
def test_majority(count: int, needed: int) -> None:
    assert majority(count) == needed
    assert 2 * needed > count  # any two of them meet


@pytest.mark.parametrize(
    ("votes", "outcome"),
    [
        ({"n1": True}, Outcome.OPEN),
        ({"n1": True, "n2": True}, Outcome.WON),
        ({"n1": True, "n2": False}, Outcome.OPEN),
        ({"n1": True, "n2": False, "n3": False}, Outcome.LOST),
        ({"n1": True, "n7": True, "n8": True}, Outcome.OPEN),  # strangers do not count
    ],
)
def test_tally(votes: dict[str, bool], outcome: Outcome) -> None:
    assert tally(votes, ("n1", "n2", "n3")) is outcome


@pytest.mark.parametrize(("values", "held"), [([7], 7), ([9, 3], 3), ([9, 3, 5], 5), ([9, 8, 1, 1], 1), ([4, 5, 6, 7, 8], 6)])
def test_held_by_majority(values: list[int], held: int) -> None:
    assert held_by_majority(values) == held
    assert 2 * sum(value >= held for value in values) > len(values)
