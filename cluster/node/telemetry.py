"""What a node says of itself: the replica's reports as events, and the periodic state.

Law 1: `at_us` is the machine's true time, whatever the node's own clock believes.
Law 2: reading the state changes nothing, and costs the same whatever the length of the log.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable
from typing import Any, Final

import msgspec

from cluster.core.effects import (
    LeaderCommitted,
    Marked,
    ReplicaEvent,
    RumourHeard,
    ShadowConvicted,
    VerdictChanged,
)
from cluster.core.raft.ready import RoleChanged, StorageStalled, Truncated, VoteDecided, VoteHeard
from cluster.core.replica import Replica
from cluster.core.types import Micros, NodeId, Role, by_number
from cluster.telemetry import events

TERM_RUNS_MAX: Final = 12
PHI_TENTHS_MAX: Final = 999


class EdgeFigures(msgspec.Struct, frozen=True):
    """What the process around the replica adds to its state."""

    epoch: int
    disk_busy_us: Micros
    fsync_us: Micros
    sent: int
    received: int
    dropped: tuple[tuple[NodeId, int], ...]
    rtt: tuple[tuple[NodeId, int], ...]
    telemetry_lost: int
    skew_us: Micros


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
    StorageStalled: _stalled,
    VerdictChanged: _verdict,
    ShadowConvicted: _shadow,
    RumourHeard: _rumour,
    Marked: _marked,
    LeaderCommitted: _committed,
}


def state_of(replica: Replica, edge: EdgeFigures, now: Micros, at_us: Micros) -> events.NodeState:
    """The periodic snapshot. `now` is the node's own time, `at_us` the true one."""
    raft = replica.raft
    leads = replica.role is Role.LEADER
    beliefs = _beliefs(replica, now)
    return events.NodeState(
        node=replica.node,
        at_us=at_us,
        epoch=edge.epoch,
        role=replica.role.value,
        term=raft.term if raft else 0,
        vote=raft.vote if raft else None,
        leader=raft.leader if raft else None,
        commit=raft.commit if raft else 0,
        applied=replica.store.applied,
        last_index=raft.last_index if raft else 0,
        log=tuple(events.TermRun(first, term) for first, term in raft.term_runs(TERM_RUNS_MAX)) if raft else (),
        progress=tuple(events.PeerProgress(*each) for each in raft.progress(now)) if raft and leads else (),
        quorum_age_us=raft.quorum_age_us(now) if raft else -1,
        election_in_us=raft.election_in_us(now) if raft else -1,
        reads_waiting=replica.reads_waiting,
        proposals_waiting=replica.proposals_waiting,
        disk_busy_us=edge.disk_busy_us,
        fsync_us=edge.fsync_us,
        beliefs=beliefs,
        gossip_rounds=replica.gossip.rounds,
        membership_digest=_membership(replica.node, beliefs),
        sent=edge.sent,
        received=edge.received,
        dropped=edge.dropped,
        rtt=edge.rtt,
        cpu_us=time.process_time_ns() // 1_000,
        telemetry_lost=edge.telemetry_lost,
        skew_us=edge.skew_us,
    )


def _beliefs(replica: Replica, now: Micros) -> tuple[events.Belief, ...]:
    gossip = replica.gossip
    return tuple(
        events.Belief(
            opinion.subject,
            opinion.phi_tenths,
            opinion.alive,
            gossip.generation_of(opinion.subject),
            gossip.heartbeat_of(opinion.subject),
            gossip.version_of(opinion.subject),
            opinion.countdown_us,
        )
        for opinion in replica.detector.beliefs(now)
    )


def _membership(node: NodeId, beliefs: tuple[events.Belief, ...]) -> int:
    live = by_number([node, *(belief.node for belief in beliefs if belief.alive)])
    return zlib.crc32(",".join(live).encode())
