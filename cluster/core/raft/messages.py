"""What Raft peers say to each other (Ongaro & Ousterhout 2014, figure 2).

Law 1: every message carries its sender's term, answers included, so that whoever is behind learns it.
Law 2: the sender's identity comes from the authenticated connection, never from the message.
Law 3: every type here is a value: nothing refers back, so the collector of cycles need not know of any (`gc=False`).
"""

from __future__ import annotations

from enum import IntEnum

import msgspec

from cluster.core.raft.membership import Membership
from cluster.core.types import NodeId


class EntryKind(IntEnum):
    NOOP = 0  # a new leader's first entry (§8: it learns what is committed)
    COMMAND = 1
    CONFIG = 2  # a `Membership`, in force from the moment it is appended


class Entry(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One log entry. Its index is its place: the first entry of an `Append` sits at `prev_index + 1`."""

    term: int
    kind: int
    data: bytes


class RequestVote(msgspec.Struct, frozen=True, array_like=True, tag="rv", gc=False):
    """`pre=True` asks "would you vote for me in `term`?" and changes nothing at either end (dissertation §9.6).

    `transfer=True` says the old leader asked for this election, so the lease of a live leader does not refuse it (§4.2.3).
    """

    term: int
    last_index: int
    last_term: int
    pre: bool = False
    transfer: bool = False


class Vote(msgspec.Struct, frozen=True, array_like=True, tag="v", gc=False):
    """The answer. `term` is the term asked about when granted, the voter's own when refused. `reason` is for people."""

    term: int
    granted: bool
    pre: bool = False
    reason: str = ""


class Append(msgspec.Struct, frozen=True, array_like=True, tag="ae", gc=False):
    """Entries after `prev_index`, or none: a heartbeat. `seq` rises with each broadcast of one leader in one term:

    an answer with `seq >= s` proves that the follower still followed when broadcast `s` went out (ReadIndex, check-quorum).
    """

    term: int
    prev_index: int
    prev_term: int
    entries: tuple[Entry, ...]
    commit: int
    seq: int


class Appended(msgspec.Struct, frozen=True, array_like=True, tag="ar", gc=False):
    """Accepted: everything up to `match_index` is durable here. Refused: `hint_index`/`hint_term` say where to look next

    (§5.3, the conflict hint: the first index the follower holds of the conflicting term, or its last index + 1 when it is short);
    `match_index` then repeats the refused `prev_index`, so that a late refusal can be told from a present one.
    """

    term: int
    accepted: bool
    match_index: int
    hint_index: int
    hint_term: int
    seq: int


class Install(msgspec.Struct, frozen=True, array_like=True, tag="is", gc=False):
    """A piece of the snapshot that ends at (`index`, `last_term`): `data` from byte `offset` of `total` (§7).

    A follower takes the piece that begins where it ends, and drops any other. Without data: a heartbeat that asks how far it is.
    """

    term: int
    index: int
    last_term: int
    membership: Membership
    total: int
    offset: int
    data: bytes
    seq: int


class Installing(msgspec.Struct, frozen=True, array_like=True, tag="ir", gc=False):
    """The answer: so many bytes of snapshot `index` are here. The last piece is answered by `Appended`, once it is durable."""

    term: int
    index: int
    offset: int
    seq: int


class TimeoutNow(msgspec.Struct, frozen=True, array_like=True, tag="tn", gc=False):
    """The leader hands over: campaign at once (dissertation §3.10)."""

    term: int


RaftMessage = RequestVote | Vote | Append | Appended | Install | Installing | TimeoutNow


class HardState(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What must be durable before any answer: term and vote, in one atomic record."""

    term: int = 0
    vote: NodeId | None = None


class Snapshot(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The state machine after entry `index` of `term`, and who belonged to the group then. Stands for the log up to there."""

    index: int
    term: int
    membership: Membership
    data: bytes
