"""What a client may ask of the key-value store, and what it hears back.

Law 1: a reply is `ok`, `fail` (certainly did not happen) or `unknown` (may have happened, or may yet).
Law 2: every type here is a value: nothing refers back, so the collector of cycles need not know of any (`gc=False`).
Law 3: what a client may send (`Operation`) and what a log entry may hold (`Command`) differ: only a leader stamps time.

A range of keys is `[first, end)` in the order of code points; `end=None` means to the last key (`span.py` makes others).
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from cluster.core.errors import UNDECODABLE, ProtocolError
from cluster.core.types import Micros, NodeId

# The texts of definite refusals that a client may want to tell apart (etcd's words where it has them).
COMPACTED = "required revision has been compacted"
FUTURE = "required revision is a future revision"
NO_LEASE = "requested lease not found"
NO_SESSION = "session expired or never opened"
NO_SPACE = "database space exceeded"
SLOW_WATCHER = "watcher too slow: batches not acknowledged while the store went on"

LINEARIZABLE, LEASE, SERIALIZABLE = MODES = "linearizable", "lease", "serializable"


# ---- keys and values ------------------------------------------------------------------------------------------------


class Put(msgspec.Struct, frozen=True, array_like=True, tag="put", gc=False):
    """`lease`: the key goes when that lease does; 0 binds it to none, and unbinds it."""

    key: str
    value: str
    lease: int = 0


class Get(msgspec.Struct, frozen=True, array_like=True, tag="get", gc=False):
    """`mode`: "linearizable" (ReadIndex), "lease" (trusts the leader's clock) or "serializable" (whatever this replica holds).

    `revision`: as of then; 0 is now.
    """

    key: str
    mode: str = LINEARIZABLE
    revision: int = 0


class Delete(msgspec.Struct, frozen=True, array_like=True, tag="del", gc=False):
    key: str


class DeleteRange(msgspec.Struct, frozen=True, array_like=True, tag="delr", gc=False):
    """Every key in `[first, end)`, under one revision."""

    first: str
    end: str | None = None


class Cas(msgspec.Struct, frozen=True, array_like=True, tag="cas", gc=False):
    """Set `key` to `value` if it now holds `expect` (None: if it does not exist)."""

    key: str
    expect: str | None
    value: str


class Scan(msgspec.Struct, frozen=True, array_like=True, tag="scan", gc=False):
    """Keys with this prefix and their values, all or (beyond one frame) a failure: for those who must miss nothing."""

    prefix: str
    limit: int = 10_000
    mode: str = LINEARIZABLE


class Range(msgspec.Struct, frozen=True, array_like=True, tag="range", gc=False):
    """Keys in `[first, end)` with their revisions, a page at a time (`Page.more`), as of `revision` (0 is now)."""

    first: str
    end: str | None = None
    limit: int = 1_000
    revision: int = 0
    mode: str = LINEARIZABLE


class Compact(msgspec.Struct, frozen=True, array_like=True, tag="compact", gc=False):
    """Forget what was overwritten up to `revision`: no read before it, no watch from it or before."""

    revision: int


# ---- transactions ---------------------------------------------------------------------------------------------------


class Compare(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """`target`: "value" | "version" | "create" | "mod" | "lease"; `relation`: "=" | "!=" | "<" | ">".

    A key that does not exist has version, revisions and lease 0, and no value: any comparison of its value is false.
    """

    key: str
    target: str
    relation: str
    operand: str | int


TxnStep = Put | Delete | DeleteRange | Range


class Txn(msgspec.Struct, frozen=True, array_like=True, tag="txn", gc=False):
    """If all of `compares` hold, `then`, else `otherwise`: at once, under one revision. A key may be written once."""

    compares: tuple[Compare, ...]
    then: tuple[TxnStep, ...]
    otherwise: tuple[TxnStep, ...] = ()


# ---- leases ---------------------------------------------------------------------------------------------------------


class Grant(msgspec.Struct, frozen=True, array_like=True, tag="grant", gc=False):
    """A new lease. It expires when `ttl_us` went by on the leader's clock without a `KeepAlive`, and never sooner."""

    ttl_us: Micros


class KeepAlive(msgspec.Struct, frozen=True, array_like=True, tag="alive", gc=False):
    lease: int


class Revoke(msgspec.Struct, frozen=True, array_like=True, tag="revoke", gc=False):
    """End a lease now, and the keys that are bound to it."""

    lease: int


class TimeToLive(msgspec.Struct, frozen=True, array_like=True, tag="ttl", gc=False):
    """A linearizable read of one lease."""

    lease: int


# ---- sessions (dissertation ch. 6.3) --------------------------------------------------------------------------------


class OpenSession(msgspec.Struct, frozen=True, array_like=True, tag="open", gc=False):
    pass


class KeepSession(msgspec.Struct, frozen=True, array_like=True, tag="keep", gc=False):
    """A sign of life from a client that has nothing else to say."""

    session: int


class CloseSession(msgspec.Struct, frozen=True, array_like=True, tag="close", gc=False):
    session: int


Write = Put | Delete | DeleteRange | Cas | Txn | Grant | KeepAlive | Revoke


class InSession(msgspec.Struct, frozen=True, array_like=True, tag="once", gc=False):
    """`write`, at most once however often it is sent: `sequence` names it within the session.

    `unanswered` is the lowest sequence whose answer the client still waits for: older answers need not be kept.
    """

    session: int
    sequence: int
    unanswered: int
    write: Write


# ---- watches --------------------------------------------------------------------------------------------------------


class Watch(msgspec.Struct, frozen=True, array_like=True, tag="watch", gc=False):
    """Changes of keys in `[first, end)` from `revision` on (0: from now on), as a stream of replies with `Changes`."""

    first: str
    end: str | None = None
    revision: int = 0


class Acknowledge(msgspec.Struct, frozen=True, array_like=True, tag="ack", gc=False):
    """`batches` more of the watch that this client asked for under the request id `watch` are dealt with. Not answered."""

    watch: int
    batches: int = 1


class Unwatch(msgspec.Struct, frozen=True, array_like=True, tag="unwatch", gc=False):
    """End a watch. Its stream ends with a reply without `more`; this request itself is not answered."""

    watch: int


# ---- unions ---------------------------------------------------------------------------------------------------------

Read = Get | Scan | Range | TimeToLive
SessionWrite = OpenSession | KeepSession | CloseSession | InSession
Submitted = Write | Compact | SessionWrite
WatchOrder = Watch | Acknowledge | Unwatch
Operation = Read | Submitted | WatchOrder

# For `isinstance`, which looks through a tuple several times faster than through a union.
READS = (Get, Scan, Range, TimeToLive)
WATCH_ORDERS = (Watch, Acknowledge, Unwatch)
UNTIMED = (Put, Cas, Delete, DeleteRange, Txn, Compact)

# What depends on time when it is applied, so that the leader's clock has to go into the log with it.
Timed = Grant | KeepAlive | Revoke | SessionWrite


class Stamped(msgspec.Struct, frozen=True, array_like=True, tag="at", gc=False):
    """The leader's lease clock, and what it was read for; alone, it makes what is due expire.

    What depends on time and is not stamped happens at the latest time that was.
    """

    at_us: Micros
    write: Timed | None = None


Command = Submitted | Stamped

# A command as the data of a log entry. Equal commands give equal bytes.
encode_write: Callable[[Command], bytes] = msgspec.msgpack.Encoder().encode
_decode: msgspec.msgpack.Decoder[Command] = msgspec.msgpack.Decoder(Command)


# The same for whoever decodes many; raises one of `UNDECODABLE`.
decode_command = _decode.decode


def decode_write(data: bytes) -> Command:
    """The command in a log entry. Raises `ProtocolError` for bytes that are none; it does so alike on every replica."""
    try:
        return decode_command(data)
    except UNDECODABLE as error:
        raise ProtocolError(f"log entry holds no write: {error}") from error


# ---- replies --------------------------------------------------------------------------------------------------------


class KeyValue(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A key's value, the revisions that created it and wrote it last, its writes since it came into being, its lease.

    As a change: `version` 0 says that the key was deleted at `mod_revision`.
    """

    key: str
    value: str
    create_revision: int
    mod_revision: int
    version: int
    lease: int = 0


class Page(msgspec.Struct, frozen=True, array_like=True, tag="page", gc=False):
    """`more`: keys are left, ask again from the last one + "\\0". `count`: keys in the whole range."""

    items: tuple[KeyValue, ...]
    more: bool
    count: int


class Branch(msgspec.Struct, frozen=True, array_like=True, tag="branch", gc=False):
    """What a transaction did: whether the comparisons held, and a reply for each step of the branch."""

    succeeded: bool
    replies: tuple[Reply, ...]


class Leased(msgspec.Struct, frozen=True, array_like=True, tag="leased", gc=False):
    """A lease, what is left of it by the leader's clock, and (to `TimeToLive`) the first of its keys."""

    lease: int
    ttl_us: Micros
    left_us: Micros
    keys: tuple[str, ...] = ()


class Opened(msgspec.Struct, frozen=True, array_like=True, tag="opened", gc=False):
    session: int


class Deleted(msgspec.Struct, frozen=True, array_like=True, tag="deleted", gc=False):
    count: int


class Changes(msgspec.Struct, frozen=True, array_like=True, tag="changes", gc=False):
    """Changes in the order of their revisions; one revision's may be spread over several batches. Empty: the watch stands."""

    changes: tuple[KeyValue, ...]


Body = Page | Branch | Leased | Opened | Deleted | Changes


class Reply(msgspec.Struct, frozen=True, array_like=True, tag="rep", gc=False):
    """`revision` is the store's revision after a write, or at the read. `items` is filled by `Scan` only.

    `swapped` is False when a compare-and-set met another value: that is an `ok` outcome, and the write did not happen.
    `leader` hints where to go after a `fail` with error "not leader". `body` is for what only some operations tell.
    """

    outcome: str  # "ok" | "fail" | "unknown"
    value: str | None = None
    revision: int = 0
    swapped: bool = True
    error: str = ""
    leader: NodeId | None = None
    items: tuple[tuple[str, str], ...] = ()
    body: Body | None = None
