"""How a record gets onto disk: one JSON object a line, handed to the kernel at once.

Law 1: a line is whole in the page cache when `write` returns, so a process that is killed next has still said it.
Law 2: a ledger's line names the SHA-256 of the line before it: none can be changed, removed or moved without the next one telling.
"""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path
from typing import Any

import msgspec

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


class LineFile:
    """An append-only file of records."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def write(self, fields: dict[str, Any]) -> None:
        self.write_raw(encode(fields))

    def write_raw(self, lines: bytes) -> None:
        written = os.write(self._descriptor, lines)
        if written != len(lines):  # a full disk: half a record is no record, and the reader will say so
            raise OSError(f"only {written} of {len(lines)} bytes were written")

    def sync(self) -> None:
        getattr(os, "fdatasync", os.fsync)(self._descriptor)

    def close(self) -> None:
        os.close(self._descriptor)
