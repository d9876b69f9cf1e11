"""The writing end of the write-ahead log: `Persist`s -> bytes. Its laws, and how records look, stand in `cluster.wal`."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from operator import attrgetter
from typing import Final

import msgspec

from cluster.core.raft.messages import Entry, HardState
from cluster.core.raft.ready import Persist
from cluster.wal import (
    CRC,
    CRC_AT,
    KIND_OF,
    MARKER,
    RECORD_BODY_GOAL,
    RECORD_BODY_MAX,
    RECORD_HEADER,
    Batch,
    Body,
    Origin,
    Reset,
    Truncation,
)

_encode: Final = msgspec.msgpack.Encoder().encode
_data: Final = attrgetter("data")
_EMPTY: Final = Origin(0, 0, HardState())


class Writer:
    """Turns `Persist`s into bytes; knows the next sequence, what is durable, and how the log ends. One per log."""

    def __init__(self, salt: int, sequence: int = 0, origin: Origin = _EMPTY) -> None:
        # All segments of a log share one salt: a batch is encoded before it is known in which segment it finds room.
        self.salt = salt
        self.sequence = sequence
        self.origin = origin  # what a segment that began now would begin with
        self._synced = sequence

    def records(self, persist: Persist) -> bytes:
        """The records of one `Persist`, in the order of Law 4."""
        entries = persist.entries
        plain = persist.hard is None and persist.truncate_from is None and not persist.installed
        if plain and entries and _weight(entries) <= RECORD_BODY_GOAL:  # by far the most frequent: one record
            data = self._record(Batch(persist.first_index, entries))
        else:
            data = b"".join([self._record(body) for body in _bodies(persist)])
        self._note(persist)
        return data

    def reset(self, index: int, term: int) -> bytes:
        """The record that begins the log anew after a snapshot's last entry."""
        data = self._record(Reset(index, term))
        self.origin = Origin(index, term, self.origin.hard)
        return data

    def opening(self) -> bytes:
        """The first record of a segment that is not the first (Law 5)."""
        return self._record(self.origin)

    def all_synced(self) -> None:
        """Everything encoded so far is durable."""
        self._synced = self.sequence

    def take_back(self, sequence: int, origin: Origin) -> None:
        """What was encoded since then was not written."""
        self.sequence, self.origin = sequence, origin

    def _note(self, persist: Persist) -> None:
        index, term, hard = self.origin.last_index, self.origin.last_term, persist.hard or self.origin.hard
        if persist.installed and persist.snapshot is not None:
            index, term = persist.snapshot.index, persist.snapshot.term
        if persist.entries:
            index, term = persist.first_index + len(persist.entries) - 1, persist.entries[-1].term
        self.origin = Origin(index, term, hard)

    def _record(self, body: Body) -> bytes:
        data = _encode(body)
        assert len(data) <= RECORD_BODY_MAX, f"a record of {len(data)} bytes could not be read back"
        self.sequence += 1
        kind = KIND_OF[type(body)]
        head = RECORD_HEADER.pack(MARKER, kind, len(data), self.sequence, self._synced, 0)[:CRC_AT]
        return b"".join((head, zlib.crc32(data, zlib.crc32(head, self.salt)).to_bytes(CRC.size, "big"), data))


def _weight(entries: Sequence[Entry]) -> int:
    return sum(map(len, map(_data, entries)))


def _bodies(persist: Persist) -> Iterator[Body]:
    if persist.hard is not None:
        yield persist.hard
    if persist.installed and persist.snapshot is not None:
        yield Reset(persist.snapshot.index, persist.snapshot.term)
    if persist.truncate_from is not None:
        yield Truncation(persist.truncate_from)
    first, size = 0, 0
    for at, entry in enumerate(persist.entries):
        if size and size + len(entry.data) > RECORD_BODY_GOAL:
            yield Batch(persist.first_index + first, persist.entries[first:at])
            first, size = at, 0
        size += len(entry.data)
    if persist.entries:
        yield Batch(persist.first_index + first, persist.entries[first:])
