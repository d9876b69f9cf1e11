"""The exchange, message by message: digests, deltas, evidence, generations, bounds."""

from __future__ import annotations

import random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cluster.core.errors import UsageError
from cluster.core.gossip.machine import GENERATION_LEAP_MAX, Gossip
from cluster.core.gossip.messages import Ack, Ack2, Delta, Digest, KeyValue, Syn
from cluster.core.gossip.ready import DeleteKey, Forget, Heard, SetKey, Tick
from cluster.core.gossip.state import GOSSIP_KEYS_MAX, GOSSIP_VALUE_BYTES_MAX
from cluster.core.policy import GossipPolicy
from cluster.core.types import MS, NODES_MAX
from cluster.wire import GossipDatagram, seal
from tests.cluster.core.gossip.world import World

POLICY = GossipPolicy()


def lone(name: str = "n1", generation: int = 1, policy: GossipPolicy = POLICY) -> Gossip:
    return Gossip(name, ["n1", "n2"], generation, policy, random.Random(1))


def tell(node: Gossip, sender: str, *deltas: Delta, now: int = 0) -> list[str]:
    return node.step(Heard(sender, Ack2(deltas)), now).evidence


def exchange(one: Gossip, other: Gossip, now: int) -> list[Syn | Ack | Ack2]:
    """One round begun by `one` and delivered whole; the messages that flew."""
    flown: list[Syn | Ack | Ack2] = []
    sends = [(one, target, message) for target, message in one.step(Tick(), now).sends]
    while sends:
        sender, _, message = sends.pop(0)
        flown.append(message)
        receiver = other if sender is one else one
        sends += [(receiver, to, reply) for to, reply in receiver.step(Heard(sender.node, message), now).sends]
    return flown


def test_three_messages_make_both_equal() -> None:
    one, other = lone("n1"), lone("n2")
    one.step(SetKey("a", "1"), 0)
    other.step(SetKey("b", "2"), 0)
    flown = exchange(one, other, 0)
    assert [type(message) for message in flown] == [Syn, Ack, Ack2]
    assert one.keys_of("n2") == {"b": "2"}
    assert other.keys_of("n1") == {"a": "1"}
    assert (other.generation_of("n1"), other.heartbeat_of("n1"), other.version_of("n1")) == (1, 1, 1)


def test_nothing_new_is_not_answered() -> None:
    one, other = lone("n1"), lone("n2")
    exchange(one, other, 0)
    syn = Syn((Digest("n1", 1, 1, 0), Digest("n2", 1, 0, 0)))
    assert other.step(Heard("n1", syn), 0).sends == []


def test_only_the_newer_keys_travel() -> None:
    one, other = lone("n1"), lone("n2")
    for number in range(5):
        one.step(SetKey(f"k{number}", "x"), 0)
    exchange(one, other, 0)
    one.step(SetKey("k3", "y"), 0)
    (ack2,) = [message for message in exchange(one, other, 10**6) if isinstance(message, Ack2)]
    (delta,) = ack2.deltas
    assert delta.keys == (KeyValue("k3", "y", 6),)
    assert other.keys_of("n1") == {"k0": "x", "k1": "x", "k2": "x", "k4": "x", "k3": "y"}


def test_the_first_heartbeat_is_no_evidence_and_only_an_advance_is() -> None:
    node = lone()
    assert tell(node, "n2", Delta("n3", 1, 7, 0, ())) == []
    assert tell(node, "n2", Delta("n3", 1, 7, 0, ())) == []
    assert tell(node, "n2", Delta("n3", 1, 6, 0, ())) == []
    assert tell(node, "n2", Delta("n3", 1, 8, 0, ())) == ["n3"]
    assert tell(node, "n2", Delta("n3", 2, 1, 0, ())) == ["n3"], "a new generation is an advance"
    assert tell(node, "n2", Delta("n3", 1, 99, 0, ())) == [], "a lower generation is not merged"
    assert node.heartbeat_of("n3") == 1


