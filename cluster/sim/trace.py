"""The trace: every input that any machine took, in order, as one hash.

Law 1: inputs and times are the whole run: the core is a function of them, so equal hashes are equal runs.
Law 2: memory is bounded: what was hashed is forgotten.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

_BUFFER_BYTES = 64 * 1024


class Trace:
    """Feed it with whatever msgpack can say; equal feeds give equal hashes."""

    __slots__ = ("_buffer", "_encode_into", "_hash")

    def __init__(self) -> None:
        self._hash = hashlib.blake2b(digest_size=16)
        self._buffer = bytearray()
        self._encode_into = msgspec.msgpack.Encoder().encode_into

    def add(self, record: Any) -> None:
        """One happening: (time, whom it concerns, what)."""
        buffer = self._buffer
        self._encode_into(record, buffer, -1)
        if len(buffer) > _BUFFER_BYTES:
            self._hash.update(buffer)
            buffer.clear()

    def digest(self) -> str:
        """The hash of all so far, in hex."""
        self._hash.update(self._buffer)
        self._buffer.clear()
        return self._hash.hexdigest()
