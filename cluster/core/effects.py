"""Inputs and effects of a whole node's stack: what `Replica.handle(input, now)` takes and returns.

Law 1: a runtime performs effects in the order given; `Persist` may finish later, and then comes back as `Persisted`.
Law 2: an effect is data; nothing here knows what a socket or a disk is.
"""

from __future__ import annotations

import msgspec

from cluster.core.gossip.messages import GossipMessage
from cluster.core.kv.ops import Operation, Reply
from cluster.core.raft.messages import RaftMessage
from cluster.core.raft.ready import Froze, Persist, Persisted, RaftEvent, Tick
from cluster.core.types import Micros, NodeId


class FromPeer(msgspec.Struct, frozen=True):
    """A Raft message from an authenticated peer."""

    sender: NodeId
    message: RaftMessage


class FromGossip(msgspec.Struct, frozen=True):
    """A gossip datagram from an authenticated peer."""

    sender: NodeId
    message: GossipMessage


class FromClient(msgspec.Struct, frozen=True):
    """A client's request; `token` is the runtime's own name for where the answer goes."""

    token: int
    operation: Operation


class Order(msgspec.Struct, frozen=True):
    """An operator's wish that the protocols themselves carry out: `transfer` (argument: node), `rumour` (argument: text)."""

    verb: str
    argument: str


ReplicaInput = Tick | FromPeer | FromGossip | FromClient | Persisted | Order | Froze


class SendPeer(msgspec.Struct, frozen=True):
    to: NodeId
    message: RaftMessage


class SendGossip(msgspec.Struct, frozen=True):
    to: NodeId
    message: GossipMessage


class Answer(msgspec.Struct, frozen=True):
    token: int
    reply: Reply


class VerdictChanged(msgspec.Struct, frozen=True):
    """The deciding detector convicted or cleared `subject`. `silence_us` is how long nothing advanced."""

    subject: NodeId
    convicted: bool
    phi: float
    detector: str
    silence_us: Micros


class ShadowConvicted(msgspec.Struct, frozen=True):
    """A detector that does not decide would have convicted now."""

    subject: NodeId
    detector: str
    silence_us: Micros


class RumourHeard(msgspec.Struct, frozen=True):
    """This node learned version `version` of rumour `key` of `origin` from `teller` (itself, if it is the origin)."""

    key: str
    origin: NodeId
    version: int
    teller: NodeId
    text: str


class Marked(msgspec.Struct, frozen=True):
    """Everything up to `index` is applied here; `digest` chains all of it (state-machine safety, §5.4.3)."""

    index: int
    term: int
    digest: int


class LeaderCommitted(msgspec.Struct, frozen=True):
    """A leader's commit index rose, in its own term."""

    index: int
    term: int


ReplicaEvent = RaftEvent | VerdictChanged | ShadowConvicted | RumourHeard | Marked | LeaderCommitted


class Report(msgspec.Struct, frozen=True):
    """Something a monitor or a person wants to know at once."""

    event: ReplicaEvent


Effect = SendPeer | SendGossip | Persist | Answer | Report