def test_news_of_itself_is_refused() -> None:
    node = lone()
    assert tell(node, "n2", Delta("n1", 1, 99, 0, (KeyValue("x", "y", 1),), 0, 1)) == []
    assert node.heartbeat_of("n1") == 0
    assert tell(node, "n2", Delta("n1", 5, 99, 0, (KeyValue("x", "y", 1),), 0, 1)) == []
    assert (node.generation_of("n1"), node.keys_of("n1")) == (1, {})


def test_a_restart_replaces_what_was_known() -> None:
    world = World(4, POLICY)
    world.do("n1", SetKey("colour", "red"))
    world.run_ms(1_000)
    world.restart("n1", generation=2)
    world.do("n1", SetKey("shape", "round"))
    world.evidence["n4"].clear()
    world.run_ms(2_000)
    for machine in world.nodes.values():
        assert machine.keys_of("n1") == {"shape": "round"}
        assert machine.generation_of("n1") == 2
    assert "n1" in world.evidence["n4"]


def test_who_knows_an_older_generation_is_told_everything() -> None:
    node = lone("n1", generation=2)
    node.step(SetKey("shape", "round"), 0)
    ((_, answer),) = node.step(Heard("n2", Syn((Digest("n1", 1, 50, 9), Digest("n2", 1, 1, 0)))), 0).sends
    assert isinstance(answer, Ack)
    (delta,) = answer.deltas
    assert (delta.generation, delta.from_version, delta.keys) == (2, 0, (KeyValue("shape", "round", 1),))


def test_a_newcomer_met_in_the_middle_of_its_keys_is_asked_for_all_of_them() -> None:
    node = lone()
    tell(node, "n2", Delta("n3", 1, 1, 0, (KeyValue("z", "1", 9),), 8, 9))
    assert (node.generation_of("n3"), node.version_of("n3"), node.keys_of("n3")) == (1, 0, {})
    _, syn = node.step(Tick(), 0).sends[0]
    assert isinstance(syn, Syn)
    assert Digest("n3", 1, 1, 0) in syn.digests


def test_a_generation_far_in_the_future_is_refused() -> None:
    node = lone()
    tell(node, "n2", Delta("n3", 1, 1, 0, ()))
    far = 1 + GENERATION_LEAP_MAX + 1
    ((_, answer),) = node.step(Heard("n2", Syn((Digest("n3", far, 1, 1), Digest("n4", far, 1, 1)))), 0).sends
    assert isinstance(answer, Ack)
    assert answer.digests == (), "it is not even asked for"
    assert tell(node, "n2", Delta("n3", far, 1, 0, ()), Delta("n4", far, 1, 0, ())) == []
    assert (node.generation_of("n3"), node.generation_of("n4")) == (1, 0)
    assert node.refused == 4
    assert tell(node, "n2", Delta("n3", far - 1, 1, 0, ())) == ["n3"], "one less is believed"


def test_a_gap_is_not_filled_with_what_lies_behind_it() -> None:
    node = lone()
    tell(node, "n2", Delta("n3", 1, 1, 0, (KeyValue("a", "1", 1),), 0, 9, True))
    assert tell(node, "n2", Delta("n3", 1, 2, 0, (KeyValue("z", "1", 9),), 8, 9)) == ["n3"]
    assert (node.version_of("n3"), node.keys_of("n3")) == (1, {"a": "1"})


def test_a_forgotten_node_does_not_come_back_as_a_zombie() -> None:
    node = lone()
    tell(node, "n2", Delta("n3", 4, 1, 0, ()))
    node.step(Forget("n3"), 0)
    assert node.nodes() == ["n1"]
    tell(node, "n2", Delta("n3", 4, 9, 0, ()), now=1)
    assert node.nodes() == ["n1"]
    tell(node, "n2", Delta("n3", 5, 1, 0, ()), now=2)
    assert node.nodes() == ["n1", "n3"], "a later life of the same node is welcome"


def test_an_id_that_was_forgotten_long_ago_may_be_used_again() -> None:
    node = lone()
    tell(node, "n2", Delta("n3", 4, 1, 0, ()))
    node.step(Forget("n3"), 0)
    tell(node, "n2", Delta("n3", 4, 9, 0, ()), now=POLICY.tombstone_grace_us + 1)
    assert node.nodes() == ["n1", "n3"]


