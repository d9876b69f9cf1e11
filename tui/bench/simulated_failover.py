"""Failover in virtual time: how the width of the election timeout decides how long a cluster has no leader.

Law 1: the cluster is the simulator's, with the core that nodes run; only time and the network are its own: 0.2 to 0.3 ms one way, as on
a local network, and disks that take 0.1 ms.
Law 2: a leader is lost at a moment drawn from the seed, anywhere between two of its heartbeats.
"""

from __future__ import annotations

import random
from typing import Final

from cluster.core.types import MS, SECOND, Micros
from cluster.sim.setup import Setup
from cluster.sim.world import World

# Bounds of the election timeout, ms: those of the Raft paper's figure 16.
WIDTHS_MS: Final = ((150, 150), (150, 155), (150, 200), (150, 300), (12, 24))
SETTLED_US: Final[Micros] = 2 * SECOND
# Without any width, candidates may collide for ever.
GIVEN_UP_US: Final[Micros] = 30 * SECOND
STEPS_MAX: Final = 5_000_000


def failover_us(loss: str, width_ms: tuple[int, int], seed: int, nodes: int) -> Micros:
    """From the loss of the leader ("crash" or "pause") to the next one; `GIVEN_UP_US` when there was none by then."""
    least, most = (bound * MS for bound in width_ms)
    at_us = SETTLED_US + random.Random(seed).randrange(least)
    schedule = (f"at {at_us / SECOND:.6f} {loss} leader for 60s",)
    world = World(Setup(
        seed=seed, nodes=nodes, faults=(), schedule=schedule, calm=True, clients=1, think_us=20 * MS, election_us=(least, most),
    ))  # fmt: skip
    world.begin()
    for _ in range(STEPS_MAX):
        if any(world.played):
            break
        world.run(1)  # one by one: the next leader may be there within as many steps as a run looks around after
    assert world.leader() is None, "whoever led is dead or stands still"
    for _ in range(STEPS_MAX):
        world.run(1)
        if world.leader() is not None or world.now - at_us > GIVEN_UP_US:
            break
    return min(world.now - at_us, GIVEN_UP_US)
