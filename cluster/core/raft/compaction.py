"""When the next snapshot is due.

Law 1: after so many entries, and not before they weigh as much as the newest snapshot: a large store is not written out
       again for a few small changes, so snapshots cost no more than the log itself (dissertation §5.1.2).
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter

from cluster.core.raft.messages import Entry, Snapshot

_data = attrgetter("data")


class Compaction:
    """What was applied since the newest snapshot. `due` changes only with what is applied, and with a snapshot."""

    __slots__ = ("_bytes", "_every", "_index", "_size_bytes", "due")

    def __init__(self, every: int, snapshot: Snapshot | None) -> None:
        self._every = every
        self._bytes = 0
        self.made(0 if snapshot is None else snapshot.index, 0 if snapshot is None else len(snapshot.data))

    def made(self, index: int, size_bytes: int) -> None:
        """A snapshot up to `index` exists."""
        self._index, self._size_bytes, self._bytes = index, size_bytes, 0
        self.due = False

    def applied(self, entries: Sequence[Entry], last_index: int) -> None:
        """`entries`, of which the last is `last_index`, were applied."""
        self._bytes += sum(map(len, map(_data, entries)))
        self.due = last_index - self._index >= self._every and self._bytes >= self._size_bytes
