"""What a simulated disk is given to write, stage by stage, and what it gives back."""

from __future__ import annotations

import msgspec

from cluster.core.raft.messages import Entry, HardState, Snapshot
from cluster.core.raft.ready import Persist


class Recovered(msgspec.Struct, frozen=True):
    """What a node finds when it starts: a snapshot perhaps, and the log, whose `entries` follow `base` (index and term)."""

    hard: HardState
    entries: list[Entry]
    snapshot: Snapshot | None
    base: tuple[int, int]


class Forget(msgspec.Struct, frozen=True):
    """Segments that end before this entry may go: a snapshot stands for them."""

    keep_from: int


# What a group of writes is made of, in order; each takes its time, and a crash may fall between any two.
Stage = list[Persist] | Snapshot | Forget