def test_no_more_nodes_than_the_bound_and_no_absurd_names() -> None:
    node = lone()
    for number in range(2, NODES_MAX + 20):
        tell(node, "n2", Delta(f"n{number}", 1, 1, 0, ()))
    assert len(node.nodes()) == NODES_MAX
    tell(lonely := lone(), "n2", Delta("n" * 200, 1, 1, 0, ()), Delta("", 1, 1, 0, ()))
    assert (lonely.nodes(), lonely.refused) == (["n1"], 2)


def test_a_hundred_nodes_with_full_keys_fit_every_datagram() -> None:
    world = World(NODES_MAX, GossipPolicy(fanout=2))
    for name in world.names:
        for number in range(8):
            world.do(name, SetKey(f"key{number}", "v" * GOSSIP_VALUE_BYTES_MAX))
    world.run_ms(1_500)
    sizes = [len(seal(b"s" * 32, GossipDatagram(s, t, 1, message))) for s, t, message in world.delivered]  # raises if too large
    assert len(sizes) > 1_000
    assert any(isinstance(m, Syn) and len(m.digests) == NODES_MAX for _, _, m in world.delivered)
    assert any(any(delta.truncated for delta in m.deltas) for _, _, m in world.delivered if not isinstance(m, Syn))


def test_a_tiny_mtu_cuts_deltas_legally_and_loses_nothing() -> None:
    policy = GossipPolicy(mtu_bytes=200)
    one, other = lone("n1", policy=policy), lone("n2", policy=policy)
    for number in range(40):
        one.step(SetKey(f"key{number}", "v" * 20), 0)
    everything = list(one.keys_of("n1").items())
    rounds = 0
    while other.version_of("n1") < 40:
        before = other.version_of("n1")
        exchange(one, other, rounds * 10**6)
        rounds += 1
        held = list(other.keys_of("n1").items())
        assert held == everything[: len(held)], "always a prefix in version order"
        assert other.version_of("n1") > before or rounds == 1
    assert 10 < rounds < 40


def test_heartbeats_do_not_starve_behind_keys() -> None:
    policy = GossipPolicy(mtu_bytes=2_000)
    one, other = lone("n1", policy=policy), lone("n2", policy=policy)
    for number in range(3, 15):
        tell(one, "n2", Delta(f"n{number}", 1, 5, 0, ()))
        tell(other, "n1", Delta(f"n{number}", 1, 4, 0, ()))
    for number in range(60):
        one.step(SetKey(f"key{number}", "v" * 500), 0)
    exchange(one, other, 0)
    assert other.version_of("n1") < 60, "the keys did not all fit"
    assert all(other.heartbeat_of(f"n{number}") == 5 for number in range(3, 15))


def test_a_deletion_reaches_everyone_and_is_collected() -> None:
    policy = GossipPolicy(tombstone_grace_us=2_000 * MS)
    world = World(6, policy)
    world.do("n1", SetKey("a", "1"))
    world.do("n1", SetKey("b", "2"))
    world.run_ms(1_000)
    world.do("n1", DeleteKey("a"))
    world.run_ms(1_000)
    assert all(machine.keys_of("n1") == {"b": "2"} for machine in world.nodes.values())
    world.run_ms(4_000)
    world.delivered.clear()
    world.run_ms(500)
    deltas = [delta for _, _, m in world.delivered if not isinstance(m, Syn) for delta in m.deltas if delta.node == "n1"]
    assert deltas
    assert not any(delta.keys for delta in deltas), "collected tombstones leave everyone equal"
    assert all(machine.version_of("n1") == 3 for machine in world.nodes.values())


def test_whoever_slept_through_the_collection_is_reset_and_resurrects_nothing() -> None:
    for mtu in (8_192, 150):
        policy = GossipPolicy(tombstone_grace_us=1_000 * MS, mtu_bytes=mtu)
        world = World(4, policy)
        for number in range(6):
            world.do("n1", SetKey(f"k{number}", "old"))
        world.run_ms(3_000)
        world.cut(["n1", "n2", "n3"], ["n4"])
        world.do("n1", DeleteKey("k5"))
        world.do("n1", DeleteKey("k0"))
        world.run_ms(3_000)
        assert "k5" in world.nodes["n4"].keys_of("n1")
        world.heal()
        world.run_ms(5_000)
        for machine in world.nodes.values():
            assert machine.keys_of("n1") == {f"k{number}": "old" for number in range(1, 5)}, mtu
            assert machine.version_of("n1") == 8


