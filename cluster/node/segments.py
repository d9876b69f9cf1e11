"""The files of one write-ahead log: recovery, appending, rolling over. Blocking.

Law 1: a segment appears under its name only when it is full of zeros, headed and durable (made under another name, renamed).
Law 2: what lies behind the end of the log is zeroed, durably, before the log goes on: no stale record may ever follow a
       new one.
Law 3: one process at a time: the directory is locked for as long as this one lives.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from cluster import wal
from cluster.core.errors import FaultlineError
from cluster.core.raft.messages import Entry, HardState
from cluster.core.raft.ready import Persist

# The first segment is small so that fifty nodes start at once; later ones grow fourfold to the last size.
SEGMENT_BYTES_FIRST: Final = 256 * 1024
SEGMENT_BYTES_MAX: Final = 8 * 1024 * 1024
_GROWTH: Final = 4
# What a `Persist` and an entry take at most besides the entry's data: headers, hard state, truncation; term, kind, length.
_RECORD_ROOM: Final = 256
_ENTRY_ROOM: Final = 24
_NAME: Final = "wal-{:08d}.log"
_PATTERN: Final = "wal-*.log"


class StorageFailed(FaultlineError):
    """The directory or the device cannot be used; the text is the one line an operator reads."""


class Recovered(msgspec.Struct, frozen=True):
    """What the disk held. `entries[i]` has index `i + 1`; `cut_bytes` of an unfinished write were thrown away."""

    hard: HardState
    entries: list[Entry]
    cut_bytes: int


class Tail(msgspec.Struct):
    """The segment that is being written."""

    fd: int
    number: int
    size: int
    offset: int


class Segments:
    """An open log, ready to go on."""

    def __init__(self, directory: Path) -> None:
        """Lock the directory, read all of it, mend its end. Raises `CorruptLog` or `StorageFailed`."""
        self._directory = directory
        self._directory_fd = _lock(directory)
        try:
            replay, self._tail, cut_bytes = self._recover(sorted(directory.glob(_PATTERN)))
        except OSError as error:
            os.close(self._directory_fd)
            raise StorageFailed(f"{error.filename or directory}: {error.strerror}") from error
        except BaseException:
            os.close(self._directory_fd)
            raise
        self.recovered = Recovered(replay.hard, replay.entries, cut_bytes)

    def append(self, persists: Sequence[Persist]) -> None:
        """Make these durable, in order: one write, one fdatasync. Raises `OSError`; the log is then unusable."""
        first_sequence = self._writer.sequence + 1
        data = b"".join(self._writer.records(persist) for persist in persists)
        if self._tail.offset + len(data) > self._tail.size:
            old = self._tail
            self._tail = self._create(old.number + 1, first_sequence, len(data))
            os.close(old.fd)
        _write_at(self._tail.fd, data, self._tail.offset)
        _data_sync(self._tail.fd)
        self._tail.offset += len(data)
        self._writer.all_synced()

    def fits(self, persists: Sequence[Persist]) -> bool:
        """Whether the open segment surely has room for these: a new one is long in the making."""
        size = sum(_RECORD_ROOM + sum(len(entry.data) + _ENTRY_ROOM for entry in persist.entries) for persist in persists)
        return self._tail.offset + size <= self._tail.size

    def close(self) -> None:
        """Give the files and the lock back."""
        os.close(self._tail.fd)
        os.close(self._directory_fd)

    def _recover(self, paths: Sequence[Path]) -> tuple[wal.Replay, Tail, int]:
        """What all segments say, the one to go on in, and how many bytes of an unfinished write were zeroed."""
        replay = wal.Replay()
        if not paths:
            self._writer = wal.Writer(salt=secrets.randbits(32))
            return replay, self._create(1, 1, 0), 0
        data, offset = b"", 0
        for path in paths:
            data = path.read_bytes()
            offset = replay.segment(data, str(path), last=path == paths[-1])
        self._writer = wal.Writer(replay.salt, replay.sequence)
        tail = Tail(os.open(paths[-1], os.O_RDWR | os.O_CLOEXEC), replay.segments, len(data), offset)
        cut_bytes = len(data[offset:].rstrip(b"\x00"))
        if cut_bytes:
            _write_at(tail.fd, bytes(cut_bytes), offset)
            _data_sync(tail.fd)
        return replay, tail, cut_bytes

    def _create(self, number: int, first_sequence: int, room_bytes: int) -> Tail:
        """A new segment with room for `room_bytes`, durable with its name. All records before it are durable, too."""
        size = min(SEGMENT_BYTES_MAX, SEGMENT_BYTES_FIRST * _GROWTH ** (number - 1))
        size = max(size, room_bytes + wal.SEGMENT_HEADER_BYTES)
        header = wal.SegmentHeader(number, first_sequence, self._writer.salt).encode()
        path = self._directory / _NAME.format(number)
        unborn = path.with_suffix(".new")
        fd = os.open(unborn, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            _write_at(fd, header + bytes(size - len(header)), 0)
            os.fsync(fd)
            unborn.rename(path)
            os.fsync(self._directory_fd)
        except OSError:
            os.close(fd)
            raise
        return Tail(fd, number, size, len(header))


def _lock(directory: Path) -> int:
    """A descriptor of the directory that holds its lock. Raises `StorageFailed`."""
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        fd = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise StorageFailed(f"{directory}: {error.strerror}") from error
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(fd)
        reason = "another process holds this log" if isinstance(error, BlockingIOError) else error.strerror
        raise StorageFailed(f"{directory}: {reason}") from error
    return fd


def _write_at(fd: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(fd, view, offset)
        offset += written
        view = view[written:]


def _data_sync(fd: int) -> None:
    """Until the bytes are on the device (macOS has no fdatasync, and its fsync stops at the drive's cache)."""
    if hasattr(fcntl, "F_FULLFSYNC"):
        fcntl.fcntl(fd, fcntl.F_FULLFSYNC)
    else:
        os.fdatasync(fd)
