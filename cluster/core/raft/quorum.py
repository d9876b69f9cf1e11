"""Majorities: the only place that counts votes and acknowledgements.

Law 1: any two majorities of the same voters share a voter; every promise of Raft rests on that.
Law 2: votes are counted by the voter's identity, so a repeated answer counts once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from enum import Enum

from cluster.core.types import NodeId


class Outcome(Enum):
    """How an election stands."""

    WON = "won"
    LOST = "lost"
    OPEN = "open"


def majority(count: int) -> int:
    """The smallest number of `count` voters that is more than half of them: 3 -> 2, 4 -> 3, 5 -> 3."""
    return count // 2 + 1


def tally(votes: Mapping[NodeId, bool], voters: Collection[NodeId]) -> Outcome:
    """`votes` maps each voter that answered to its answer; answers of strangers do not count."""
    needed = majority(len(voters))
    granted = sum(1 for voter, vote in votes.items() if vote and voter in voters)
    if granted >= needed:
        return Outcome.WON
    refused = sum(1 for voter, vote in votes.items() if not vote and voter in voters)
    return Outcome.LOST if len(voters) - refused < needed else Outcome.OPEN


def held_by_majority(values: Iterable[int]) -> int:
    """The largest value that a majority reached or passed. One value per voter: indexes held, rounds answered, times heard."""
    ordered = sorted(values, reverse=True)
    return ordered[majority(len(ordered)) - 1]
