"""Inputs of the gossip machine and the work it hands out.

Law 1: `sends` go out in order; `evidence` feeds the failure detector; `learned` is reported.
"""

from __future__ import annotations

import msgspec

from cluster.core.gossip.messages import GossipMessage
from cluster.core.types import NodeId


class Tick(msgspec.Struct, frozen=True):
    """Time has passed. Starts a round once `deadline()` is reached; harmless at any other time."""


class Heard(msgspec.Struct, frozen=True):
    """A datagram from an authenticated peer."""

    sender: NodeId
    message: GossipMessage


class SetKey(msgspec.Struct, frozen=True):
    """Publish an application key of this node. Refused (`UsageError`) past the bounds of `state`."""

    key: str
    value: str


class DeleteKey(msgspec.Struct, frozen=True):
    """Bury an application key of this node: a tombstone for the grace period, then nothing."""

    key: str


class Forget(msgspec.Struct, frozen=True):
    """`node` left for good: drop it, and do not let its old state back in through a peer that has not heard (a zombie)."""

    node: NodeId


GossipInput = Tick | Heard | SetKey | DeleteKey | Forget


class RumourHeard(msgspec.Struct, frozen=True):
    """This node learned version `version` of rumour `key` of `origin` from `teller` (itself, if it is the origin)."""

    key: str
    origin: NodeId
    version: int
    teller: NodeId
    text: str


class GossipReady(msgspec.Struct):
    """One step's work. `evidence`: nodes whose generation or heartbeat advanced (never one heard of for the first time)."""

    sends: list[tuple[NodeId, GossipMessage]] = msgspec.field(default_factory=list)
    evidence: list[NodeId] = msgspec.field(default_factory=list)
    learned: list[RumourHeard] = msgspec.field(default_factory=list)
