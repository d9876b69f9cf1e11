"""Snapshots as files: `snap-INDEX.bin`, the newest of which counts. Blocking.

    magic 8 | version 2, 6 zero | body length 8 | CRC-32 of the body 4 | body (msgpack `Snapshot`)        (big-endian)

Law 1: a snapshot appears under its name only when all of it is durable (made under another name, renamed).
Law 2: a damaged one is refused, never passed over: the log before it is gone, so an older one would not do.
"""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path
from typing import Final

import msgspec

from cluster.core.errors import UNDECODABLE, CorruptLog
from cluster.core.raft.messages import Snapshot

MAGIC: Final = b"FAULTSNP"
VERSION: Final = 1
_HEADER = struct.Struct(">8sH6xQI")
_NAME: Final = "snap-{:016d}.bin"
_PATTERN: Final = "snap-*.bin"

_encode = msgspec.msgpack.Encoder().encode
_decode: msgspec.msgpack.Decoder[Snapshot] = msgspec.msgpack.Decoder(Snapshot)


def save(directory: Path, directory_fd: int, snapshot: Snapshot) -> None:
    """Make it durable, with its name. Raises `OSError`."""
    path = directory / _NAME.format(snapshot.index)
    unborn = path.with_suffix(".new")
    body = _encode(snapshot)
    with open(unborn, "wb") as file:
        file.write(_HEADER.pack(MAGIC, VERSION, len(body), zlib.crc32(body)))
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    unborn.rename(path)
    os.fsync(directory_fd)


def newest(directory: Path) -> Snapshot | None:
    """The newest snapshot there is, None without any. Raises `CorruptLog` when it is damaged, or `OSError`."""
    paths = sorted(directory.glob(_PATTERN))
    return decode(paths[-1].read_bytes(), str(paths[-1])) if paths else None


def decode(data: bytes, path: str) -> Snapshot:
    """Raises `CorruptLog`."""
    if len(data) < _HEADER.size:
        raise CorruptLog(path, 0, "shorter than a snapshot's header")
    magic, version, length, crc = _HEADER.unpack_from(data)
    body = memoryview(data)[_HEADER.size :]
    if magic != MAGIC or version != VERSION:
        raise CorruptLog(path, 0, f"not a snapshot of version {VERSION}")
    if len(body) != length or zlib.crc32(body) != crc:
        raise CorruptLog(path, _HEADER.size, "checksum does not match")
    try:
        return _decode.decode(body)
    except UNDECODABLE as error:
        raise CorruptLog(path, _HEADER.size, f"malformed snapshot: {error}") from error


def forget_older(directory: Path, index: int) -> None:
    """Remove every snapshot that ends before `index`, and what an unfinished `save` has left."""
    keep = directory / _NAME.format(index)
    for path in (*directory.glob(_PATTERN), *directory.glob("snap-*.new")):
        if path != keep:
            path.unlink(missing_ok=True)
