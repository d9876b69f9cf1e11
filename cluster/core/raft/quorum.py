"""Majorities: the only place that counts votes and acknowledgements.

A configuration is given as its *halves*: one set of voters, or two while it is joint (§6). Whatever is decided must be
decided in every half.

Law 1: any two majorities of the same voters share a voter; every promise of Raft rests on that.
Law 2: votes and acknowledgements are counted by the voter's identity: a repeated answer counts once, a stranger's never.
Law 3: an empty half asks nothing; a configuration without any voter decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum

from cluster.core.types import NodeId

Halves = Sequence[Sequence[NodeId]]


class Outcome(Enum):
    """How an election stands."""

    WON = "won"
    LOST = "lost"
    OPEN = "open"


def majority(count: int) -> int:
    """The smallest number of `count` voters that is more than half of them: 3 -> 2, 4 -> 3, 5 -> 3."""
    return count // 2 + 1


def committed_index(halves: Halves, held: Mapping[NodeId, int]) -> int:
    """The largest value that a majority of every half reached or passed; 0 when there is no voter.

    `held` maps voters to indexes held, rounds answered or times heard; a voter that is not in it has reached 0.
    """
    if len(halves) == 1 and halves[0]:  # by far the most frequent: once per acknowledgement that is news
        return held_by_majority([held.get(voter, 0) for voter in halves[0]])
    reached = [held_by_majority([held.get(voter, 0) for voter in half]) for half in halves if half]
    return min(reached, default=0)


def held_by_majority(values: Iterable[int]) -> int:
    """The largest value that more than half of `values` (at least one of them) reached or passed."""
    ordered = sorted(values)
    return ordered[(len(ordered) - 1) // 2]


def vote_result(halves: Halves, votes: Mapping[NodeId, bool]) -> Outcome:
    """`votes` maps each voter that answered to its answer. Won in every half is won; lost in one is lost."""
    results = [_half_result(half, votes) for half in halves if half]
    if not results or Outcome.LOST in results:
        return Outcome.LOST
    return Outcome.OPEN if Outcome.OPEN in results else Outcome.WON


def _half_result(half: Sequence[NodeId], votes: Mapping[NodeId, bool]) -> Outcome:
    answers = [votes[voter] for voter in half if voter in votes]
    needed, granted = majority(len(half)), sum(answers)
    if granted >= needed:
        return Outcome.WON
    return Outcome.LOST if granted + len(half) - len(answers) < needed else Outcome.OPEN


def describe(halves: Halves, held: Mapping[NodeId, int]) -> str:
    """Why `committed_index` is what it is: a line per half, its voters from the furthest to the last.

    `n1 7, n3 5 | n2 4: 5` reads: n1 and n3 are the majority (2 of 3) that reached 5.
    """
    lines = [_describe_half(half, held) for half in halves if half]
    return "\n".join([*lines, f"together: {committed_index(halves, held)}"] if len(lines) > 1 else lines or ["no voters"])


def _describe_half(half: Sequence[NodeId], held: Mapping[NodeId, int]) -> str:
    ordered = sorted(half, key=lambda voter: -held.get(voter, 0))
    texts = [f"{voter} {held.get(voter, '?')}" for voter in ordered]
    needed = majority(len(half))
    rest = f" | {', '.join(texts[needed:])}" if len(texts) > needed else ""
    return f"{', '.join(texts[:needed])}{rest}: {committed_index((half,), held)}"
