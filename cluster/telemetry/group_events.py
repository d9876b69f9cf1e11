"""What nodes tell of their Raft group beside roles, votes and commits. Part of the one union in `events`."""

from __future__ import annotations

import msgspec

from cluster.core.raft.membership import Membership
from cluster.core.types import Micros, NodeId


class GroupChanged(msgspec.Struct, frozen=True, array_like=True, tag="group"):
    """A leader says who counts from entry `index` of its log on; `committed` tells whether that can still be undone."""

    node: NodeId
    at_us: Micros
    index: int
    term: int
    membership: Membership
    committed: bool


class SnapshotMade(msgspec.Struct, frozen=True, array_like=True, tag="snap"):
    """The state up to `index` is a snapshot; `leader` sent it, or "" when the node made it. The log begins at `first_index`."""

    node: NodeId
    at_us: Micros
    index: int
    term: int
    size_bytes: int
    first_index: int
    leader: NodeId


class NodeEnlisted(msgspec.Struct, frozen=True, array_like=True, tag="enlist"):
    """The lab has one node more than when it was opened (the supervisor's word)."""

    at_us: Micros
    node: NodeId
