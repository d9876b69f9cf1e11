"""A store that is looked after does not grow with its past."""

from __future__ import annotations

import pytest

from cluster.core.types import SECOND
from cluster.sim import housekeeper
from cluster.sim import world as world_module
from cluster.sim.eras import era_of
from cluster.sim.housekeeper import ERAS_KEPT, EVERY_US
from cluster.sim.setup import Setup
from cluster.sim.world import World
from cluster.telemetry.control import SLOT_PREFIX

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


def test_keys_left_behind_a_round_ago_are_removed_and_nothing_that_is_still_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (housekeeper, world_module):
        monkeypatch.setattr(module, "EVERY_US", 10 * SECOND)
    busy = Setup(seed=1, faults=(), steps=1_000_000, calm=True, clients=6, think_us=5_000)
    world = World(busy)
    world.begin()
    assert world.run_until(lambda: world.housekeeper._removed_before > 0, busy.steps)
    world.run(2_000)  # until followers have it, too
    assert world.housekeeper._removed_before < world.keys.era - ERAS_KEPT
    for host in world.hosts.values():
        assert host.replica is not None
        held = [key for key in host.replica.store.keys("", None) if not key.startswith(SLOT_PREFIX)]
        assert era_of(held[0]) == world.housekeeper._removed_before
        assert set(world.judge.recent_keys) <= set(held)
