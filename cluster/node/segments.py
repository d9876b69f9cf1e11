"""The files of one write-ahead log: recovery, appending, rolling over. Blocking; used at start-up and by the storage thread.

Law 1: a segment appears under its name only when it is full of zeros, headed and durable (made under another name, renamed).
Law 2: what lies behind the end of the log is zeroed, durably, before the log goes on: no stale record may ever follow a new one.
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
_GROWTH = 4
_NAME = "wal-{:08d}.log"
_PATTERN = "wal-*.log"


class StorageFailed(FaultlineError):
    """The directory or the device cannot be used; the text is the one line an operator reads."""


class Recovered(msgspec.Struct, frozen=True):
    """What the disk held. `entries[i]` has index `i + 1`; `cut_bytes` of an unfinished write were thrown away."""

    hard: HardState
    entries: list[Entry]
    cut_bytes: int


class Segments:
    """An open log, ready to go on."""

    def __init__(self, directory: Path) -> None:
        """Lock the directory, read all of it, mend its end. Raises `CorruptLog` or `StorageFailed`."""
        self._directory = directory
        try:
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._directory_fd = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
            fcntl.flock(self._directory_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StorageFailed(f"{directory}: another process holds this log") from None
        except OSError as error:
            raise StorageFailed(f"{directory}: {error.strerror}") from error
        try:
            self.recovered = self._recover()
        except OSError as error:
            raise StorageFailed(f"{error.filename or directory}: {error.strerror}") from error

    def append(self, persists: Sequence[Persist]) -> None:
        """Make these durable, in order, with one write and one fdatasync. Raises `OSError`; the log is then unusable."""
        data = b"".join(self._writer.records(persist) for persist in persists)
        if self._offset + len(data) > self._size:
            self._roll(len(data), next_sequence=self._sequence + 1)
        _write_at(self._fd, data, self._offset)
        _data_sync(self._fd)
        self._offset += len(data)
        self._sequence = self._writer.sequence
        self._writer.all_synced()

    def close(self) -> None:
        os.close(self._fd)
        os.close(self._directory_fd)

    def _recover(self) -> Recovered:
        replay = wal.Replay()
        paths = sorted(self._directory.glob(_PATTERN))
        offset = size = salt = 0
        cut_bytes = 0
        for at, path in enumerate(paths):
            data = path.read_bytes()
            last = at == len(paths) - 1
            offset = replay.segment(data, str(path), last=last)
            if last:
                size, salt = len(data), wal.decode_header(data, str(path)).salt
                cut_bytes = len(data[offset:].rstrip(b"\x00"))
        self._number, self._sequence = replay.segments, replay.sequence
        if not paths:
            self._writer = wal.Writer(salt=0)
            self._fd = self._size = self._offset = -1
            self._roll(0, next_sequence=1)
        else:
            self._fd = os.open(paths[-1], os.O_RDWR | os.O_CLOEXEC)
            self._size, self._offset = size, offset
            self._writer = wal.Writer(salt, replay.sequence)
            if cut_bytes:
                _write_at(self._fd, bytes(cut_bytes), offset)
                _data_sync(self._fd)
        return Recovered(replay.hard, replay.entries, cut_bytes)

    def _roll(self, room_bytes: int, next_sequence: int) -> None:
        """Go on in a new segment with room for at least `room_bytes`. All records of the old one are durable."""
        number = self._number + 1
        size = min(SEGMENT_BYTES_MAX, SEGMENT_BYTES_FIRST * _GROWTH ** (number - 1))
        size = max(size, room_bytes + wal.SEGMENT_HEADER_BYTES)
        # The records of a batch that did not fit are encoded with the old segment's salt: all segments of a log share it.
        salt = self._writer.salt or secrets.randbits(31) + 1
        path = self._directory / _NAME.format(number)
        fd = self._create(path, wal.SegmentHeader(number, next_sequence, salt).encode(), size)
        if self._fd >= 0:
            os.close(self._fd)
        self._writer.salt = salt
        self._fd, self._number, self._size, self._offset = fd, number, size, wal.SEGMENT_HEADER_BYTES

    def _create(self, path: Path, header: bytes, size: int) -> int:
        unborn = path.with_suffix(".new")
        fd = os.open(unborn, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            _write_at(fd, header + bytes(size - len(header)), 0)
            os.fsync(fd)
            os.rename(unborn, path)
            os.fsync(self._directory_fd)
        except OSError:
            os.close(fd)
            raise
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

