"""Inputs of the Raft machine and the work it hands out.

Order in which a runtime performs a `Ready`: `persist` is started, `sends` go out (what needed durability is not among them: the
machine holds it back until `Persisted` comes in), `snapshot` replaces the state, `committed` is applied, `reads` are answered,
`events` are reported.

Law 1: every type here is a value: nothing refers back, so the collector of cycles need not know of any (`gc=False`).
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from cluster.core.raft.membership import Membership
from cluster.core.raft.messages import Entry, HardState, RaftMessage, Snapshot
from cluster.core.types import Micros, NodeId, Role


class Tick(msgspec.Struct, frozen=True, gc=False):
    """Time has passed. Sent when `machine.deadline()` is reached; harmless at any other time."""


class Received(msgspec.Struct, frozen=True, gc=False):
    """A message from an authenticated peer."""

    sender: NodeId
    message: RaftMessage


class Persisted(msgspec.Struct, frozen=True, gc=False):
    """Everything of the `Persist` with this token (and all before it) is durable."""

    token: int


class Propose(msgspec.Struct, frozen=True, gc=False):
    """A batch of commands. Answered in `Ready.accepted` (first index, term) or `Ready.refused`."""

    batch: tuple[bytes, ...]


class AskRead(msgspec.Struct, frozen=True, gc=False):
    """A linearizable read: answered by `ReadReady(context, index)`, or `ReadRefused` when this node does not lead.

    `lease`: at once, if the leader's lease holds (that trusts its clock); otherwise like any other.
    """

    context: int
    lease: bool = False


class Transfer(msgspec.Struct, frozen=True, gc=False):
    target: NodeId


class Change(msgspec.Struct, frozen=True, gc=False):
    """Change the group: `add` voters, `remove` voters or learners, `learn`: nodes that get the log and no vote.

    Answered in `Ready.accepted` (index and term of the first step) or `Ready.refused`.
    """

    add: tuple[NodeId, ...] = ()
    remove: tuple[NodeId, ...] = ()
    learn: tuple[NodeId, ...] = ()


class Froze(msgspec.Struct, frozen=True, gc=False):
    """The node's own clock jumped by `gap_us`: timers start anew instead of firing on silence that was our own."""

    gap_us: Micros


class Compact(msgspec.Struct, frozen=True, gc=False):
    """`data` is the state machine after entry `index`, which has been handed out: the log up to there may go."""

    index: int
    data: bytes


RaftInput = Tick | Received | Persisted | Propose | AskRead | Transfer | Change | Froze | Compact


class Persist(msgspec.Struct, frozen=True, gc=False):
    """Make durable, in this order: store `hard`, store `snapshot`, truncate the log from `truncate_from` (if any), append `entries`

    at `first_index`. With a snapshot, `keep_from` is the first entry that the log on disk must still have; `installed` says that
    the snapshot came from a leader and nothing of the log before it counts: it begins anew, after the snapshot.
    """

    token: int
    hard: HardState | None
    truncate_from: int | None
    first_index: int
    entries: tuple[Entry, ...]
    snapshot: Snapshot | None = None
    installed: bool = False
    keep_from: int = 0


class ReadReady(msgspec.Struct, frozen=True, gc=False):
    """Serve the read once `index` is applied."""

    context: int
    index: int


class ReadRefused(msgspec.Struct, frozen=True, gc=False):
    context: int
    reason: str


class RoleChanged(msgspec.Struct, frozen=True, gc=False):
    role: Role
    term: int
    leader: NodeId | None
    why: str


class VoteDecided(msgspec.Struct, frozen=True, gc=False):
    """A vote that this node gave or refused, with the reason in words."""

    candidate: NodeId
    term: int
    pre: bool
    granted: bool
    reason: str


class VoteHeard(msgspec.Struct, frozen=True, gc=False):
    """An answer that this candidate received."""

    voter: NodeId
    term: int
    pre: bool
    granted: bool
    reason: str


class Truncated(msgspec.Struct, frozen=True, gc=False):
    """Entries from `from_index` to `to_index` were overwritten by a newer leader (they were never committed)."""

    from_index: int
    to_index: int
    term: int


class StorageStalled(msgspec.Struct, frozen=True, gc=False):
    """The leader's own disk made no progress: it gives up leadership."""

    since_us: Micros


class SnapshotTaken(msgspec.Struct, frozen=True, gc=False):
    """The state up to `index` is a snapshot of `size_bytes`; the log now begins at `first_index`."""

    index: int
    term: int
    size_bytes: int
    first_index: int


class SnapshotInstalled(msgspec.Struct, frozen=True, gc=False):
    """`leader` sent its snapshot, because the entries that this node lacks are compacted away there."""

    index: int
    term: int
    size_bytes: int
    leader: NodeId


class MembershipChanged(msgspec.Struct, frozen=True, gc=False):
    """Told by a leader: this configuration, at `index` of its log, is in force; or is `committed`, too."""

    index: int
    term: int
    membership: Membership
    committed: bool


RaftEvent = RoleChanged | VoteDecided | VoteHeard | Truncated | StorageStalled | SnapshotTaken | SnapshotInstalled | MembershipChanged


class Ready(msgspec.Struct, gc=False):
    """One step's work. Empty lists mean nothing to do."""

    persist: Persist | None = None
    sends: list[tuple[NodeId, RaftMessage]] = msgspec.field(default_factory=list)
    snapshot: Snapshot | None = None  # the state machine is to become this, before anything is applied
    committed_first: int = 0
    committed: Sequence[Entry] = ()
    leader_commit: int = 0  # a leader's commit index, when it rose
    accepted: tuple[int, int] | None = None
    refused: str = ""
    reads: list[ReadReady | ReadRefused] = msgspec.field(default_factory=list)
    events: list[RaftEvent] = msgspec.field(default_factory=list)
