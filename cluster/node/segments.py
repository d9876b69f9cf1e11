"""The files of one write-ahead log and its snapshots: recovery, appending, rolling over, clearing away. Blocking.

Law 1: a segment appears under its name only when it is full of zeros, headed and durable (made under another name, renamed).
Law 2: what lies behind the end of the log is zeroed, durably, before the log goes on: no stale record may ever follow a
       new one.
Law 3: a snapshot is durable before anything that rests on it, and what it makes needless goes last.
Law 4: one process at a time: the directory is locked for as long as this one lives.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Callable, Sequence
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import Final

import msgspec

from cluster import wal
from cluster.core.raft.ready import Persist
from cluster.node import snapfiles
from cluster.node.failures import StorageFailed
from cluster.node.recovered import Recovered
from cluster.node.tail import BLOCK, Tail, data_sync, write_at
from cluster.wal_writer import Writer

# The first segment is small so that fifty nodes start at once; later ones grow fourfold to the last size.
SEGMENT_BYTES_FIRST: Final = 256 * 1024
SEGMENT_BYTES_MAX: Final = 8 * 1024 * 1024
_GROWTH: Final = 4
# What a `Persist` and an entry take at most besides the entry's data: headers, hard state, truncation; term, kind, length.
_RECORD_ROOM: Final = 256
_ENTRY_ROOM: Final = 24
_data = attrgetter("data")
_NAME: Final = "wal-{:08d}.log"
_PATTERN: Final = "wal-*.log"


class Segments:
    """An open log, ready to go on."""

    def __init__(self, directory: Path) -> None:
        """Lock the directory, read all of it, mend its end. Raises `CorruptLog` or `StorageFailed`."""
        self._directory = directory
        self._directory_fd = _lock(directory)
        try:
            os.fsync(self._directory_fd)  # names, too: a former life can have died between a rename and this
            snapshot = snapfiles.newest(directory)
            replay, self._tail, cut_bytes = self._recover(sorted(directory.glob(_PATTERN)))
            self._origins = dict(replay.origins)  # segment -> the last index before it
            self._oldest = replay.oldest or 1
            if replay.meet(snapshot, str(directory)) and snapshot is not None:
                self._put(lambda: self._writer.reset(snapshot.index, snapshot.term))
        except OSError as error:
            os.close(self._directory_fd)
            raise StorageFailed(f"{error.filename or directory}: {error.strerror}") from error
        except BaseException:
            os.close(self._directory_fd)
            raise
        base = replay.first_index - 1, replay.base_term or 0
        self.recovered = Recovered(replay.hard, replay.entries, cut_bytes, snapshot, base)

    def append(self, persists: Sequence[Persist]) -> None:
        """Make these durable, in order; without a snapshot among them that is one write.

        Raises `OSError`; the log is then unusable.
        """
        begin, last = 0, None
        for at, persist in enumerate(persists):
            if persist.snapshot is not None:
                # The term first: no snapshot may be of a term that the node has not heard of.
                term = msgspec.structs.replace(persist, truncate_from=None, entries=(), installed=False)
                self._write([*persists[begin:at], term])
                snapfiles.save(self._directory, self._directory_fd, persist.snapshot)
                begin, last = at, persist
        self._write(persists[begin:])
        if last is not None and last.snapshot is not None:
            snapfiles.forget_older(self._directory, last.snapshot.index)
            self._forget_segments(last.keep_from)

    def _write(self, persists: Sequence[Persist]) -> None:
        encode = self._writer.records
        if len(persists) == 1:
            self._put(partial(encode, persists[0]))
        else:
            self._put(lambda: b"".join([encode(persist) for persist in persists]))

    def _put(self, encode: Callable[[], bytes]) -> None:
        """Write and sync what `encode` makes of the writer, in a new segment if this one has no room for it."""
        writer, tail = self._writer, self._tail
        sequence, origin = writer.sequence, writer.origin
        data = encode()
        if not data:
            return
        if (tail.offset == wal.SEGMENT_HEADER_BYTES and tail.number > 1) or tail.offset + len(data) > tail.size:
            writer.take_back(sequence, origin)
            data = writer.opening() + encode()
        if tail.offset + len(data) > tail.size:
            self._tail = self._create(tail.number + 1, sequence + 1, len(data))
            tail.close()
        self._origins.setdefault(self._tail.number, origin.last_index)
        self._tail.append(data)
        writer.all_synced()

    def _forget_segments(self, keep_from: int) -> None:
        """Oldest first, each durably before the next, so that what is left never has a gap."""
        while self._origins.get(self._oldest + 1, keep_from) < keep_from:
            (self._directory / _NAME.format(self._oldest)).unlink()
            os.fsync(self._directory_fd)
            self._origins.pop(self._oldest, None)
            self._oldest += 1

    def fits(self, persists: Sequence[Persist]) -> bool:
        """Whether the open segment surely has room for these: a new one, or a snapshot, is long in the making."""
        room = self._tail.size - self._tail.offset
        for persist in persists:
            if persist.snapshot is not None:
                return False
            entries = persist.entries
            room -= _RECORD_ROOM + sum(map(len, map(_data, entries))) + _ENTRY_ROOM * len(entries)
        return room >= 0

    def close(self) -> None:
        """Give the files and the lock back."""
        self._tail.close()
        os.close(self._directory_fd)

    def _recover(self, paths: Sequence[Path]) -> tuple[wal.Replay, Tail, int]:
        """What all segments say, the one to go on in, and how many bytes of an unfinished write were zeroed."""
        replay = wal.Replay()
        if not paths:
            self._writer = Writer(salt=secrets.randbits(32))
            return replay, self._create(1, 1, 0), 0
        data, offset = b"", 0
        for path in paths:
            data = path.read_bytes()
            offset = replay.segment(data, str(path), last=path == paths[-1])
        last_term = replay.entries[-1].term if replay.entries else replay.base_term or 0
        self._writer = Writer(replay.salt, replay.sequence, wal.Origin(replay.last_index, last_term, replay.hard))
        cut_bytes = len(data[offset:].rstrip(b"\x00"))
        if cut_bytes:
            _blank(paths[-1], offset, cut_bytes)
        return replay, Tail(paths[-1], replay.segments, len(data), offset), cut_bytes

    def _create(self, number: int, first_sequence: int, room_bytes: int) -> Tail:
        """A new segment with room for `room_bytes`, durable with its name. All records before it are durable, too."""
        size = min(SEGMENT_BYTES_MAX, SEGMENT_BYTES_FIRST * _GROWTH ** (number - 1))
        size = max(size, -(-(room_bytes + wal.SEGMENT_HEADER_BYTES) // BLOCK) * BLOCK)
        header = wal.SegmentHeader(number, first_sequence, self._writer.salt).encode()
        path = self._directory / _NAME.format(number)
        unborn = path.with_suffix(".new")
        fd = os.open(unborn, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            write_at(fd, header + bytes(size - len(header)), 0)
            os.fsync(fd)
        finally:
            os.close(fd)
        unborn.rename(path)
        os.fsync(self._directory_fd)
        return Tail(path, number, size, len(header))


def _blank(path: Path, offset: int, count: int) -> None:
    """Law 2."""
    fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        write_at(fd, bytes(count), offset)
        data_sync(fd)
    finally:
        os.close(fd)


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