def test_a_newcomer_is_not_told_of_collected_tombstones_for_ever() -> None:
    policy = GossipPolicy(tombstone_grace_us=500 * MS)
    world = World(3, policy)
    world.do("n1", SetKey("a", "1"))
    world.do("n1", DeleteKey("a"))
    world.run_ms(2_000)
    world.restart("n3", generation=2)
    world.run_ms(1_000)
    assert world.nodes["n3"].version_of("n1") == 2
    assert world.nodes["n3"].keys_of("n1") == {}


def test_what_did_not_change_is_sent_from_a_cache() -> None:
    node = lone()
    tell(node, "n2", Delta("n3", 1, 5, 0, (KeyValue("a", "1", 1),), 0, 1))
    told = []
    for now in (0, 10**6):
        _, syn = node.step(Tick(), now).sends[0]
        assert isinstance(syn, Syn)
        told.append({digest.node: digest for digest in syn.digests})
    assert told[0]["n3"] is told[1]["n3"]
    assert told[0]["n1"] is not told[1]["n1"]


def test_a_tick_before_its_time_is_harmless_and_a_late_one_does_not_catch_up() -> None:
    node = lone()
    node.step(Tick(), 0)
    due = node.deadline()
    assert node.step(Tick(), due - 1).sends == []
    assert node.rounds == 1
    node.step(Tick(), due + 10**9)
    assert node.deadline() > due + 10**9
    assert node.rounds == 2


def test_own_keys_are_bounded_and_a_refusal_changes_nothing() -> None:
    node = lone()
    for number in range(GOSSIP_KEYS_MAX):
        node.step(SetKey(f"k{number}", ""), 0)
    version = node.version_of("n1")
    for refused in (SetKey("one-more", ""), SetKey("k1", "v" * (GOSSIP_VALUE_BYTES_MAX + 1)), SetKey("k" * 300, "")):
        try:
            node.step(refused, 0)
        except UsageError:
            assert node.version_of("n1") == version
        else:
            raise AssertionError(f"{refused} was taken")
    node.step(SetKey("k1", "again"), 0)
    assert node.version_of("n1") == version + 1


OWNERS_MOVES = st.lists(
    st.tuples(st.sampled_from(["n1", "n2", "n3", "n4"]), st.sampled_from("abc"), st.booleans(), st.sampled_from([0, 90, 400, 1_500])),
    max_size=25,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(moves=OWNERS_MOVES, seed=st.integers(0, 10_000), mtu=st.sampled_from([120, 300, 8_192]), restart=st.booleans())
def test_whatever_is_lost_doubled_or_late_all_converge_to_the_owners_state(
    moves: list[tuple[str, str, bool, int]], seed: int, mtu: int, restart: bool
) -> None:
    policy = GossipPolicy(tombstone_grace_us=700 * MS, mtu_bytes=mtu)
    world = World(4, policy, seed=seed, loss=0.2, duplicate=0.2, delay_us=(100, 250_000))
    for number, (owner, key, deletes, pause_ms) in enumerate(moves):
        world.do(owner, DeleteKey(key) if deletes else SetKey(key, str(number)))
        world.run_ms(pause_ms)
        for machine in world.nodes.values():
            assert machine.version_of(owner) <= world.nodes[owner].version_of(owner), "nobody knows more than the owner"
    if restart:
        world.restart("n4", generation=2)
    world.run_ms(10_000)
    for owner in world.names:
        truth = world.nodes[owner].keys_of(owner)
        assert [machine.keys_of(owner) for machine in world.nodes.values()] == [truth] * 4


def test_whoever_is_introduced_later_is_talked_to_like_the_others() -> None:
    node = lone()
    node.introduce(["n1", "n2", "n2", "n3"])
    told = {to for round_ in range(1, 30) for to, _ in node.step(Tick(), round_ * POLICY.interval_us * 2).sends}
    assert told == {"n2", "n3"}
