"""Watches: changes of a range of keys, in order and without gaps, to whoever keeps up.

Law 1: a watcher gets every change of its range from its first revision on, once, or a definite end with the reason.
Law 2: what waits for a watcher is the history itself, so it costs a number. Beyond `CREDIT` batches that it has not acknowledged
       nothing is sent; when the store goes on for `LAG_REVISIONS_MAX` meanwhile, or forgets what comes next, the watch is cancelled.
Law 3: only applied entries are ever seen, so only committed ones: what is watched at a follower is late, never wrong.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from cluster.core.kv import span
from cluster.core.kv.keyspace import Keyspace
from cluster.core.kv.ops import COMPACTED, SLOW_WATCHER, Changes, KeyValue, Reply, Watch

# Each costs every applied change a comparison.
WATCHERS_MAX = 256
CREDIT = 8
BATCH_CHANGES_MAX = 256
BATCH_CHARS_MAX = 256 * 1024
LAG_REVISIONS_MAX = 4_096
# Changes looked at for one watcher before the others have their turn: a watch of the far past must not hold the node up.
LOOK_MAX = 4_096


class Watcher(msgspec.Struct):
    """`next` is the number of the first change not looked at for it. `starved` is the revision when its credit ran out."""

    first: str
    end: str | None
    revision: int  # older changes are not for it
    next: int
    credit: int = CREDIT
    starved: int | None = None


class Notice(msgspec.Struct, frozen=True):
    """A reply of the stream `token`; the last one without `more`."""

    token: int
    reply: Reply
    more: bool


class Watches:
    """Of one replica; they are no part of the replicated state."""

    def __init__(self) -> None:
        self._watchers: dict[int, Watcher] = {}

    def __len__(self) -> int:
        return len(self._watchers)

    def open(self, token: int, watch: Watch, store: Keyspace) -> Notice:
        """Begin a stream; its first notice is empty, or the reason why there is none."""
        if len(self._watchers) >= WATCHERS_MAX:
            return Notice(token, store.fail(f"more than {WATCHERS_MAX} watches at this node"), False)
        if 0 < watch.revision <= store.history.compacted:
            return Notice(token, store.fail(COMPACTED), False)
        revision = watch.revision or store.revision + 1
        self._watchers[token] = Watcher(watch.first, watch.end, revision, store.history.number_after(revision - 1))
        return Notice(token, Reply("ok", None, store.revision, body=Changes(())), True)

    def acknowledge(self, token: int, batches: int) -> None:
        watcher = self._watchers.get(token)
        if watcher is not None:
            watcher.credit = min(CREDIT, watcher.credit + max(0, batches))
            watcher.starved = None if watcher.credit else watcher.starved

    def close(self, token: int, store: Keyspace) -> list[Notice]:
        """The end that its client asked for."""
        gone = self._watchers.pop(token, None)
        return [] if gone is None else [Notice(token, Reply("ok", None, store.revision), False)]

    def advance(self, store: Keyspace) -> list[Notice]:
        """What the watchers can be told of what was applied."""
        notices: list[Notice] = []
        for token, watcher in list(self._watchers.items()):
            if watcher.credit:
                notices += (Notice(token, reply, True) for reply in self._feed(watcher, store))
            reason = _hopeless(watcher, store)
            if reason:
                del self._watchers[token]
                notices.append(Notice(token, store.fail(reason), False))
        return notices

    def _feed(self, watcher: Watcher, store: Keyspace) -> Iterable[Reply]:
        history = store.history
        if watcher.next < history.dropped:
            return
        stop = min(history.end, watcher.next + LOOK_MAX)
        while watcher.credit and watcher.next < stop:
            batch = _batch(watcher, store, stop)
            if batch:
                watcher.credit -= 1
                yield Reply("ok", None, store.revision, body=Changes(tuple(batch)))
        if not watcher.credit:
            watcher.starved = store.revision


def _batch(watcher: Watcher, store: Keyspace, stop: int) -> list[KeyValue]:
    """The next changes of a watcher's range, as many as one batch takes; `next` moves past them."""
    changes, dropped = store.history.changes, store.history.dropped
    batch: list[KeyValue] = []
    chars = 0
    for number in range(watcher.next, stop):
        change = changes[number - dropped]
        watcher.next = number + 1
        if change.mod_revision >= watcher.revision and span.holds(watcher.first, watcher.end, change.key):
            batch.append(change)
            chars += len(change.key) + len(change.value)
            if len(batch) >= BATCH_CHANGES_MAX or chars >= BATCH_CHARS_MAX:
                break
    return batch


def _hopeless(watcher: Watcher, store: Keyspace) -> str:
    """Why a watcher will not be told what comes next (Law 2), or ""."""
    if watcher.starved is not None and store.revision - watcher.starved > LAG_REVISIONS_MAX:
        return SLOW_WATCHER
    return COMPACTED if watcher.next < store.history.dropped else ""
