"""Fault plans: how leases compose, and what one message meets on its link."""

from __future__ import annotations

import random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.faults import (
    DRIFT_MAX,
    PASS,
    FaultPlan,
    LinkFault,
    NodeFault,
    compose,
    decide,
    seen_by,
    sides_of,
)

nodes = st.integers(1, 12).map(lambda number: f"n{number}")
chances = st.sampled_from([0.0, 0.1, 0.5, 1.0])


@st.composite
def link_faults(draw: st.DrawFn, lease: int) -> LinkFault:
    source, target = draw(st.lists(nodes, min_size=2, max_size=2, unique=True))
    return LinkFault(
        source, target, draw(st.booleans()), draw(chances), draw(chances), draw(chances),
        draw(st.sampled_from([0, 5_000, 80_000])), draw(st.sampled_from([0, 1_000])), draw(st.sampled_from([0, 900, 64_000])), lease,
    )  # fmt: skip


@st.composite
def node_faults(draw: st.DrawFn) -> NodeFault:
    return NodeFault(
        draw(nodes), draw(st.sampled_from([-500_000, 0, 500_000])), draw(st.sampled_from([0.5, 1.0, 2.0])),
        draw(st.sampled_from(["ok", "slow", "hang", "fail"])), draw(st.sampled_from([0, 200_000])),
    )  # fmt: skip


@st.composite
def plans(draw: st.DrawFn) -> list[FaultPlan]:
    """One plan per lease, each naming a link or node once, as leases do."""
    made: list[FaultPlan] = []
    for lease in range(1, draw(st.integers(1, 5)) + 1):
        links = draw(st.lists(link_faults(lease), max_size=6, unique_by=lambda link: (link.source, link.target)))
        faults = draw(st.lists(node_faults(), max_size=4, unique_by=lambda fault: fault.node))
        made.append(FaultPlan(links=tuple(links), nodes=tuple(faults)))
    return made


@given(plans())
def test_a_plan_survives_the_wire(leases: list[FaultPlan]) -> None:
    plan = compose(leases, version=3)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(plan), type=FaultPlan) == plan


@given(plans(), st.randoms(use_true_random=False))
def test_the_order_in_which_faults_began_does_not_matter(leases: list[FaultPlan], dice: random.Random) -> None:
    shuffled = list(leases)
    dice.shuffle(shuffled)
    one, other = compose(leases), compose(shuffled)
    assert [(a.source, a.target, a.cut, a.delay_us, a.jitter_us, a.bytes_per_s) for a in one.links] == [
        (b.source, b.target, b.cut, b.delay_us, b.jitter_us, b.bytes_per_s) for b in other.links
    ]
    for a, b in zip(one.links, other.links, strict=True):
        assert (a.loss, a.duplicate, a.reorder) == pytest.approx((b.loss, b.duplicate, b.reorder))
    assert [(a.node, a.skew_us, a.drift, a.disk, a.disk_delay_us) for a in one.nodes] == [
        (b.node, b.skew_us, b.drift, b.disk, b.disk_delay_us) for b in other.nodes
    ]


@given(plans())
def test_every_link_stands_once_in_a_fixed_order_and_no_fault_is_weaker_for_company(leases: list[FaultPlan]) -> None:
    plan = compose(leases)
    places = [(int(link.source[1:]), int(link.target[1:])) for link in plan.links]
    assert places == sorted(set(places))
    found = {(link.source, link.target): link for link in plan.links}
    for lease in leases:
        for link in lease.links:
            together = found[link.source, link.target]
            assert together.cut >= link.cut
            assert together.loss >= link.loss - 1e-9
            assert together.delay_us >= link.delay_us
            assert not link.bytes_per_s or 0 < together.bytes_per_s <= link.bytes_per_s


@given(plans())
def test_each_node_is_sent_its_own_part_and_the_parts_are_the_whole(leases: list[FaultPlan]) -> None:
    plan = compose(leases, version=9)
    parts = {node: seen_by(plan, node) for node in (f"n{number}" for number in range(1, 13))}
    assert all(part.version == 9 for part in parts.values())
    for node, part in parts.items():
        assert all(node in (link.source, link.target) for link in part.links)
    assert {link for part in parts.values() for link in part.links} == set(plan.links)
    assert {fault for part in parts.values() for fault in part.nodes} == set(plan.nodes)


