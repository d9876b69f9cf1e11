"""The open end of a log: the segment that is being written. Blocking.

Law 1: `append` returns when its bytes are on the device.
Law 2: where the file system can, bytes go around the page cache in whole blocks, each write durable by itself (`O_DIRECT`
       with `O_DSYNC`): one system call instead of two, and half the CPU. Elsewhere it is a write and an fdatasync.
Law 3: the block in which the log ends is written again by the next append. What was in it stays the same byte for byte,
       so a write that is torn between sectors can only harm what is new; through the page cache it is no different.
"""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
from pathlib import Path
from typing import Final

# A multiple of every device's sector and of the memory page.
BLOCK: Final = 4_096
_BUFFER_BYTES: Final = 64 * 1024
# How a file system says that it does not write around the page cache.
_NOT_DIRECT: Final = (errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP)


class Tail:
    """Segment `number` at `path`, of `size` bytes, zero from `offset` on. The bytes before `offset` are durable."""

    __slots__ = ("_buffer", "_direct", "fd", "number", "offset", "size")

    def __init__(self, path: Path, number: int, size: int, offset: int) -> None:
        """Raises `OSError` for what the disk refuses."""
        self.number, self.size, self.offset = number, size, offset
        # Page-aligned, as direct writes need it. It begins with the block in which the log ends, as far as that goes.
        self._buffer = mmap.mmap(-1, _BUFFER_BYTES)
        self.fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        data_sync(self.fd)  # what was read back may be in the page cache only: a former life can have died before its sync
        self._direct = False
        begins = offset - offset % BLOCK
        self._buffer[: offset - begins] = os.pread(self.fd, offset - begins, begins)
        if size % BLOCK == 0 and begins < size:
            self._go_direct(path, begins)

    def append(self, data: bytes) -> None:
        """Make `data` durable behind what is there. Raises `OSError`; the log is then unusable."""
        if self._direct:
            self._append_blocks(data)
        else:
            write_at(self.fd, data, self.offset)
            data_sync(self.fd)
        self.offset += len(data)

    def close(self) -> None:
        os.close(self.fd)

    def _append_blocks(self, data: bytes) -> None:
        begin = self.offset % BLOCK
        end = begin + len(data)
        whole = -(-end // BLOCK) * BLOCK
        buffer = self._buffer
        if whole > _BUFFER_BYTES:
            buffer = mmap.mmap(-1, whole)
            buffer[:begin] = self._buffer[:begin]
        buffer[begin:end] = data
        buffer[end:whole] = bytes(whole - end)
        _write_blocks(self.fd, buffer, whole, self.offset - begin)
        left = end % BLOCK
        self._buffer[:left] = buffer[end - left : end]

    def _go_direct(self, path: Path, begins: int) -> None:
        """Try it with the last block as it is: some file systems refuse the flag, some only the write. Other errors are the disk's own."""
        if not hasattr(os, "O_DIRECT"):
            return
        fd = -1
        try:
            fd = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_DIRECT | os.O_DSYNC)
            _write_blocks(fd, self._buffer, BLOCK, begins)
        except OSError as error:
            if fd >= 0:
                os.close(fd)
            if error.errno not in _NOT_DIRECT:
                os.close(self.fd)
                raise
            return
        os.close(self.fd)
        self.fd, self._direct = fd, True


def _write_blocks(fd: int, buffer: mmap.mmap, length: int, offset: int) -> None:
    with memoryview(buffer) as whole:
        done = 0
        while done < length:
            with whole[done:length] as left:
                done += os.pwritev(fd, [left], offset + done)


def write_at(fd: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(fd, view, offset)
        offset += written
        view = view[written:]


def data_sync(fd: int) -> None:
    """Until the bytes are on the device (macOS has no fdatasync, and its fsync stops at the drive's cache)."""
    if hasattr(fcntl, "F_FULLFSYNC"):
        fcntl.fcntl(fd, fcntl.F_FULLFSYNC)
    else:
        os.fdatasync(fd)
