"""The faults of the plan at a node's edge, in times that the test gives."""

from __future__ import annotations

import random

import pytest

from cluster.core.types import MS, SECOND
from cluster.faults import FaultPlan, LinkFault, NodeFault
from cluster.node import fault_shim
from cluster.node.fault_shim import FaultShim


class Edge:
    """A shim for n1 and what came out of it."""

    def __init__(self, *links: LinkFault) -> None:
        self.shim = FaultShim("n1", random.Random(1))
        self.out: list[tuple[str, bytes]] = []
        self.version = 0
        self.plan(*links)

    def plan(self, *links: LinkFault, now_us: int = 0) -> None:
        self.version += 1
        assert self.shim.apply(FaultPlan(self.version, links), now_us)

    def send(self, data: bytes, now_us: int = 0, to: str = "n2") -> None:
        self.shim.send(to, data, lambda to, data: self.out.append((to, data)), now_us)

    @property
    def arrived(self) -> list[bytes]:
        return [data for _, data in self.out]


def test_a_healthy_link_passes_at_once() -> None:
    edge = Edge(LinkFault("n1", "n3", cut=True))
    edge.send(b"a")
    assert edge.out == [("n2", b"a")]


def test_a_cut_drops_on_both_sides_and_counts() -> None:
    edge = Edge(LinkFault("n1", "n2", cut=True), LinkFault("n3", "n1", cut=True))
    edge.send(b"a")
    edge.send(b"b", to="n3")
    assert edge.out == [("n3", b"b")], "a cut has a direction"
    assert not edge.shim.admits("n3")
    assert edge.shim.admits("n2")
    assert edge.shim.drops(["n1", "n2", "n3"]) == (("n2", 1), ("n3", 1))


def test_a_delay_holds_back_until_it_is_due() -> None:
    edge = Edge(LinkFault("n1", "n2", delay_us=80 * MS))
    edge.send(b"a", now_us=1_000)
    assert edge.shim.due_us() == 81 * MS
    edge.shim.release(81 * MS - 1)
    assert edge.arrived == []
    edge.shim.release(81 * MS)
    assert edge.arrived == [b"a"]
    assert edge.shim.due_us() is None


def test_equal_delays_keep_the_order() -> None:
    edge = Edge(LinkFault("n1", "n2", delay_us=10 * MS))
    for data in (b"a", b"b", b"c"):
        edge.send(data)
    edge.shim.release(10 * MS)
    assert edge.arrived == [b"a", b"b", b"c"]


def test_a_cut_catches_what_was_under_way() -> None:
    edge = Edge(LinkFault("n1", "n2", delay_us=80 * MS))
    edge.send(b"a")
    edge.plan(LinkFault("n1", "n2", cut=True, delay_us=80 * MS))
    edge.shim.release(SECOND)
    assert edge.arrived == []
    assert edge.shim.drops(["n2"]) == (("n2", 1),)


def test_healing_releases_at_once_and_in_order_of_sending() -> None:
    edge = Edge(LinkFault("n1", "n2", delay_us=80 * MS, jitter_us=70 * MS))
    sent = [bytes([n]) for n in range(20)]
    for data in sent:
        edge.send(data)
    edge.plan(now_us=5 * MS)
    edge.shim.release(5 * MS)
    assert edge.arrived == sent


def test_loss_and_duplication_follow_their_chances() -> None:
    edge = Edge(LinkFault("n1", "n2", loss=0.2), LinkFault("n1", "n3", duplicate=0.5))
    for _ in range(1_000):
        edge.send(b"a")
        edge.send(b"b", to="n3")
    assert 730 < edge.arrived.count(b"a") < 870
    assert edge.shim.dropped["n2"] == 1_000 - edge.arrived.count(b"a")
    assert 1_400 < edge.arrived.count(b"b") < 1_600


def test_reordering_lets_later_messages_overtake() -> None:
    edge = Edge(LinkFault("n1", "n2", reorder=0.3))
    sent = [bytes([n]) for n in range(100)]
    for at, data in enumerate(sent):
        edge.send(data, now_us=at * MS)
        edge.shim.release(at * MS)
    edge.shim.release(SECOND)
    assert sorted(edge.arrived) == sent
    assert edge.arrived != sent


def test_a_throttle_spreads_bytes_over_time_and_its_buffer_is_bounded() -> None:
    edge = Edge(LinkFault("n1", "n2", bytes_per_s=1_000))
    for _ in range(20):
        edge.send(bytes(500))
    edge.shim.release(1 * SECOND)
    assert len(edge.arrived) == 2, "a thousand bytes in the first second"
    edge.shim.release(100 * SECOND)
    assert len(edge.arrived) == 10, "five seconds' worth fit"
    assert edge.shim.dropped["n2"] == 10


def test_the_slowest_link_still_passes_one_message() -> None:
    edge = Edge(LinkFault("n1", "n2", bytes_per_s=1))
    edge.send(bytes(60))
    edge.shim.release(60 * SECOND)
    assert len(edge.arrived) == 1


@pytest.mark.parametrize(("messages", "size"), [(3, 10), (100, 40)])
def test_the_delay_queue_is_bounded(monkeypatch: pytest.MonkeyPatch, messages: int, size: int) -> None:
    """By messages in the first case, by bytes in the second."""
    monkeypatch.setattr(fault_shim, "HELD_MESSAGES_MAX", messages)
    monkeypatch.setattr(fault_shim, "HELD_BYTES_MAX", 120)
    edge = Edge(LinkFault("n1", "n2", delay_us=MS))
    for _ in range(5):
        edge.send(bytes(size))
    edge.shim.release(MS)
    assert len(edge.arrived) == 3
    assert edge.shim.dropped["n2"] == 2
    edge.send(bytes(size), now_us=MS)
    edge.shim.release(2 * MS)
    assert len(edge.arrived) == 4, "what was released makes room"


def test_the_latest_plan_wins() -> None:
    edge = Edge(LinkFault("n1", "n2", cut=True))
    assert not edge.shim.apply(FaultPlan(0), 0)
    edge.send(b"a")
    assert edge.out == []
    assert edge.shim.apply(FaultPlan(9, (), (NodeFault("n1", skew_us=5), NodeFault("n2", disk="hang"))), 0)
    assert edge.shim.own == NodeFault("n1", skew_us=5)
    assert edge.shim.version == 9
