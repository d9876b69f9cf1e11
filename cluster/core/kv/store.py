"""The replicated state machine: what each log entry does to the keys, the leases and the client sessions.

Law 1: the state is a function of the applied entries alone, so replicas that applied the same prefix are equal.
Law 2: nothing in an entry can make `apply` raise: what is malformed is a failed write, alike on every replica.
Law 3: `digest` chains every entry ever applied, whatever it did; two replicas at one index must agree on it (§5.4.3).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol
from zlib import crc32

from cluster.core.errors import UNDECODABLE, LawBroken
from cluster.core.kv import image
from cluster.core.kv.keyspace import REPLY_CHARS_MAX, STORE_CHARS_MAX, Keyspace
from cluster.core.kv.leases import LEASES_MAX
from cluster.core.kv.limits import unfit
from cluster.core.kv.ops import (
    COMPACTED,
    FUTURE,
    NO_LEASE,
    NO_SESSION,
    Cas,
    CloseSession,
    Command,
    Compact,
    Delete,
    Deleted,
    DeleteRange,
    Get,
    Grant,
    InSession,
    KeepAlive,
    KeepSession,
    Leased,
    Opened,
    OpenSession,
    Put,
    Range,
    Read,
    Reply,
    Revoke,
    Scan,
    Stamped,
    Timed,
    TimeToLive,
    Txn,
    decode_command,
)
from cluster.core.kv.sessions import Session, Sessions
from cluster.core.kv.txn import transact
from cluster.core.types import KEY_BYTES_MAX, Micros

LEASE_KEYS_SHOWN = 1_000


# All replicas mark the same indexes, so that a monitor can compare their digests.
MARK_EVERY = 16
# The kind of log entry that holds a command; to the store all others are empty.
COMMAND = 1


class Logged(Protocol):
    """A log entry, as far as the store looks at it."""

    @property
    def term(self) -> int: ...
    @property
    def kind(self) -> int: ...
    @property
    def data(self) -> bytes: ...


class _Single(NamedTuple):
    term: int
    kind: int
    data: bytes


class Store(Keyspace):
    """`applied` is the last index, `revision` counts the writes that changed something, `time_us` is the leases' clock."""

    __slots__ = ("applied", "digest", "sessions", "time_us")

    def __init__(self, chars_max: int = STORE_CHARS_MAX) -> None:
        super().__init__(chars_max)
        self.applied = 0
        self.digest = 0
        self.time_us: Micros = 0
        self.sessions = Sessions()

    # ---- entries ----------------------------------------------------------------------------------------------------

    def apply(self, index: int, term: int, kind: int, data: bytes) -> Reply:
        """Apply entry `index` (the next one; anything else is a broken law). Only commands do anything."""
        return self.apply_all(index, (_Single(term, kind, data),))[0]

    def apply_all(self, first: int, entries: Sequence[Logged], marks: list[tuple[int, int, int]] | None = None) -> list[Reply]:
        """Apply the entries from `first` on, which must be the next one; a reply for each.

        `marks` gets (index, term, digest) of each that is to be marked.
        """
        if first != self.applied + 1:
            raise LawBroken("entries apply in order, once", f"entry {first} after {self.applied}")
        replies: list[Reply] = []
        answer, decode, digest = replies.append, decode_command, self.digest
        for index, entry in enumerate(entries, first):
            data = entry.data if entry.kind == COMMAND else b""
            self.applied = index
            # The chain itself covers the index: an entry's place in it.
            self.digest = digest = crc32(data, (digest * 31 + entry.term * 257 + entry.kind + 1) & 0xFFFF_FFFF)
            if not index % MARK_EVERY and marks is not None:
                marks.append((index, entry.term, digest))
            try:
                command = decode(data) if data else None
            except UNDECODABLE as error:
                answer(self.fail(f"log entry holds no write: {error}"))
                continue
            # A short put is the common case, and has nothing in it that could be too large.
            if type(command) is Put and not command.lease and len(data) <= KEY_BYTES_MAX and self._weight <= self._weight_due:
                revision = self.revision + 1
                self.write(command.key, command.value, 0, revision)
                answer(Reply("ok", None, revision))
            else:
                answer(self._reply(command))
        return replies

    def _reply(self, command: Command | None) -> Reply:
        if command is None:
            return Reply("ok", None, self.revision)
        if reason := unfit(command):
            return self.fail(reason)
        return self._perform(command)

    def _perform(self, command: Command | Timed) -> Reply:
        return _COMMANDS[type(command)](self, command)

    def _fail(self, error: str) -> Reply:
        return Reply("fail", None, self.revision, error=error)

    def _put(self, put: Put) -> Reply:
        if (self._weight > self._weight_due or put.lease) and (reason := self.refusal(put.lease)):
            return self.fail(reason)
        revision = self.revision + 1
        self.write(put.key, put.value, put.lease, revision)
        return Reply("ok", None, revision)

    def _cas(self, cas: Cas) -> Reply:
        held = self._items.get(cas.key)
        current = None if held is None else held.value
        if current != cas.expect:
            return Reply("ok", current, self.revision, swapped=False)
        return self._put(Put(cas.key, cas.value, 0 if held is None else held.lease))

    def _delete(self, delete: Delete) -> Reply:
        self.remove(delete.key, self.revision + 1)
        return Reply("ok", None, self.revision)

    def _delete_range(self, delete: DeleteRange) -> Reply:
        return self._removed(self.keys(delete.first, delete.end))

    def _removed(self, keys: list[str]) -> Reply:
        count = self._remove_all(keys)
        return Reply("ok", None, self.revision, body=Deleted(count))

    def _compact(self, compact: Compact) -> Reply:
        if compact.revision <= self.history.compacted:
            return self.fail(COMPACTED)
        if compact.revision > self.revision:
            return self.fail(FUTURE)
        self._forget(compact.revision)
        return Reply("ok", None, self.revision)

    # ---- what depends on time ---------------------------------------------------------------------------------------

    def _stamped(self, stamped: Stamped) -> Reply:
        """Time moves first: what was due before this was proposed is gone before it is performed."""
        self.time_us = max(self.time_us, stamped.at_us)
        for lease in self.leases.due(self.time_us):
            self._remove_all(self.leases.end(lease))
        self.sessions.expire(self.time_us)
        return Reply("ok", None, self.revision) if stamped.write is None else self._perform(stamped.write)

    def due_us(self) -> Micros | None:
        """When, on the leases' clock, something expires next: a leader then puts the time into the log."""
        known = [due for due in (self.leases.earliest_us(self.time_us), self.sessions.earliest_us()) if due is not None]
        return min(known, default=None)

    def _grant(self, grant: Grant) -> Reply:
        if len(self.leases) >= LEASES_MAX:
            return self.fail(f"more than {LEASES_MAX} leases")
        # The index is the id: no two entries have the same one.
        self.leases.put(self.applied, grant.ttl_us, self.time_us + grant.ttl_us)
        return Reply("ok", None, self.revision, body=Leased(self.applied, grant.ttl_us, grant.ttl_us))

    def _keep_alive(self, keep: KeepAlive) -> Reply:
        held = self.leases.renew(keep.lease, self.time_us)
        if held is None:
            return self.fail(NO_LEASE)
        return Reply("ok", None, self.revision, body=Leased(keep.lease, held.ttl_us, held.ttl_us))

    def _revoke(self, revoke: Revoke) -> Reply:
        if revoke.lease not in self.leases:
            return self.fail(NO_LEASE)
        return self._removed(self.leases.end(revoke.lease))

    def _open_session(self, _: OpenSession) -> Reply:
        self.sessions.put(self.applied, Session(self.time_us, self.applied))
        return Reply("ok", None, self.revision, body=Opened(self.applied))

    def _keep_session(self, keep: KeepSession) -> Reply:
        alive = self.sessions.touch(keep.session, self.time_us, self.applied) is not None
        return Reply("ok", None, self.revision) if alive else self.fail(NO_SESSION)

    def _close_session(self, close: CloseSession) -> Reply:
        return Reply("ok", None, self.revision) if self.sessions.end(close.session) else self.fail(NO_SESSION)

    def _in_session(self, once: InSession) -> Reply:
        return self.sessions.once(once, self.time_us, self.applied, self._perform)

    # ---- reads ------------------------------------------------------------------------------------------------------

    def read(self, read: Read, now_us: Micros = 0) -> Reply:
        """What this replica holds. `now_us` is the leases' clock, for what is left of one."""
        if isinstance(read, Get):
            return self.get(read.key, read.revision)
        if isinstance(read, Scan):
            return self.scan(read.prefix, read.limit)
        if isinstance(read, Range):
            return self.fail(reason) if (reason := self.unreadable(read.revision)) else self.page(read, REPLY_CHARS_MAX)
        return self._time_to_live(read, now_us)

    def _time_to_live(self, asked: TimeToLive, now_us: Micros) -> Reply:
        held = self.leases.find(asked.lease)
        if held is None:
            return self.fail(NO_LEASE)
        left_us = max(0, held.deadline_us - max(now_us, self.time_us))
        keys = tuple(sorted(held.keys)[:LEASE_KEYS_SHOWN])
        return Reply("ok", None, self.revision, body=Leased(asked.lease, held.ttl_us, left_us, keys))

    # ---- snapshots --------------------------------------------------------------------------------------------------

    def dump(self) -> bytes:
        """Everything, as bytes that `load` understands. Stores that applied the same entries give the same bytes."""
        return image.to_bytes(self._image())

    @classmethod
    def load(cls, data: bytes | bytearray | memoryview) -> Store:
        """A store that goes on where the dumped one stood. Raises `ProtocolError` for bytes that no store dumped."""
        store = cls()
        store._become(image.from_bytes(data))
        return store

    def _image(self) -> image.Image:
        history = self.history
        return image.Image(
            image.IMAGE_VERSION,
            image.Counters(self.applied, self.revision, self.digest, self.time_us, history.compacted, history.dropped, self._weight_due),
            tuple(self.base()),
            tuple(history.changes),
            tuple(image.LeaseImage(lease, held.ttl_us, held.deadline_us) for lease, held in self.leases.items()),
            tuple(image.SessionImage.of(session, held) for session, held in self.sessions.items()),
        )

    def _become(self, whole: image.Image) -> None:
        counters, history = whole.counters, self.history
        self.applied, self.revision, self.digest = counters.applied, counters.revision, counters.digest
        self.time_us, self._weight_due = counters.time_us, counters.weight_due
        history.compacted, history.dropped = counters.compacted, counters.dropped
        for lease in whole.leases:
            self.leases.put(lease.lease, lease.ttl_us, lease.deadline_us)
        self.replay(whole.base, whole.changes)
        for session in whole.sessions:
            self.sessions.put(session.session, session.state())


_COMMANDS: dict[type, Callable[[Store, Any], Reply]] = {
    Put: Store._put,
    Delete: Store._delete,
    DeleteRange: Store._delete_range,
    Cas: Store._cas,
    Txn: transact,
    Compact: Store._compact,
    Stamped: Store._stamped,
    Grant: Store._grant,
    KeepAlive: Store._keep_alive,
    Revoke: Store._revoke,
    OpenSession: Store._open_session,
    KeepSession: Store._keep_session,
    CloseSession: Store._close_session,
    InSession: Store._in_session,
}
