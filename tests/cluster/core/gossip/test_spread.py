"""How rumours travel: rounds against the expected curve, losses, partitions, islands, unreachable nodes."""

from __future__ import annotations

from statistics import median

import pytest

from cluster.core.gossip.machine import expected_rounds, floor_rounds
from cluster.core.gossip.ready import SetKey
from cluster.core.policy import GossipPolicy
from tests.cluster.core.gossip.world import World

POLICY = GossipPolicy()


def rounds(count: int, fanout: int, seed: int, loss: float = 0.0) -> float:
    world = World(count, GossipPolicy(fanout=fanout), seed=seed, loss=loss)
    world.run_ms(1_000)
    world.do("n1", SetKey("rumour", "the moon is out"))
    return world.rounds_until_all_know("n1", "rumour", limit=40)


def test_fifty_nodes_know_within_the_expected_rounds() -> None:
    measured = [rounds(50, 3, seed) for seed in range(9)]
    assert median(measured) <= 1.5 * expected_rounds(50, 3)
    assert max(measured) <= 2 * expected_rounds(50, 3)
    assert min(measured) >= 1, "nobody is told before anyone speaks"


def test_a_smaller_fanout_takes_longer() -> None:
    assert median([rounds(50, 1, seed) for seed in range(5)]) > median([rounds(50, 5, seed) for seed in range(5)])


def test_a_third_of_all_messages_lost_only_delays() -> None:
    assert rounds(30, 3, seed=4, loss=0.33) <= 3 * expected_rounds(30, 3)


def test_expected_and_fewest_rounds() -> None:
    assert expected_rounds(50, 3) == pytest.approx(4.126, abs=0.001)
    assert [floor_rounds(n, 3) for n in (1, 2, 4, 5, 16, 17, 50)] == [0, 1, 1, 2, 2, 3, 3]


def test_every_node_reports_a_rumour_once_with_its_teller() -> None:
    world = World(12, POLICY, duplicate=0.3)
    world.run_ms(1_000)
    world.do("n5", SetKey("rumour/1", "hello"))
    world.run_ms(2_000)
    for name in world.names:
        (heard,) = world.learned[name]
        assert (heard.key, heard.origin, heard.version, heard.text) == ("rumour/1", "n5", 1, "hello")
        assert (heard.teller == name) == (name == "n5")
        assert name == "n5" or world.learned[heard.teller], "whoever told had learned it"


def test_other_keys_are_not_rumours() -> None:
    world = World(3, POLICY)
    world.do("n1", SetKey("load", "0.7"))
    world.do("n1", SetKey("rumours-are-not-this", "x"))
    world.run_ms(1_000)
    assert world.nodes["n3"].keys_of("n1") == {"load": "0.7", "rumours-are-not-this": "x"}
    assert not any(world.learned.values())


def test_a_cut_stops_a_rumour_and_healing_lets_it_through_both_ways() -> None:
    world = World(9, POLICY)
    world.run_ms(1_000)
    left, right = world.names[:5], world.names[5:]
    world.cut(left, right)
    # Detectors on both sides have convicted the other: from now on it is tried seldom.
    for name in world.names:
        world.nodes[name].set_unreachable(right if name in left else left)
    world.do("n1", SetKey("rumour/l", "from the left"))
    world.do("n9", SetKey("rumour/r", "from the right"))
    world.run_ms(3_000)
    assert world.knowing("n1", "rumour/l") == len(left)
    assert world.knowing("n9", "rumour/r") == len(right)
    world.heal()
    world.run_ms(3_000)
    assert world.knowing("n1", "rumour/l") == world.knowing("n9", "rumour/r") == 9


def test_an_unreachable_node_is_still_tried_but_seldom() -> None:
    world = World(5, GossipPolicy(fanout=2))
    world.nodes["n1"].set_unreachable(["n5"])
    world.run_ms(20_000)
    tries = [target for sender, target, message in world.delivered if sender == "n1" and type(message).__name__ == "Syn"]
    share = tries.count("n5") / world.nodes["n1"].rounds
    assert 0.1 < share < 0.3, "p = unreachable / (live + 1) = 1/4 − without it 2/4"


def test_nodes_introduced_only_to_a_seed_find_each_other() -> None:
    names = [f"n{number}" for number in range(1, 8)]
    world = World(7, POLICY, members={name: ["n1"] for name in names})
    world.run_ms(3_000)
    assert all(set(world.nodes[name].nodes()) == set(names) for name in names)


def test_islands_with_different_seeds_meet_only_over_a_common_one() -> None:
    islands = {"n1": ["n1"], "n2": ["n1"], "n3": ["n3"], "n4": ["n3"]}
    apart = World(4, POLICY, members=islands)
    apart.run_ms(5_000)
    assert set(apart.nodes["n2"].nodes()) == {"n1", "n2"}
    joined = World(4, POLICY, members=islands, seeds=["n1", "n3"])
    joined.run_ms(5_000)
    assert set(joined.nodes["n2"].nodes()) == {"n1", "n2", "n3", "n4"}


def test_rounds_are_spread_over_the_interval() -> None:
    world = World(20, POLICY)
    world.run_ms(1_000)
    phases = {machine.deadline() % POLICY.interval_us for machine in world.nodes.values()}
    assert len(phases) > 15
