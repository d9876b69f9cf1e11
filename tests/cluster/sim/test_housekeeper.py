"""A store that is looked after does not grow with its past."""

from __future__ import annotations

from cluster.core.types import SECOND
from cluster.sim.housekeeper import EVERY_US
from cluster.sim.setup import Setup
from cluster.sim.world import World

LONG = Setup(seed=1, faults=(), steps=1_000_000, calm=True, clients=2, think_us=200_000)


def world_after(virtual_us: int) -> World:
    world = World(LONG)
    world.begin()
    assert world.run_until(lambda: world.now >= virtual_us, LONG.steps)
    return world


def test_what_was_overwritten_is_forgotten_at_every_node() -> None:
    world = world_after(EVERY_US + SECOND)
    assert world.housekeeper.rounds == 1
    for host in world.hosts.values():
        assert host.replica is not None
        store = host.replica.store
        assert 0 < store.history.compacted <= store.revision


def test_before_its_first_round_nothing_is() -> None:
    world = world_after(EVERY_US - SECOND)
    for host in world.hosts.values():
        assert host.replica is not None
        assert host.replica.store.history.compacted == 0
