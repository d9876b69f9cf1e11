"""The key-value store over real sockets and disks: transactions, leases, sessions and watches as a program meets them."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator

from cluster.core.kv import span
from cluster.core.kv.ops import Branch, Cas, Compare, Get, KeyValue, Page, Put, Range, Txn
from cluster.core.policy import ClientPolicy
from cluster.core.types import MS, SECOND
from cluster.workload.kv import KeyValueClient
from cluster.workload.route import Route
from tests.cluster.node.lab import Nodes, Supervisor

TRIO = ["n1", "n2", "n3"]


@contextlib.asynccontextmanager
async def program(nodes: Nodes, policy: ClientPolicy = ClientPolicy()) -> AsyncIterator[KeyValueClient]:
    spec = nodes.specs["n1"]
    route = Route("c1", spec.members, spec.voters, spec.secret, random.Random(5))
    yield KeyValueClient(route, policy, 5 * SECOND)
    route.close()


async def taken(watch: AsyncIterator[KeyValue], count: int) -> list[tuple[str, str, int]]:
    async with asyncio.timeout(10):
        return [(change.key, change.value, change.version) for change in [await anext(watch) for _ in range(count)]]


async def test_a_transaction_and_a_range_at_its_revision(trio: Nodes, supervisor: Supervisor) -> None:
    await supervisor.leader(TRIO)
    async with program(trio) as client:
        transfer = Txn((Compare("a", "version", "=", 0),), (Put("a", "1"), Put("b", "2")), (Range("a"),))
        first, again = await client.ask(transfer), await client.ask(transfer)
        assert isinstance(first.body, Branch)
        assert isinstance(again.body, Branch)
        assert (first.body.succeeded, again.body.succeeded) == (True, False)
        await client.ask(Put("a", "9"))
        past = await client.ask(Range("a", None, revision=first.revision))
        assert isinstance(past.body, Page)
        assert [(item.key, item.value) for item in past.body.items] == [("a", "1"), ("b", "2")]


async def test_a_watcher_sees_a_lease_come_and_go(trio: Nodes, supervisor: Supervisor) -> None:
    await supervisor.leader(TRIO)
    async with program(trio) as client, program(trio) as observer:
        watch = observer.watch(*span.of_prefix("members/"), revision=1)
        lease = await client.grant(300 * MS)
        assert (await client.ask(Put("members/c1", "here", lease.id))).outcome == "ok"
        assert await taken(watch, 1) == [("members/c1", "here", 1)]
        # Nobody keeps it alive: the leader's clock ends it.
        assert await taken(watch, 1) == [("members/c1", "", 0)]
        await watch.aclose()  # type: ignore[attr-defined]


async def test_a_watch_goes_on_when_its_node_stops(trio: Nodes, supervisor: Supervisor) -> None:
    leader = await supervisor.leader(TRIO)
    async with program(trio) as client, program(trio, ClientPolicy(attempts=16)) as writer:
        client._route.target = leader.node
        watch = client.watch("k", None, revision=1)
        await writer.write(Put("k", "1"))
        assert await taken(watch, 1) == [("k", "1", 1)]
        since = len(supervisor.events)
        await trio.stop(leader.node)
        await supervisor.leader([node for node in TRIO if node != leader.node], since)
        reply, _ = await writer.write(Cas("k", "1", "2"))
        # Asked under one number until somebody led who could say what came of it.
        assert reply.outcome == "ok"
        assert reply.swapped
        assert await taken(watch, 1) == [("k", "2", 2)]
        assert (await client.ask(Get("k", "serializable"))).outcome == "ok"
        await watch.aclose()  # type: ignore[attr-defined]
