"""What decides a run, and what its seed makes of the rest.

Law 1: two equal setups are the same run.
Law 2: a seed draws its own surroundings as well: a mix of few faults on a quick network finds other mistakes than all faults on
       a slow one ("swarm testing", Groce et al. 2012).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from cluster.commands.toggles import check_mistakes, with_mistakes
from cluster.commands.words import did_you_mean
from cluster.core.errors import UsageError
from cluster.core.policy import DetectPolicy, GossipPolicy, Policy, RaftPolicy
from cluster.core.types import MS, NODES_MAX, SECOND, Micros, NodeId
from cluster.sim.dice import SeededDice

# Kinds of faults that a run may draw from, each with what it is good for.
# A new kind needs a line here, its stories in `schedule.STORIES`, and somebody who carries it out in `world.World`.
FAULTS: Mapping[str, str] = MappingProxyType(
    {
        "crash": "processes end, alone or all at once, and come back with what their disks hold",
        "cut": "links carry nothing: sides, one way, rings, bridges, lonely nodes",
        "pause": "processes stand still, and wake up with old mail",
        "slow": "links take longer",
        "loss": "links lose messages",
        "dup": "links deliver twice",
        "reorder": "links deliver late messages after newer ones",
        "throttle": "links are narrow",
        "disk": "disks are slow, or hang",
        "skew": "clocks step",
        "drift": "clocks run fast or slow",
        "transfer": "leaders are told to hand over",
        "group": "voters leave, join, learn and take each other's place, one by one or several at once",
    }
)
CLOCK_FAULTS = ("skew", "drift")
STEPS_DEFAULT = 20_000
STEPS_MAX = 1_000_000_000
CLIENTS_MAX = 1_000
_ELECTION_US_MIN: Micros = 3  # a heartbeat is a third of it
_GOSSIP_US: Micros = SECOND


class Setup(msgspec.Struct, frozen=True, kw_only=True):
    """One run. `schedule` lists faults in the operators' grammar ("at 1.2 crash leader for 300ms"); None: drawn from the seed.

    `clients` and `think_us` (pause of a client between two operations) are drawn when 0; `calm` means a quick, even network and
    quick disks instead of drawn ones. `election_us`: bounds of the election timeout instead of the paper's, with a heartbeat of a third
    of the lower one.
    """

    seed: int
    nodes: int = 5
    steps: int = STEPS_DEFAULT
    faults: tuple[str, ...] = tuple(FAULTS)
    mistakes: tuple[str, ...] = ()
    schedule: tuple[str, ...] | None = None
    clients: int = 0
    think_us: Micros = 0
    calm: bool = False
    election_us: tuple[Micros, Micros] | None = None

    @property
    def members(self) -> tuple[NodeId, ...]:
        return tuple(f"n{number}" for number in range(1, self.nodes + 1))

    @property
    def voters(self) -> tuple[NodeId, ...]:
        return self.members[: min(self.nodes, 5)]


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """What a seed draws for itself. Latencies are one way, `spread_us` uniform on top; `tail` of the messages take much longer."""

    latency_us: Micros
    spread_us: Micros
    tail: float
    in_order: bool  # a link is a connection; otherwise every message finds its own way
    disk_us: Micros  # of a typical synced write
    batch_us: Micros  # how long a node gathers requests before it handles them together; 0: not at all
    snapshot_every: int  # entries between two snapshots of a node, and how many of them it keeps in its log
    snapshot_trailing: int
    clients: int
    think_us: Micros
    lease_reads: bool  # half of the reads trust the leader's clock: where clocks are tampered with they may be stale, and rightly so
    faults: tuple[str, ...]
    gap_us: Micros  # typical time between two faults
    fault_us: Micros  # typical length of one


def check_setup(setup: Setup) -> None:
    """Raises `UsageError` for a run that cannot be."""
    if not 1 <= setup.nodes <= NODES_MAX:
        raise UsageError(f"a simulated cluster has 1 to {NODES_MAX} nodes, not {setup.nodes}")
    if not 1 <= setup.steps <= STEPS_MAX:
        raise UsageError(f"a run has 1 to {STEPS_MAX} steps, not {setup.steps}")
    if not (0 <= setup.clients <= CLIENTS_MAX and setup.think_us >= 0):
        asked = f"{setup.clients} clients, {setup.think_us} µs"
        raise UsageError(f"a run has 0 to {CLIENTS_MAX} clients, and none thinks for less than no time: {asked}")
    least, most = setup.election_us or (_ELECTION_US_MIN, _ELECTION_US_MIN)
    if not _ELECTION_US_MIN <= least <= most:
        raise UsageError(f"no election timeout lies between {least} and {most} µs")
    for fault in setup.faults:
        if fault not in FAULTS:
            raise UsageError(f"there is no kind of fault {fault!r}{did_you_mean(fault, FAULTS)}: {', '.join(FAULTS)}")
    check_mistakes(setup.mistakes)


def policy_of(setup: Setup, around: Surroundings) -> Policy:
    """The paper's pace, with gossip (which is not what is on trial here) at a tenth of a laboratory's."""
    raft = RaftPolicy(snapshot_every=around.snapshot_every, snapshot_trailing=around.snapshot_trailing)
    if setup.election_us is not None:
        least, most = setup.election_us
        raft = msgspec.structs.replace(raft, heartbeat_us=least // 3, election_min_us=least, election_max_us=most)
    policy = Policy(
        raft=raft,
        gossip=GossipPolicy(interval_us=_GOSSIP_US),
        detect=DetectPolicy(
            std_floor_us=_GOSSIP_US * 3 // 10,
            acceptable_pause_us=_GOSSIP_US * 3 // 2,
            first_estimate_us=_GOSSIP_US,
            timeout_us=_GOSSIP_US * 10,
        ),
    )
    return with_mistakes(policy, setup.mistakes)


def surroundings_of(setup: Setup) -> Surroundings:
    """Drawn from the seed alone, whatever the setup says besides; then the setup's own wishes are put in force."""
    dice = SeededDice(setup.seed, "surroundings")
    latency_us = dice.choice((60, 200, 200, 1_000, 5_000))
    drawn = Surroundings(
        latency_us=latency_us,
        spread_us=latency_us * dice.choice((1, 2, 8)),
        tail=dice.choice((0.0, 0.0, 0.01, 0.05)),
        in_order=dice.chance(0.5),
        disk_us=dice.choice((40, 300, 300, 2_000, 10_000)),
        batch_us=dice.choice((0, 0, 500)),
        snapshot_every=dice.choice((40, 150, 10_000)),
        snapshot_trailing=dice.choice((0, 15, 100)),
        clients=dice.between(1, 6),
        think_us=dice.choice((2 * MS, 10 * MS, 30 * MS, 100 * MS, 400 * MS)),
        lease_reads=_clocks_are_true(setup),
        faults=_mix(setup),
        gap_us=dice.choice((60 * MS, 250 * MS, 600 * MS, 1_500 * MS)),
        fault_us=dice.choice((80 * MS, 300 * MS, 700 * MS, 1_500 * MS)),
    )
    if setup.calm:
        drawn = msgspec.structs.replace(drawn, latency_us=200, spread_us=100, tail=0.0, in_order=True, disk_us=100, batch_us=0)
    return msgspec.structs.replace(drawn, clients=setup.clients or drawn.clients, think_us=setup.think_us or drawn.think_us)


def _clocks_are_true(setup: Setup) -> bool:
    if setup.schedule is not None:
        return not any(clock in line for line in setup.schedule for clock in CLOCK_FAULTS)
    return not any(clock in _mix(setup) for clock in CLOCK_FAULTS)


def _mix(setup: Setup) -> tuple[str, ...]:
    """Each kind or not, by the toss of a coin of its own; at least one if there is any."""
    dice = SeededDice(setup.seed, "mix")
    share = dice.choice((0.3, 0.6, 1.0))
    # A coin for every kind, wanted or not: a shorter wish leaves the rest as it was.
    luck = {fault: dice.random() for fault in FAULTS}
    kept = tuple(fault for fault in setup.faults if luck[fault] < share)
    return kept or tuple(sorted(setup.faults, key=luck.__getitem__)[:1])
