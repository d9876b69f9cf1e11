"""The replicated state machine: keys and values under one global revision.

Law 1: the state is a function of the applied entries alone, so replicas that applied the same prefix are equal.
Law 2: nothing in an entry can make `apply` raise: what is malformed is a failed write, alike on every replica.
Law 3: `digest` chains every entry ever applied, whatever it did; two replicas at one index must agree on it (§5.4.3).
"""

from __future__ import annotations

import struct
from bisect import bisect_left, insort
from zlib import crc32

import msgspec

from cluster.core.errors import LawBroken, ProtocolError
from cluster.core.kv.image import IMAGE_VERSION, Image, Item, from_bytes, to_bytes
from cluster.core.kv.ops import Cas, Delete, Put, Reply, decode_write
from cluster.core.types import KEY_BYTES_MAX, VALUE_BYTES_MAX

# A scan's reply must fit into one frame, even if every character takes three bytes.
SCAN_CHARS_MAX = 1024 * 1024
_HEADER = struct.Struct(">QQB")  # index, term, kind


class Versioned(msgspec.Struct, frozen=True):
    """A value, the global revision that wrote it, and how often its key was written since it last came into being."""

    value: str
    mod_revision: int
    version: int


class Store:
    """`applied` is the last index, `revision` counts the writes that changed something."""

    __slots__ = ("_items", "_sorted_keys", "applied", "digest", "revision")

    def __init__(self) -> None:
        self.applied = 0
        self.revision = 0
        self.digest = 0
        self._items: dict[str, Versioned] = {}
        # Keys in order, for prefix scans; None until a scan needs it, then kept up to date.
        self._sorted_keys: list[str] | None = None

    def dump(self) -> bytes:
        """Everything, as bytes that `load` understands. Stores that applied the same entries give the same bytes."""
        items = (Item(key, held.value, held.mod_revision, held.version) for key, held in sorted(self._items.items()))
        return to_bytes(Image(IMAGE_VERSION, self.applied, self.revision, self.digest, tuple(items)))

    @classmethod
    def load(cls, data: bytes | bytearray | memoryview) -> Store:
        """A store that goes on where the dumped one stood. Raises `ProtocolError` for bytes that no store dumped."""
        image, store = from_bytes(data), cls()
        store.applied, store.revision, store.digest = image.applied, image.revision, image.digest
        store._items = {item.key: Versioned(item.value, item.mod_revision, item.version) for item in image.items}
        return store

    def apply(self, index: int, term: int, kind: int, data: bytes) -> Reply:
        """Apply entry `index` (the next one; anything else is a broken law). A leader's no-op has empty data."""
        if index != self.applied + 1:
            raise LawBroken("entries apply in order, once", f"entry {index} after {self.applied}")
        self.applied = index
        self.digest = crc32(data, crc32(_HEADER.pack(index, term, kind), self.digest))
        if not data:
            return Reply("ok", revision=self.revision)
        try:
            write = decode_write(data)
        except ProtocolError as error:
            return Reply("fail", revision=self.revision, error=str(error))
        if isinstance(write, Put):
            return self._put(write.key, write.value)
        if isinstance(write, Cas):
            return self._cas(write)
        return self._delete(write)

    def get(self, key: str) -> Reply:
        """The value of `key` (None: there is none), at the present revision."""
        held = self._items.get(key)
        return Reply("ok", value=None if held is None else held.value, revision=self.revision)

    def versioned(self, key: str) -> Versioned | None:
        return self._items.get(key)

    def scan(self, prefix: str, limit: int) -> Reply:
        """Keys with `prefix` and their values, in key order, at most `limit`; a failure when they exceed `SCAN_CHARS_MAX`."""
        if self._sorted_keys is None:
            self._sorted_keys = sorted(self._items)
        keys = self._sorted_keys
        found: list[tuple[str, str]] = []
        size = 0
        for position in range(bisect_left(keys, prefix), len(keys)):
            if not keys[position].startswith(prefix) or len(found) >= limit:
                break
            found.append((keys[position], self._items[keys[position]].value))
            size += len(keys[position]) + len(found[-1][1])
            if size > SCAN_CHARS_MAX:
                return Reply("fail", revision=self.revision, error=f"scan exceeds {SCAN_CHARS_MAX} characters: narrow it")
        return Reply("ok", revision=self.revision, items=tuple(found))

    def __len__(self) -> int:
        return len(self._items)

    def _put(self, key: str, value: str) -> Reply:
        reason = too_large(key, value)
        if reason:
            return Reply("fail", revision=self.revision, error=reason)
        held = self._items.get(key)
        if held is None and self._sorted_keys is not None:
            insort(self._sorted_keys, key)
        self.revision += 1
        self._items[key] = Versioned(value, self.revision, 1 if held is None else held.version + 1)
        return Reply("ok", revision=self.revision)

    def _cas(self, write: Cas) -> Reply:
        held = self._items.get(write.key)
        current = None if held is None else held.value
        if current != write.expect:
            return Reply("ok", value=current, revision=self.revision, swapped=False)
        return self._put(write.key, write.value)

    def _delete(self, write: Delete) -> Reply:
        held = self._items.pop(write.key, None)
        if held is None:
            return Reply("ok", revision=self.revision)
        if self._sorted_keys is not None:
            del self._sorted_keys[bisect_left(self._sorted_keys, write.key)]
        self.revision += 1
        return Reply("ok", revision=self.revision)


def too_large(key: str, value: str) -> str:
    """Why this key or value is refused, "" when it is not."""
    if len(key) > KEY_BYTES_MAX or len(key.encode(errors="replace")) > KEY_BYTES_MAX:
        return f"key exceeds {KEY_BYTES_MAX} bytes"
    if len(value) > VALUE_BYTES_MAX or len(value.encode(errors="replace")) > VALUE_BYTES_MAX:
        return f"value exceeds {VALUE_BYTES_MAX} bytes"
    return ""
