"""Profiles: how fast a lab lives, and the mistakes it is told to make.

Law 1: an election needs at least ten times the round trip; a heartbeat is a third of the smallest election timeout or less.
Law 2: what every node does per second shrinks as the nodes grow, so that fifty of them still fit on two cores.
"""

from __future__ import annotations

import msgspec

from cluster.commands.toggles import check_mistakes, with_mistakes
from cluster.commands.words import did_you_mean
from cluster.core.errors import UsageError
from cluster.core.policy import DetectPolicy, GossipPolicy, Policy, RaftPolicy
from cluster.core.types import MS, NODES_MAX, Micros, NodeId
from cluster.telemetry.control import SEED_MAX, LabSpec

_MANY_NODES = 20
STATE_INTERVAL_US: Micros = 100 * MS
_STATE_INTERVAL_MANY_US: Micros = 250 * MS
_GOSSIP_INTERVAL_MANY_US: Micros = 250 * MS

PROFILES: dict[str, Policy] = {
    # The figures of the Raft paper: visible at once on a stage.
    "demo": Policy(),
    # etcd's defaults for one building.
    "lan": Policy(
        raft=RaftPolicy(
            heartbeat_us=100 * MS, election_min_us=1_000 * MS, election_max_us=2_000 * MS,
            storage_stall_us=3_000 * MS, transfer_timeout_us=1_500 * MS,
        ),
        freeze_gap_us=300 * MS,
    ),
    # Between continents.
    "wan": Policy(
        raft=RaftPolicy(
            heartbeat_us=500 * MS, election_min_us=5_000 * MS, election_max_us=10_000 * MS,
            storage_stall_us=12_000 * MS, transfer_timeout_us=6_000 * MS,
        ),
        gossip=GossipPolicy(interval_us=500 * MS),
        detect=DetectPolicy(
            std_floor_us=150 * MS, acceptable_pause_us=1_500 * MS, first_estimate_us=500 * MS, timeout_us=5_000 * MS
        ),
        freeze_gap_us=1_000 * MS,
    ),
}  # fmt: skip


def check_spec(spec: LabSpec) -> None:
    """Raises `UsageError` for a lab that cannot be."""
    if not 1 <= spec.nodes <= NODES_MAX:
        raise UsageError(f"a lab has 1 to {NODES_MAX} nodes, not {spec.nodes}")
    if not 0 <= spec.voters <= spec.nodes:
        raise UsageError(f"{spec.voters} of {spec.nodes} nodes cannot vote")
    if not 0 <= spec.seed <= SEED_MAX:
        raise UsageError(f"a seed is a number from 1 to {SEED_MAX} (0 draws one), not {spec.seed}")
    if spec.profile not in PROFILES:
        raise UsageError(f"there is no profile {spec.profile!r}{did_you_mean(spec.profile, PROFILES)}")
    if not 0 <= spec.workload_rate <= 100_000 or not 1 <= spec.clients <= 32:
        raise UsageError("the workload has 1 to 32 clients and at most 100000 operations per second")
    check_mistakes(spec.mistakes)


def nodes_of(spec: LabSpec) -> tuple[NodeId, ...]:
    return tuple(f"n{number}" for number in range(1, spec.nodes + 1))


def voters_of(spec: LabSpec) -> tuple[NodeId, ...]:
    return nodes_of(spec)[: spec.voters or min(spec.nodes, 5)]


def policy_of(spec: LabSpec) -> Policy:
    """The policy of every process, mistakes included, paced for the number of nodes."""
    policy = spec.policy or _paced(PROFILES[spec.profile], spec.nodes)
    return with_mistakes(policy, spec.mistakes)


def _paced(policy: Policy, nodes: int) -> Policy:
    """Law 2: above twenty nodes gossip slows down, and the detector's evidence with it."""
    if nodes <= _MANY_NODES or policy.gossip.interval_us >= _GOSSIP_INTERVAL_MANY_US:
        return policy
    slower = _GOSSIP_INTERVAL_MANY_US / policy.gossip.interval_us
    detect = policy.detect
    return msgspec.structs.replace(
        policy,
        gossip=msgspec.structs.replace(policy.gossip, interval_us=_GOSSIP_INTERVAL_MANY_US),
        detect=msgspec.structs.replace(
            detect,
            std_floor_us=round(detect.std_floor_us * slower),
            acceptable_pause_us=round(detect.acceptable_pause_us * slower),
            first_estimate_us=round(detect.first_estimate_us * slower),
            timeout_us=round(detect.timeout_us * slower),
        ),
        # Many processes on few cores wait longer for their turn; that wait is no freeze.
        freeze_gap_us=policy.freeze_gap_us * 3,
    )


def state_interval_us(spec: LabSpec) -> Micros:
    return STATE_INTERVAL_US if spec.nodes <= _MANY_NODES else _STATE_INTERVAL_MANY_US
