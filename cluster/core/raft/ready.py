"""Inputs of the Raft machine and the work it hands out.

Order in which a runtime performs a `Ready`: `persist` is started, `sends` go out (what needed durability is not among them: the
machine holds it back until `Persisted` comes in), `committed` is applied, `reads` are answered, `events` are reported.
"""

from __future__ import annotations

import msgspec

from cluster.core.raft.messages import Entry, HardState, RaftMessage
from cluster.core.types import Micros, NodeId, Role


class Tick(msgspec.Struct, frozen=True):
    """Time has passed. Sent when `machine.deadline()` is reached; harmless at any other time."""


class Received(msgspec.Struct, frozen=True):
    sender: NodeId
    message: RaftMessage


class Persisted(msgspec.Struct, frozen=True):
    """Everything of the `Persist` with this token (and all before it) is durable."""

    token: int


class Propose(msgspec.Struct, frozen=True):
    """A batch of commands. Answered in `Ready.accepted` (first index, term) or `Ready.refused`."""

    batch: tuple[bytes, ...]


class AskRead(msgspec.Struct, frozen=True):
    """A linearizable read: answered by `ReadReady(context, index)`, or `ReadRefused` when this node does not lead."""

    context: int


class Transfer(msgspec.Struct, frozen=True):
    target: NodeId


class Froze(msgspec.Struct, frozen=True):
    """The node's own clock jumped by `gap_us`: timers start anew instead of firing on silence that was our own."""

    gap_us: Micros


RaftInput = Tick | Received | Persisted | Propose | AskRead | Transfer | Froze


class Persist(msgspec.Struct, frozen=True):
    """Make durable, in this order: truncate the log from `truncate_from` (if any), append `entries` at `first_index`, store `hard`."""

    token: int
    hard: HardState | None
    truncate_from: int | None
    first_index: int
    entries: tuple[Entry, ...]


class ReadReady(msgspec.Struct, frozen=True):
    """Serve the read once `index` is applied."""

    context: int
    index: int


class ReadRefused(msgspec.Struct, frozen=True):
    context: int
    reason: str


class RoleChanged(msgspec.Struct, frozen=True):
    role: Role
    term: int
    leader: NodeId | None
    why: str


class VoteDecided(msgspec.Struct, frozen=True):
    """A vote that this node gave or refused, with the reason in words."""

    candidate: NodeId
    term: int
    pre: bool
    granted: bool
    reason: str


class VoteHeard(msgspec.Struct, frozen=True):
    """An answer that this candidate received."""

    voter: NodeId
    term: int
    pre: bool
    granted: bool
    reason: str


class Truncated(msgspec.Struct, frozen=True):
    """Entries from `from_index` to `to_index` were overwritten by a newer leader (they were never committed)."""

    from_index: int
    to_index: int
    term: int


class StorageStalled(msgspec.Struct, frozen=True):
    """The leader's own disk made no progress: it gives up leadership."""

    since_us: Micros


RaftEvent = RoleChanged | VoteDecided | VoteHeard | Truncated | StorageStalled


class Ready(msgspec.Struct):
    """One step's work. Empty lists mean nothing to do."""

    persist: Persist | None = None
    sends: list[tuple[NodeId, RaftMessage]] = msgspec.field(default_factory=list)
    committed_first: int = 0
    committed: list[Entry] = msgspec.field(default_factory=list)
    accepted: tuple[int, int] | None = None
    refused: str = ""
    reads: list[ReadReady | ReadRefused] = msgspec.field(default_factory=list)
    events: list[RaftEvent] = msgspec.field(default_factory=list)
