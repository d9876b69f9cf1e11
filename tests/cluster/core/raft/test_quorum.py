"""Counting, against the definitions spelled out: try every subset of voters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cluster.core.raft.quorum import Outcome, committed_index, describe, held_by_majority, majority, vote_result

NODES = [f"n{number}" for number in range(1, 8)]
HALF = st.lists(st.sampled_from(NODES), unique=True, max_size=6)
HALVES = st.lists(HALF, min_size=1, max_size=2)


def quorums(half: Sequence[str]) -> Iterator[frozenset[str]]:
    """Every set of voters of `half` that is more than half of them."""
    for size in range(len(half) + 1):
        if 2 * size > len(half):
            yield from (frozenset(chosen) for chosen in combinations(half, size))


def decided(halves: Sequence[Sequence[str]], agree: set[str]) -> bool:
    """By the definition: in every half that has voters, some quorum agrees."""
    asked = [half for half in halves if half]
    return bool(asked) and all(any(quorum <= agree for quorum in quorums(half)) for half in asked)


@settings(max_examples=300, deadline=None)
@given(HALVES, st.dictionaries(st.sampled_from(NODES), st.integers(0, 9)))
def test_the_committed_index_is_the_largest_that_a_quorum_of_every_half_holds(halves: list[list[str]], held: dict[str, int]) -> None:
    reached = [index for index in range(1, 10) if decided(halves, {node for node in held if held[node] >= index})]
    assert committed_index(halves, held) == max(reached, default=0)


@settings(max_examples=300, deadline=None)
@given(HALVES, st.dictionaries(st.sampled_from(NODES), st.booleans()))
def test_an_election_is_won_lost_or_open_as_the_missing_votes_can_still_decide(halves: list[list[str]], votes: dict[str, bool]) -> None:
    granted = {node for node, vote in votes.items() if vote}
    hopeful = {*granted, *(node for node in NODES if node not in votes)}
    if decided(halves, granted):
        wanted = Outcome.WON
    else:
        wanted = Outcome.OPEN if decided(halves, hopeful) else Outcome.LOST
    assert vote_result(halves, votes) is wanted


@settings(max_examples=200, deadline=None)
@given(HALF, HALF, st.sets(st.sampled_from(NODES)), st.sets(st.sampled_from(NODES)))
def test_what_a_joint_configuration_decides_meets_what_either_of_its_halves_decides(
    old: list[str], new: list[str], some: set[str], others: set[str]
) -> None:
    """The reason for joint consensus (§6): no decision of one half alone can be made beside a joint one."""
    for half in (old, new):
        if half and decided([old, new], some) and decided([half], others):
            assert some & others & set(half)


@pytest.mark.parametrize(("count", "needed"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3), (9, 5)])
def test_majority(count: int, needed: int) -> None:
    assert majority(count) == needed
    assert 2 * needed > count  # any two of them meet


@pytest.mark.parametrize(("values", "held"), [([7], 7), ([9, 3], 3), ([9, 3, 5], 5), ([9, 8, 1, 1], 1), ([4, 5, 6, 7, 8], 6)])
def test_held_by_majority(values: list[int], held: int) -> None:
    assert held_by_majority(values) == held
    assert 2 * sum(value >= held for value in values) > len(values)


def test_a_description_says_who_decides() -> None:
    held = {"n1": 7, "n2": 4, "n3": 5, "n4": 9}
    assert describe([["n1", "n2", "n3"]], held) == "n1 7, n3 5 | n2 4: 5"
    assert describe([["n1", "n2", "n3"], ["n3", "n4", "n5"]], held) == (
        "n1 7, n3 5 | n2 4: 5\nn4 9, n3 5 | n5 ?: 5\ntogether: 5"
    )
    assert describe([[], ["n2"]], held) == "n2 4: 4"
    assert describe([[]], held) == "no voters"
