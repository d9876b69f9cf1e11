"""How a record gets onto disk: one JSON object a line, handed to the kernel at once.

Law 1: a line is whole in the page cache when `write` returns, so a process that is killed next has still said it.
Law 2: what cannot be written is told with the file's name (`EnvironmentFailed`), and half a record is none.
Law 3: a ledger's line names the SHA-256 of the line before it: none can be changed, removed or moved without the next one telling.
"""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path
from typing import Any

import msgspec

from cluster.core.errors import EnvironmentFailed

GENESIS = "0" * 64
LINE_BYTES_MAX = 64 * 1024
_encoder = msgspec.json.Encoder(order="deterministic")


def now_ns() -> int:
    """The one clock of all records: monotonic, the same for all processes of a machine, running through a SIGSTOP."""
    return time.monotonic_ns()


def encode(fields: dict[str, Any]) -> bytes:
    """One line, its newline included."""
    line = _encoder.encode(fields) + b"\n"
    assert len(line) <= LINE_BYTES_MAX, f"a record of {len(line)} bytes"
    return line


def digest(line: bytes) -> str:
    """What the next line of a ledger must name. The newline does not count."""
    return hashlib.sha256(line.rstrip(b"\n")).hexdigest()


def write_whole(path: Path, content: bytes) -> None:
    """A file that appears whole or not at all. Raises `EnvironmentFailed`."""
    unnamed = path.with_name(f".{path.name}")
    try:
        unnamed.write_bytes(content)
        unnamed.rename(path)
    except OSError as error:
        raise EnvironmentFailed(f"cannot write {path}: {error.strerror}") from error


class LineFile:
    """An append-only file of records. Raises `EnvironmentFailed`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise EnvironmentFailed(f"cannot make {path}: {error.strerror}") from error

    def write(self, fields: dict[str, Any]) -> None:
        self.write_raw(encode(fields))

    def write_raw(self, lines: bytes) -> None:
        try:
            written = os.write(self._descriptor, lines)
        except OSError as error:
            raise EnvironmentFailed(f"cannot write {self._path}: {error.strerror}") from error
        if written != len(lines):
            raise EnvironmentFailed(f"cannot write {self._path}: there was room for {written} of {len(lines)} bytes")

    def sync(self) -> None:
        try:
            getattr(os, "fdatasync", os.fsync)(self._descriptor)
        except OSError as error:
            raise EnvironmentFailed(f"cannot write {self._path}: {error.strerror}") from error

    def close(self) -> None:
        os.close(self._descriptor)