def test_what_composes_how() -> None:
    slow = FaultPlan(links=(LinkFault("n1", "n2", delay_us=80_000, jitter_us=5_000, lease=1),))
    loss = FaultPlan(links=(LinkFault("n1", "n2", loss=0.5, bytes_per_s=900, lease=2),))
    more = FaultPlan(links=(LinkFault("n1", "n2", loss=0.5, delay_us=20_000, bytes_per_s=64_000, lease=3),))
    cut = FaultPlan(links=(LinkFault("n1", "n2", cut=True, lease=4),))
    assert compose([slow, loss, more]).links == (
        LinkFault("n1", "n2", loss=0.75, delay_us=100_000, jitter_us=5_000, bytes_per_s=900, lease=3),
    )
    assert [compose([one, cut]).links[0].lease for one in (slow, loss, more)] == [4, 4, 4]
    assert [compose([cut, one]).links[0].cut for one in (slow, loss, more)] == [True, True, True]
    assert compose([slow, loss]).links[0].lease == 2  # a drop is the loss's fault, not the delay's


def test_disks_are_as_bad_as_the_worst_and_clocks_add_up() -> None:
    one = FaultPlan(nodes=(NodeFault("n1", skew_us=500, drift=2.0, disk="slow", disk_delay_us=7),))
    other = FaultPlan(nodes=(NodeFault("n1", skew_us=-200, drift=0.5, disk="hang"),))
    assert compose([one, other]).nodes == (NodeFault("n1", 300, 1.0, "hang", 7),)
    assert compose([one, FaultPlan(nodes=(NodeFault("n1", disk="fail"),))]).nodes[0].disk == "fail"


def test_drifts_multiply_within_bounds() -> None:
    fast = FaultPlan(nodes=(NodeFault("n1", drift=10.0),))
    assert compose([fast] * 256).nodes[0].drift == DRIFT_MAX


def test_no_fault_is_no_plan() -> None:
    assert compose([], version=7) == FaultPlan(version=7)
    assert decide(None, 100, random.Random(1)) is PASS


def test_a_cut_drops_everything_and_is_blamed() -> None:
    decision = decide(LinkFault("n1", "n2", cut=True, duplicate=1.0, delay_us=5, lease=6), 100, random.Random(1))
    assert (decision.delays_us, decision.blame) == ((), 6)


def test_chances_are_what_they_say() -> None:
    dice = random.Random(2)
    fault = LinkFault("n1", "n2", loss=0.2, duplicate=0.5, lease=3)
    copies = [len(decide(fault, 100, dice).delays_us) for _ in range(20_000)]
    # 20 % lost; of the rest one half comes twice. Six sigma at this many draws is under 0.02.
    assert copies.count(0) / len(copies) == pytest.approx(0.2, abs=0.02)
    assert copies.count(2) / len(copies) == pytest.approx(0.4, abs=0.02)


@given(st.integers(0, 100_000), st.integers(0, 100_000), st.integers(0, 1 << 32))
def test_jitter_is_around_the_delay_and_never_before_now(delay_us: int, jitter_us: int, seed: int) -> None:
    (delayed_us,) = decide(LinkFault("n1", "n2", delay_us=delay_us, jitter_us=jitter_us), 1, random.Random(seed)).delays_us
    assert max(0, delay_us - jitter_us) <= delayed_us <= delay_us + jitter_us


def test_a_reordered_message_is_held_back_behind_later_ones() -> None:
    fault = LinkFault("n1", "n2", reorder=1.0)
    assert all(5_000 <= decide(fault, 1, random.Random(seed)).delays_us[0] < 50_000 for seed in range(200))


def _cut(*pairs: str) -> FaultPlan:
    return FaultPlan(links=tuple(LinkFault(*pair.split(">"), cut=True) for pair in pairs))


@pytest.mark.parametrize(
    ("plan", "sides"),
    [
        (_cut(), "n1 n2 n3 n10"),
        (_cut("n1>n2", "n1>n3", "n1>n10"), "n1 n2 n3 n10"),  # one way makes no sides
        (_cut("n1>n2", "n2>n1"), "n1 n2 n3 n10"),  # n3 sees both
        (_cut("n1>n2", "n2>n1", "n1>n3", "n3>n1", "n1>n10", "n10>n1"), "n2 n3 n10|n1"),
        (
            _cut("n1>n3", "n3>n1", "n1>n10", "n10>n1", "n2>n3", "n3>n2", "n2>n10", "n10>n2"),
            "n1 n2|n3 n10",
        ),
        (FaultPlan(links=(LinkFault("n1", "n2", loss=1.0), LinkFault("n2", "n1", loss=1.0))), "n1 n2 n3 n10"),
    ],
)  # fmt: skip
def test_sides_are_who_can_still_reach_each_other(plan: FaultPlan, sides: str) -> None:
    found = sides_of(plan, ("n10", "n3", "n2", "n1"))
    assert "|".join(" ".join(side) for side in found) == sides
