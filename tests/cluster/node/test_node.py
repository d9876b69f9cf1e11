"""Three whole nodes on loopback: they elect, serve, and behave under every fault of the plan."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import msgspec
import pytest

from cluster.core.effects import Effect, Order, ReplicaInput
from cluster.core.errors import UsageError
from cluster.core.kv.ops import Cas, Get, Put
from cluster.core.types import MS, SECOND, Micros, NodeId
from cluster.faults import FaultPlan, LinkFault, NodeFault
from cluster.node.node import EXIT_DEFECT, EXIT_ENVIRONMENT, EXIT_GOOD
from cluster.telemetry.control import Do
from cluster.workload.connection import Connection
from tests.cluster.node.lab import Nodes, Supervisor, soon
from tests.marks import interpreted

TRIO = ["n1", "n2", "n3"]


@contextlib.contextmanager
def client_of(nodes: Nodes, node: NodeId) -> Iterator[Connection]:
    spec = nodes.specs[node]
    client = Connection("c1", spec.members[node], spec.secret)
    yield client
    client.close()


def isolation(version: int, node: NodeId) -> FaultPlan:
    """`node` on one side, the others on the other."""
    others = [each for each in TRIO if each != node]
    links = [LinkFault(node, each, cut=True) for each in others] + [LinkFault(each, node, cut=True) for each in others]
    return FaultPlan(version, tuple(links))


async def test_three_nodes_elect_a_leader_and_serve(trio: Nodes, supervisor: Supervisor) -> None:
    leader = await supervisor.leader(TRIO)
    with client_of(trio, leader.node) as client:
        assert (await client.request(Put("k", "1"), 5 * SECOND)).outcome == "ok"
        assert (await client.request(Get("k"), 5 * SECOND)).value == "1"
        assert (await client.request(Cas("k", "0", "2"), 5 * SECOND)).swapped is False
    for node in TRIO:
        ready = await supervisor.heard("ready", lambda e, n=node: e.node == n)
        assert (ready.epoch, ready.recovered) == (1, 0)
        state = await supervisor.state(lambda s, n=node: s.node == n and s.applied >= 2)
        assert state.leader == leader.node
        assert len(state.beliefs) == 2
        assert state.rtt
        assert state.cpu_us > 0


async def test_a_follower_sends_the_client_on(trio: Nodes, supervisor: Supervisor) -> None:
    leader = await supervisor.leader(TRIO)
    follower = next(node for node in TRIO if node != leader.node)
    await supervisor.heard("role", lambda e: e.node == follower and e.leader == leader.node)
    with client_of(trio, follower) as client:
        reply = await client.request(Put("k", "1"), 5 * SECOND)
    assert (reply.outcome, reply.leader) == ("fail", leader.node)


async def test_an_isolated_leader_is_replaced_and_its_writes_do_not_count(trio: Nodes, supervisor: Supervisor) -> None:
    old = await supervisor.leader(TRIO)
    since = len(supervisor.events)
    await supervisor.plan(isolation(1, old.node))
    with client_of(trio, old.node) as client:
        lost = await client.request(Put("k", "lost"), 5 * SECOND)
    assert lost.outcome in ("unknown", "fail")
    new = await supervisor.leader([node for node in TRIO if node != old.node], since)
    assert new.term > old.term
    state = await supervisor.state(lambda s: s.node == old.node and s.dropped != ())
    assert {peer for peer, _ in state.dropped} == set(TRIO) - {old.node}
    await supervisor.plan(FaultPlan(2))
    with client_of(trio, new.node) as client:
        assert (await client.request(Get("k"), 5 * SECOND)).value is None
    await supervisor.state(lambda s: s.node == old.node and s.leader == new.node)


async def test_a_restarted_node_recovers_from_its_disk(trio: Nodes, supervisor: Supervisor) -> None:
    leader = await supervisor.leader(TRIO)
    with client_of(trio, leader.node) as client:
        for number in range(20):
            assert (await client.request(Put(f"k{number}", "v"), 5 * SECOND)).outcome == "ok"
    # A majority may have acknowledged before the leader's own disk was done.
    await supervisor.state(lambda e: e.node == leader.node and e.applied >= 21 and not e.disk_busy_us)
    since = len(supervisor.events)
    await trio.restart(leader.node)
    ready = await supervisor.heard("ready", lambda e: e.node == leader.node and e.epoch == 2, since)
    assert ready.recovered >= 21
    assert ready.term >= leader.term
    await supervisor.state(lambda s: s.node == leader.node and s.epoch == 2 and s.applied >= 21)


async def test_the_whole_cluster_restarts_from_its_disks(trio: Nodes, supervisor: Supervisor) -> None:
    leader = await supervisor.leader(TRIO)
    with client_of(trio, leader.node) as client:
        assert (await client.request(Put("k", "kept"), 5 * SECOND)).outcome == "ok"
    for node in TRIO:
        await trio.stop(node)
    since = len(supervisor.events)
    for node in TRIO:
        trio.specs[node] = msgspec.structs.replace(trio.specs[node], epoch=2)
        trio.start(node)
    leader = await supervisor.leader(TRIO, since)
    with client_of(trio, leader.node) as client:
        assert (await client.request(Get("k"), 5 * SECOND)).value == "kept"


async def test_a_leader_with_a_hanging_disk_is_replaced(trio: Nodes, supervisor: Supervisor) -> None:
    old = await supervisor.leader(TRIO)
    since = len(supervisor.events)
    await supervisor.plan(FaultPlan(1, nodes=(NodeFault(old.node, disk="hang"),)))
    with client_of(trio, old.node) as client:
        await client.request(Put("k", "v"), 2 * SECOND)
    await supervisor.heard("stall", lambda e: e.node == old.node, since)
    new = await supervisor.leader([node for node in TRIO if node != old.node], since)
    await supervisor.plan(FaultPlan(2))
    with client_of(trio, new.node) as client:
        assert (await client.request(Put("k", "after"), 5 * SECOND)).outcome == "ok"
    await supervisor.state(lambda s: s.node == old.node and s.disk_busy_us == 0 and s.leader == new.node)


async def test_a_follower_with_a_failing_disk_complains_and_catches_up_when_healed(trio: Nodes, supervisor: Supervisor) -> None:
    leader = await supervisor.leader(TRIO)
    ill = next(node for node in TRIO if node != leader.node)
    since = len(supervisor.events)
    await supervisor.plan(FaultPlan(1, nodes=(NodeFault(ill, disk="fail"),)))
    with client_of(trio, leader.node) as client:
        reply = await client.request(Put("k", "v"), 5 * SECOND)
    assert reply.outcome == "ok", "a majority has working disks"
    complaint = await supervisor.heard("complaint", lambda e: e.node == ill, since)
    assert "input/output" in complaint.what
    await supervisor.plan(FaultPlan(2))
    await supervisor.state(lambda s: s.node == ill and s.applied >= reply.revision + 1 and s.disk_busy_us == 0)


async def test_slow_links_show_in_the_round_trips(trio: Nodes, supervisor: Supervisor) -> None:
    leader = await supervisor.leader(TRIO)
    peer = next(node for node in TRIO if node != leader.node)
    await supervisor.plan(FaultPlan(1, (LinkFault(leader.node, peer, delay_us=40 * MS),)))
    await supervisor.state(lambda s: s.node == leader.node and dict(s.rtt).get(peer, 0) > 30 * MS)


async def test_a_skewed_clock_is_reported(trio: Nodes, supervisor: Supervisor) -> None:
    await supervisor.leader(TRIO)
    await supervisor.plan(FaultPlan(1, nodes=(NodeFault("n2", skew_us=700 * MS),)))
    state = await supervisor.state(lambda s: s.node == "n2")
    assert state.skew_us == 700 * MS


async def test_plans_of_the_spec_are_in_force_from_the_start(trio: Nodes, supervisor: Supervisor) -> None:
    await supervisor.leader(TRIO)
    await trio.stop("n3")
    trio.specs["n3"] = msgspec.structs.replace(trio.specs["n3"], epoch=2, plan=isolation(9, "n3"))
    since = len(supervisor.events)
    trio.start("n3")
    await supervisor.heard("fault-ack", lambda e: e.node == "n3" and e.version == 9, since)
    state = await supervisor.state(lambda s: s.node == "n3" and s.epoch == 2 and s.dropped != ())
    assert state.leader is None


async def test_an_older_plan_changes_nothing(trio: Nodes, supervisor: Supervisor) -> None:
    await supervisor.leader(TRIO)
    await supervisor.plan(FaultPlan(5, nodes=(NodeFault("n1", skew_us=300 * MS),)))
    since = len(supervisor.events)
    trio.nodes["n1"]._set_plan(FaultPlan(4))
    await supervisor.heard("fault-ack", lambda e: e.node == "n1" and e.version == 5, since)
    assert (await supervisor.state(lambda s: s.node == "n1")).skew_us == 300 * MS


async def test_a_rumour_reaches_everyone(trio: Nodes, supervisor: Supervisor) -> None:
    await supervisor.leader(TRIO)
    supervisor.tell("n1", Do("rumour", "the coffee is ready"))
    for node in TRIO:
        heard = await supervisor.heard("rumour", lambda e, n=node: e.node == n)
        assert (heard.origin, heard.text) == ("n1", "the coffee is ready")


@interpreted
async def test_an_order_that_a_machine_refuses_is_a_complaint_not_a_crash(trio: Nodes, supervisor: Supervisor) -> None:
    await supervisor.leader(TRIO)
    driver = trio.nodes["n1"]._driver
    assert driver is not None
    handle = driver._replica.handle

    def refuse(input: ReplicaInput, now: Micros) -> list[Effect]:
        if isinstance(input, Order):
            raise UsageError("no room")
        return handle(input, now)

    driver._replica.handle = refuse  # type: ignore[method-assign]
    supervisor.tell("n1", Do("rumour", "x"))
    complaint = await supervisor.heard("complaint", lambda e: e.node == "n1")
    assert complaint.what == "rumour refused: no room"
    await supervisor.state(lambda s: s.node == "n1" and s.leader is not None)


async def test_leadership_is_handed_over_on_order(trio: Nodes, supervisor: Supervisor) -> None:
    old = await supervisor.leader(TRIO)
    target = next(node for node in TRIO if node != old.node)
    await supervisor.state(lambda s: s.node == old.node and s.commit >= 1)
    supervisor.tell(old.node, Do("transfer", target))
    await supervisor.leader([target])


async def test_a_taken_port_ends_the_node_with_one_line(trio: Nodes, supervisor: Supervisor) -> None:
    await supervisor.leader(TRIO)
    squatter = msgspec.structs.replace(trio.specs["n1"], data_dir=trio.specs["n1"].data_dir + "-other")
    twin = Nodes({"n1": squatter})
    twin.start("n1")
    assert await twin.runs["n1"] == EXIT_ENVIRONMENT
    complaint = await supervisor.heard("complaint")
    assert complaint.what.endswith("is in use")


@interpreted
async def test_a_broken_law_ends_the_node(trio: Nodes, supervisor: Supervisor, capfd: pytest.CaptureFixture[str]) -> None:
    await supervisor.leader(TRIO)
    node = trio.nodes["n1"]
    assert node._driver is not None
    node._driver._replica.handle = None  # type: ignore[assignment, method-assign]
    assert await trio.runs.pop("n1") == EXIT_DEFECT
    complaint = await supervisor.heard("complaint", lambda e: e.node == "n1")
    assert complaint.what.startswith("defect: TypeError")
    assert "Traceback" in capfd.readouterr().err


async def test_a_stopped_node_gives_its_port_and_files_back(trio: Nodes, supervisor: Supervisor) -> None:
    await supervisor.leader(TRIO)
    assert await trio.stop("n1") == EXIT_GOOD
    trio.start("n1")
    await soon(lambda: sum(hello.name == "n1" for hello in supervisor.hellos) == 2)
    await supervisor.state(lambda s: s.node == "n1")
