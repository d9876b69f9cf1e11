"""What a node finds on its disk when it starts."""

from __future__ import annotations

import msgspec

from cluster.core.raft.messages import Entry, HardState, Snapshot


class Recovered(msgspec.Struct, frozen=True):
    """What the disk held: a snapshot perhaps, and the log, whose `entries` follow `base` (index and term).

    `cut_bytes` of an unfinished write were thrown away.
    """

    hard: HardState
    entries: list[Entry]
    cut_bytes: int
    snapshot: Snapshot | None = None
    base: tuple[int, int] = (0, 0)
