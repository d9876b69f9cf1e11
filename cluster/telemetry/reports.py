"""A replica's reports as telemetry: the same events from a node process and from the simulator.

Law 1: `at_us` is true time, whatever the node's own clock believes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from cluster.core.effects import (
    LeaderCommitted,
    Marked,
    ReplicaEvent,
    RumourHeard,
    ShadowConvicted,
    VerdictChanged,
)
from cluster.core.raft.ready import (
    MembershipChanged,
    RoleChanged,
    SnapshotInstalled,
    SnapshotTaken,
    StorageStalled,
    Truncated,
    VoteDecided,
    VoteHeard,
)
from cluster.core.types import Micros, NodeId
from cluster.telemetry import events

PHI_TENTHS_MAX: Final = 999


def event_of(node: NodeId, at_us: Micros, event: ReplicaEvent) -> events.NodeEvent | None:
    """The telemetry of a replica's report; None for what nobody outside needs."""
    return _EVENTS[type(event)](node, at_us, event)


def _tenths(phi: float) -> int:
    return max(-1, min(PHI_TENTHS_MAX, round(phi * 10)))


def _role(node: NodeId, at_us: Micros, e: RoleChanged) -> events.NodeEvent:
    return events.RoleTaken(node, at_us, e.role.value, e.term, e.leader, e.why)


def _vote(node: NodeId, at_us: Micros, e: VoteDecided) -> events.NodeEvent:
    return events.VoteGiven(node, at_us, e.candidate, e.term, e.pre, e.granted, e.reason)


def _truncated(node: NodeId, at_us: Micros, e: Truncated) -> events.NodeEvent:
    return events.LogTruncated(node, at_us, e.from_index, e.to_index, e.term)


def _snapshot(node: NodeId, at_us: Micros, e: SnapshotTaken) -> events.NodeEvent:
    return events.SnapshotMade(node, at_us, e.index, e.term, e.size_bytes, e.first_index, "")


def _installed(node: NodeId, at_us: Micros, e: SnapshotInstalled) -> events.NodeEvent:
    return events.SnapshotMade(node, at_us, e.index, e.term, e.size_bytes, e.index + 1, e.leader)


def _group(node: NodeId, at_us: Micros, e: MembershipChanged) -> events.NodeEvent:
    return events.GroupChanged(node, at_us, e.index, e.term, e.membership, e.committed)


def _stalled(node: NodeId, at_us: Micros, e: StorageStalled) -> events.NodeEvent:
    return events.DiskStalled(node, at_us, e.since_us)


def _verdict(node: NodeId, at_us: Micros, e: VerdictChanged) -> events.NodeEvent:
    return events.Verdict(node, at_us, e.subject, e.convicted, _tenths(e.phi), e.detector, e.silence_us)


def _shadow(node: NodeId, at_us: Micros, e: ShadowConvicted) -> events.NodeEvent:
    return events.Shadow(node, at_us, e.subject, e.detector, e.silence_us)


def _rumour(node: NodeId, at_us: Micros, e: RumourHeard) -> events.NodeEvent:
    return events.RumourLearned(node, at_us, e.key, e.origin, e.version, e.teller, e.text)


def _marked(node: NodeId, at_us: Micros, e: Marked) -> events.NodeEvent:
    return events.AppliedMark(node, at_us, e.index, e.term, e.digest)


def _committed(node: NodeId, at_us: Micros, e: LeaderCommitted) -> events.NodeEvent:
    return events.LeaderCommit(node, at_us, e.index, e.term)


def _nothing(node: NodeId, at_us: Micros, e: VoteHeard) -> None:
    """The voter itself has reported its vote; the candidate's hearing of it would only double the line."""


_EVENTS: dict[type, Callable[[NodeId, Micros, Any], events.NodeEvent | None]] = {
    RoleChanged: _role,
    VoteDecided: _vote,
    VoteHeard: _nothing,
    Truncated: _truncated,
    SnapshotTaken: _snapshot,
    MembershipChanged: _group,
    SnapshotInstalled: _installed,
    StorageStalled: _stalled,
    VerdictChanged: _verdict,
    ShadowConvicted: _shadow,
    RumourHeard: _rumour,
    Marked: _marked,
    LeaderCommitted: _committed,
}
