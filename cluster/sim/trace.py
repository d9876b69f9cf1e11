"""The trace: every input that any machine took, in order, as one hash.

Law 1: inputs and times are the whole run: the core is a function of them, so equal hashes are equal runs.
Law 2: memory is bounded: what was hashed is forgotten.
Law 3: a record is a value: it may be encoded later than it was added, many at once.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

_RECORDS_MAX = 512


class Trace:
    """Feed it with whatever msgpack can say; equal feeds give equal hashes."""

    __slots__ = ("_encode", "_hash", "_records")

    def __init__(self) -> None:
        self._hash = hashlib.blake2b(digest_size=16)
        self._records: list[Any] = []
        self._encode = msgspec.msgpack.Encoder().encode

    def add(self, record: Any) -> None:
        """One happening: (time, whom it concerns, what)."""
        records = self._records
        records.append(record)
        if len(records) >= _RECORDS_MAX:
            self._digest()

    def digest(self) -> str:
        """The hash of all so far, in hex."""
        self._digest()
        return self._hash.hexdigest()

    def _digest(self) -> None:
        if self._records:
            self._hash.update(self._encode(self._records))
            self._records.clear()
