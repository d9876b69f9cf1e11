"""Inputs and effects of a whole node's stack: what `Replica.handle(input, now)` takes and returns.

Law 1: a runtime performs effects in the order given; `Persist` may finish later, and then comes back as `Persisted`.
Law 2: an effect is data; nothing here knows what a socket or a disk is.
Law 3: every type here is a value: nothing refers back, so the collector of cycles need not know of any (`gc=False`).
"""

from __future__ import annotations

import msgspec

# What the machines report is defined beside them; here it joins the one vocabulary.
from cluster.core.detect.ready import ShadowConvicted as ShadowConvicted
from cluster.core.detect.ready import VerdictChanged as VerdictChanged
from cluster.core.gossip.messages import GossipMessage
from cluster.core.gossip.ready import RumourHeard as RumourHeard
from cluster.core.kv.ops import Operation, Reply
from cluster.core.raft.messages import RaftMessage
from cluster.core.raft.ready import Change, Froze, Persist, Persisted, RaftEvent, Received, Tick
from cluster.core.types import NodeId

# A Raft message from an authenticated peer: Raft takes it as it is.
FromPeer = Received


class FromGossip(msgspec.Struct, frozen=True, gc=False):
    """A gossip datagram from an authenticated peer."""

    sender: NodeId
    message: GossipMessage


class FromClient(msgspec.Struct, frozen=True, gc=False):
    """A client's request; `token` is the runtime's own name for where the answer goes.

    `Acknowledge` and `Unwatch` come with the token of the watch that they are about, and have no answer of their own.
    """

    token: int
    operation: Operation


class FromClients(msgspec.Struct, frozen=True, gc=False):
    """Requests that arrived together: their writes become one proposal, their reads share one confirmation."""

    requests: tuple[FromClient, ...]


class Order(msgspec.Struct, frozen=True, gc=False):
    """An operator's wish that the protocols themselves carry out: `transfer` (argument: node), `rumour` (text),

    `add`, `learn`, `remove` (nodes), `replace` (old node, new node). One that cannot be done now raises `UsageError`.
    """

    verb: str
    argument: str


GROUP_VERBS = ("add", "learn", "remove", "replace")


def change_of(order: Order) -> Change:
    """The change of the group that an order with one of `GROUP_VERBS` asks for."""
    nodes = tuple(order.argument.split())
    match order.verb:
        case "learn":
            return Change(learn=nodes)
        case "remove":
            return Change(remove=nodes)
        case "replace":
            return Change(add=nodes[1:], remove=nodes[:1])
    return Change(add=nodes)


class Met(msgspec.Struct, frozen=True, gc=False):
    """These nodes exist, too: to be gossiped with and watched. Whether they vote is the group's own business."""

    nodes: tuple[NodeId, ...]


ReplicaInput = Tick | FromPeer | FromGossip | FromClient | FromClients | Persisted | Order | Met | Froze


class SendPeer(msgspec.Struct, frozen=True, gc=False):
    to: NodeId
    message: RaftMessage


class SendGossip(msgspec.Struct, frozen=True, gc=False):
    to: NodeId
    message: GossipMessage


class Answer(msgspec.Struct, frozen=True, gc=False):
    """`more`: others follow under the same token (a watch)."""

    token: int
    reply: Reply
    more: bool = False


class Marked(msgspec.Struct, frozen=True, gc=False):
    """Everything up to `index` is applied here; `digest` chains all of it (state-machine safety, §5.4.3)."""

    index: int
    term: int
    digest: int


class LeaderCommitted(msgspec.Struct, frozen=True, gc=False):
    """A leader's commit index rose, in its own term."""

    index: int
    term: int


ReplicaEvent = RaftEvent | VerdictChanged | ShadowConvicted | RumourHeard | Marked | LeaderCommitted


class Report(msgspec.Struct, frozen=True, gc=False):
    """Something a monitor or a person wants to know at once."""

    event: ReplicaEvent


Effect = SendPeer | SendGossip | Persist | Answer | Report
