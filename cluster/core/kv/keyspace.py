"""Keys and values under one global revision, with their past, bound to leases: what all writes and reads come down to.

Law 1: a key changes at most once under one revision, and every change is in the history beside what it replaced.
Law 2: memory is bounded: the older half of the past goes when there is much of it, and a full store refuses what would grow it.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence
from typing import Final

from cluster.core.errors import ProtocolError
from cluster.core.kv import span
from cluster.core.kv.history import CHANGE_CHARS, History, weights
from cluster.core.kv.leases import Leases
from cluster.core.kv.ops import COMPACTED, FUTURE, NO_LEASE, NO_SPACE, KeyValue, Page, Range, Reply
from cluster.core.types import FRAME_BYTES_MAX

# What a read returns must fit into one frame, even if every character takes three bytes.
REPLY_CHARS_MAX: Final = FRAME_BYTES_MAX // 4
# Characters in all values, present and past, with `CHANGE_CHARS` for each: beyond it nothing is written any more (etcd's quota).
STORE_CHARS_MAX: Final = 64 * 1024 * 1024
# Of these, how many the past may take before its older half goes: some 25 000 small writes.
HISTORY_CHARS_MAX: Final = 4 * 1024 * 1024


class Keyspace:
    """`revision` counts the writes that changed something. A reply here is always definite."""

    __slots__ = ("_chars_max", "_items", "_sorted_keys", "_weight", "_weight_due", "history", "leases", "revision")

    def __init__(self, chars_max: int = STORE_CHARS_MAX) -> None:
        self.revision = 0
        self.history, self.leases = History(), Leases()
        self._items: dict[str, KeyValue] = {}
        # Keys in order, for ranges; None until a range needs it, then kept up to date.
        self._sorted_keys: list[str] | None = None
        self._chars_max = chars_max
        self._weight = 0
        self._weight_due = min(HISTORY_CHARS_MAX, chars_max)  # when to look whether there is too much of a past

    def __len__(self) -> int:
        return len(self._items)

    def fail(self, error: str) -> Reply:
        return Reply("fail", None, self.revision, error=error)

    # ---- reads ------------------------------------------------------------------------------------------------------

    def find(self, key: str) -> KeyValue | None:
        return self._items.get(key)

    def get(self, key: str, revision: int = 0) -> Reply:
        """The value of `key` (None: there is none), at the present revision or a past one."""
        if reason := self.unreadable(revision):
            return self.fail(reason)
        held = self._items.get(key)
        if 0 < revision < self.revision:
            held = self.history.replaced_since(revision, *span.of_key(key)).get(key, held)
        return Reply("ok", None if held is None else held.value, self.revision)

    def keys(self, first: str, end: str | None) -> list[str]:
        """The keys in a range that exist now, in order."""
        if self._sorted_keys is None:
            self._sorted_keys = sorted(self._items)
        start, stop = span.slice_of(self._sorted_keys, first, end)
        return self._sorted_keys[start:stop]

    def scan(self, prefix: str, limit: int) -> Reply:
        """Keys with `prefix` and their values, in key order, at most `limit`; a failure when they exceed `REPLY_CHARS_MAX`."""
        found: list[tuple[str, str]] = []
        size = 0
        for key in self.keys(*span.of_prefix(prefix))[: max(0, limit)]:
            found.append((key, self._items[key].value))
            size += len(key) + len(found[-1][1])
            if size > REPLY_CHARS_MAX:
                return self.fail(f"scan exceeds {REPLY_CHARS_MAX} characters: narrow it")
        return Reply("ok", None, self.revision, items=tuple(found))

    def page(self, asked: Range, chars_max: int) -> Reply:
        """A page of a range that can be read: as many keys as the limits allow."""
        keys, then = self.keys(asked.first, asked.end), {}
        if 0 < asked.revision < self.revision:
            then = self.history.replaced_since(asked.revision, asked.first, asked.end)
            keys = sorted({**dict.fromkeys(keys), **then})
        held = [found for key in keys if (found := then[key] if key in then else self._items[key]) is not None]
        page: list[KeyValue] = []
        for item in held[: asked.limit]:
            chars_max -= len(item.key) + len(item.value)
            if chars_max < 0:
                break
            page.append(item)
        return Reply("ok", None, self.revision, body=Page(tuple(page), len(page) < len(held), len(held)))

    def unreadable(self, revision: int) -> str:
        """Why the store cannot be read as of `revision` (0 is now), or ""."""
        if revision > self.revision:
            return FUTURE
        return COMPACTED if 0 < revision < self.history.compacted else ""

    # ---- changes ----------------------------------------------------------------------------------------------------

    def write(self, key: str, value: str, lease: int, revision: int) -> None:
        """Set `key` under `revision`. Whether that may be, and the lease is there, was asked before (`refusal`)."""
        held = self._items.get(key)
        if held is None:
            changed = KeyValue(key, value, revision, revision, 1, lease)
            if self._sorted_keys is not None:
                insort(self._sorted_keys, key)
        else:
            changed = KeyValue(key, value, held.create_revision, revision, held.version + 1, lease)
            if held.lease:
                self.leases.release(held.lease, key)
        if lease:
            self.leases.bind(lease, key)
        self._items[key] = changed
        self.revision = revision
        history = self.history
        history.changes.append(changed)
        history.replaced.append(held)
        self._weight += len(value) + CHANGE_CHARS

    def remove(self, key: str, revision: int) -> bool:
        """Delete `key` under `revision`; False, and no change, when there is none."""
        held = self._items.pop(key, None)
        if held is None:
            return False
        if self._sorted_keys is not None:
            del self._sorted_keys[bisect_left(self._sorted_keys, key)]
        if held.lease:
            self.leases.release(held.lease, key)
        self.revision = revision
        self.history.changes.append(KeyValue(key, "", 0, revision, 0))
        self.history.replaced.append(held)
        self._weight += CHANGE_CHARS
        return True

    def _remove_all(self, keys: list[str]) -> int:
        """Delete keys under one revision; how many there were."""
        revision = self.revision + 1
        return sum([self.remove(key, revision) for key in keys])

    def refusal(self, lease: int) -> str:
        """Why nothing bound to `lease` (0: to none) can be written now, or ""."""
        if lease and lease not in self.leases:
            return NO_LEASE
        return NO_SPACE if self._weight > self._weight_due and not self._make_room() else ""

    def _make_room(self) -> bool:
        """Drop the older half of the past; all of it when that is not enough. Whether anything may be written."""
        self._forget(self.history.middle())
        if self._weight > self._chars_max:
            self._forget(self.revision)
        self._weight_due = min(self._weight + HISTORY_CHARS_MAX // 2, self._chars_max)
        return self._weight <= self._chars_max

    def _forget(self, revision: int) -> None:
        self._weight -= self.history.compact(revision)

    # ---- from an image ----------------------------------------------------------------------------------------------

    def base(self) -> list[KeyValue]:
        """What there was at the last compaction, by key: with the changes since, the whole state."""
        then = {**self._items, **self.history.replaced_at_all()}
        return [held for held in map(then.__getitem__, sorted(then)) if held is not None]

    def replay(self, base: Sequence[KeyValue], changes: Sequence[KeyValue]) -> None:
        """Become what `base` and the changes after it make. Raises `ProtocolError` when they contradict each other."""
        items = {held.key: held for held in base}
        before = self.history.compacted
        for change in changes:
            held = items.pop(change.key, None)
            if not (before <= change.mod_revision <= self.revision and _follows(change, held)):
                raise ProtocolError(f"malformed image: change of {change.key!r} at {change.mod_revision} cannot be")
            before = change.mod_revision
            self.history.changes.append(change)
            self.history.replaced.append(held)
            if change.version:
                items[change.key] = change
        self._items = items
        self._weight = weights(base) + weights(changes)
        for held in items.values():
            if held.lease:
                if held.lease not in self.leases:
                    raise ProtocolError(f"malformed image: key {held.key!r} is bound to no lease")
                self.leases.bind(held.lease, held.key)


def _follows(change: KeyValue, held: KeyValue | None) -> bool:
    """Whether this can be the next change of a key that was `held`."""
    if held is None:
        return change.version == 1 and change.create_revision == change.mod_revision
    if change.mod_revision <= held.mod_revision:
        return False
    if not change.version:
        return change == KeyValue(change.key, "", 0, change.mod_revision, 0)
    return (change.version, change.create_revision) == (held.version + 1, held.create_revision)
