"""What a node says of itself from time to time: its state.

The same from a node process and from the simulator.

Law 1: `at_us` is the machine's true time, whatever the node's own clock believes.
Law 2: reading the state changes nothing, and costs the same whatever the length of the log.
"""

from __future__ import annotations

import zlib
from typing import Final

import msgspec

from cluster.core.replica import Replica
from cluster.core.types import Micros, NodeId, Role, by_number
from cluster.telemetry import events

TERM_RUNS_MAX: Final = 12


class EdgeFigures(msgspec.Struct, frozen=True):
    """What the process around the replica adds to its state."""

    epoch: int
    disk_busy_us: Micros
    fsync_us: Micros
    sent: int
    received: int
    dropped: tuple[tuple[NodeId, int], ...]
    rtt: tuple[tuple[NodeId, int], ...]
    cpu_us: Micros
    telemetry_lost: int
    skew_us: Micros


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
        cpu_us=edge.cpu_us,
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
