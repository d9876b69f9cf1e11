"""The write-ahead log: records <-> bytes. Sans-IO: nodes and simulated disks do the reading and writing.

A segment is a header and then records, and is zero from its last record to its end (segments are written full of zeros
beforehand: a synced write into existing blocks costs no metadata). A record is a 32-byte header and a msgpack body:

    marker 4 | type 1, 3 zero | body length 4 | sequence 8 | synced 8 | CRC-32 4        (big-endian)

Law 1: `sequence` counts records from 1 without a gap, through all segments.
Law 2: `synced` is the highest sequence that was durable when the record was written. So a bad record that is followed
       by one which says "you were durable" is damage, and is refused; any other bad record belongs to the last,
       unfinished write (whose sectors may reach the disk in any order), and the log ends before it.
Law 3: the CRC starts from the segment's salt, so bytes that a client stores can never pass for a record.
Law 4: of one `Persist` the hard state is written first. A cut between its records then leaves a newer term beside an
       older log, which Raft knows how to live with, and never entries of a term that the node has not heard of.
Law 5: a segment that begins with an `Origin` can be the oldest: those before it may go once a snapshot stands for their
       entries. What is said after it may still cut into what went: the snapshot has that, too.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from enum import IntEnum
from typing import Final

import msgspec

from cluster.core.errors import UNDECODABLE, CorruptLog
from cluster.core.raft.messages import Entry, HardState, Snapshot

WAL_VERSION: Final = 2
MAGIC: Final = b"FAULTWAL"
MARKER: Final = b"\xf1\xa7\xc3\x0e"
# Entries are spread over records of about this size: bounds what one damaged CRC can take with it, and a reader's memory.
RECORD_BODY_GOAL: Final = 1024 * 1024
RECORD_BODY_MAX: Final = 4 * 1024 * 1024

_SEGMENT = struct.Struct(">8sHxxQQII")  # magic, version, number, first sequence, salt, CRC of what precedes it
RECORD_HEADER: Final = struct.Struct(">4sBxxxIQQI")
CRC: Final = struct.Struct(">I")
SEGMENT_HEADER_BYTES: Final = _SEGMENT.size
RECORD_HEADER_BYTES: Final = RECORD_HEADER.size
CRC_AT = RECORD_HEADER_BYTES - CRC.size


class Kind(IntEnum):
    HARD = 1
    ENTRIES = 2
    TRUNCATE = 3
    ORIGIN = 4
    RESET = 5


class Batch(msgspec.Struct, frozen=True, array_like=True):
    """Consecutive entries, the first of them at `first_index`."""

    first_index: int
    entries: tuple[Entry, ...]


class Truncation(msgspec.Struct, frozen=True, array_like=True):
    """The entries from `from_index` on are void."""

    from_index: int


class Origin(msgspec.Struct, frozen=True, array_like=True):
    """The log before this segment ended with entry `last_index` of `last_term`, and this was the hard state."""

    last_index: int
    last_term: int
    hard: HardState


class Reset(msgspec.Struct, frozen=True, array_like=True):
    """The whole log is void: a snapshot ends with entry `index` of `term`, and the log goes on after it."""

    index: int
    term: int


Body = HardState | Batch | Truncation | Origin | Reset
KIND_OF: dict[type, Kind] = {
    HardState: Kind.HARD,
    Batch: Kind.ENTRIES,
    Truncation: Kind.TRUNCATE,
    Origin: Kind.ORIGIN,
    Reset: Kind.RESET,
}
_DECODERS: dict[int, msgspec.msgpack.Decoder[Body]] = {kind: msgspec.msgpack.Decoder(body) for body, kind in KIND_OF.items()}


class Record(msgspec.Struct, frozen=True):
    """One whole, valid record; `end` is the offset after it."""

    sequence: int
    synced: int
    body: Body
    end: int


class SegmentHeader(msgspec.Struct, frozen=True):
    """`number` counts segments from 1; `first_sequence` is that of its first record."""

    number: int
    first_sequence: int
    salt: int

    def encode(self) -> bytes:
        head = _SEGMENT.pack(MAGIC, WAL_VERSION, self.number, self.first_sequence, self.salt, 0)[: -CRC.size]
        return head + CRC.pack(zlib.crc32(head))


def decode_header(data: bytes, path: str) -> SegmentHeader:
    """Raises `CorruptLog`: a segment gets its name only after its header is durable, so a bad one is damage."""
    if len(data) < SEGMENT_HEADER_BYTES:
        raise CorruptLog(path, 0, "shorter than a segment header")
    magic, version, number, first_sequence, salt, crc = _SEGMENT.unpack_from(data)
    if magic != MAGIC or crc != zlib.crc32(data[: SEGMENT_HEADER_BYTES - CRC.size]):
        raise CorruptLog(path, 0, "not a segment header")
    if version != WAL_VERSION:
        raise CorruptLog(path, 0, f"segment version {version}, this program reads {WAL_VERSION}")
    return SegmentHeader(number, first_sequence, salt)


class Replay:
    """Folds segments, oldest first, into what the node had made durable. `entries[i]` has index `first_index + i`."""

    def __init__(self) -> None:
        self.hard = HardState()
        self.first_index = 1
        self.base_term: int | None = 0  # of the entry before the first; None: it went with its segment
        self.entries: list[Entry] = []
        self.sequence = 0
        self.salt = 0
        self.oldest = self.segments = 0  # the numbers of the oldest and the newest
        self.origins: dict[int, int] = {}  # segment -> last index before it, for those that have begun

    @property
    def last_index(self) -> int:
        return self.first_index + len(self.entries) - 1

    def _holds(self, index: int, term: int) -> bool:
        """Whether the log has this entry, or begins right after it."""
        if index == self.first_index - 1:
            return self.base_term in (term, None)
        return self.first_index <= index <= self.last_index and self.entries[index - self.first_index].term == term

    def meet(self, snapshot: Snapshot | None, path: str) -> bool:
        """Bring log and snapshot together. True when nothing of the log counts beside this snapshot: write `Writer.reset`.

        Raises `CorruptLog` when something between the two is missing.
        """
        begins = self.first_index
        if snapshot is None:
            if begins > 1:
                raise CorruptLog(path, 0, f"the log begins with entry {begins}, and there is no snapshot of those before it")
            return False
        if begins > snapshot.index + 1:
            raise CorruptLog(path, 0, f"the log begins with entry {begins}, the snapshot ends with {snapshot.index}")
        if not self._holds(snapshot.index, snapshot.term):
            self._void(snapshot.index, snapshot.term)
            return True
        if self.base_term is None:
            del self.entries[: max(0, snapshot.index + 1 - begins)]
            self.first_index, self.base_term = snapshot.index + 1, snapshot.term
        return False

    def _void(self, index: int, term: int) -> None:
        """Nothing of the log counts; it goes on after `index`."""
        self.entries = []
        self.first_index, self.base_term = index + 1, term

    def segment(self, data: bytes, path: str, *, last: bool) -> int:
        """Apply one segment; returns the offset after its last whole record, where a writer goes on.

        `last=False`: a later segment exists, so all of this one was durable and nothing may be missing from its end.
        Raises `CorruptLog` on damage, with the offset of the first bad record.
        """
        header = decode_header(data, path)
        if self.segments and header.number != self.segments + 1:
            raise CorruptLog(path, 0, f"segment {header.number} follows segment {self.segments}")
        if not self.segments:
            self.oldest = header.number
            if header.number > 1:  # those before it are gone
                self.sequence = header.first_sequence - 1
        if header.first_sequence != self.sequence + 1:
            raise CorruptLog(path, 0, f"begins with record {header.first_sequence}, expected {self.sequence + 1}")
        self.segments, self.salt = header.number, header.salt
        offset = SEGMENT_HEADER_BYTES
        while offset < len(data):
            found = _record_at(data, offset, header.salt)
            if isinstance(found, str):
                self._end_of_log(data, path, offset, header.salt, found, last)
                break
            if found.sequence != self.sequence + 1:
                raise CorruptLog(path, offset, f"record {found.sequence} where {self.sequence + 1} was expected")
            if offset == SEGMENT_HEADER_BYTES and header.number > 1:
                self._open(header.number, found.body, path)
            else:
                self._apply(found.body, path, offset)
            self.sequence, offset = found.sequence, found.end
        return offset

    def _open(self, number: int, body: Body, path: str) -> None:
        """Law 5."""
        if not isinstance(body, Origin):
            if number == self.oldest:
                raise CorruptLog(path, SEGMENT_HEADER_BYTES, "the oldest segment begins without an origin")
            self._apply(body, path, SEGMENT_HEADER_BYTES)
            return
        if number == self.oldest:
            self.hard = body.hard
            self._void(body.last_index, body.last_term)
        elif (body.last_index, body.hard) != (self.last_index, self.hard):
            raise CorruptLog(path, SEGMENT_HEADER_BYTES, f"{body} follows entry {self.last_index} and {self.hard}")
        self.origins[number] = body.last_index

    def _apply(self, body: Body, path: str, offset: int) -> None:
        match body:
            case HardState():
                if body.term < self.hard.term:
                    raise CorruptLog(path, offset, f"term falls from {self.hard.term} to {body.term}")
                self.hard = body
            case Truncation(from_index):
                self._truncate(from_index, path, offset)
            case Batch(first_index, entries):
                if first_index != self.last_index + 1:
                    raise CorruptLog(path, offset, f"entry {first_index} follows entry {self.last_index}")
                self.entries += entries
            case Reset(index, term):
                self._void(index, term)
            case Origin():
                raise CorruptLog(path, offset, "an origin in the middle of a segment")

    def _truncate(self, from_index: int, path: str, offset: int) -> None:
        if not 1 <= from_index <= self.last_index + 1 or (from_index < self.first_index and self.oldest == 1):
            raise CorruptLog(path, offset, f"truncates from {from_index} a log that ends at {self.last_index}")
        if from_index >= self.first_index:
            del self.entries[from_index - self.first_index :]
        else:  # into what went with older segments: the term before it is not known any more
            self.entries, self.first_index, self.base_term = [], from_index, None

    def _end_of_log(self, data: bytes, path: str, offset: int, salt: int, reason: str, last: bool) -> None:
        """Decide whether the log ends here (an unfinished write, or nothing at all) or is damaged (Law 2)."""
        missing = self.sequence + 1
        clean = not data[offset:].strip(b"\x00")
        for later in _records_after(data, offset, salt):
            if later.synced >= missing:
                raise CorruptLog(path, offset, f"{reason}, but record {later.sequence} says that it was durable")
        if not last and not clean:
            raise CorruptLog(path, offset, f"{reason}, but a later segment exists")


def _record_at(data: bytes, offset: int, salt: int) -> Record | str:
    """The record at `offset`, or in words why there is none."""
    body_at = offset + RECORD_HEADER_BYTES
    if body_at > len(data):
        return "a record header is cut short"
    marker, kind, length, sequence, synced, crc = RECORD_HEADER.unpack_from(data, offset)
    if marker != MARKER:
        return "no record begins here"
    if length > RECORD_BODY_MAX or body_at + length > len(data):
        return f"a record of {length} bytes is cut short"
    body = memoryview(data)[body_at : body_at + length]
    if crc != zlib.crc32(body, zlib.crc32(data[offset : offset + CRC_AT], salt)):
        return "checksum does not match"
    if kind not in _DECODERS:
        return f"unknown record type {kind}"
    try:
        return Record(sequence, synced, _DECODERS[kind].decode(body), body_at + length)
    except UNDECODABLE as error:
        return f"malformed record: {error}"


def _records_after(data: bytes, offset: int, salt: int) -> Iterator[Record]:
    """Whatever still reads as a record beyond a bad one."""
    at = data.find(MARKER, offset + 1)
    while at >= 0:
        found = _record_at(data, at, salt)
        if isinstance(found, Record):
            yield found
            at = data.find(MARKER, found.end)
        else:
            at = data.find(MARKER, at + 1)
