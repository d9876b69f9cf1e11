"""Three whole nodes on loopback: they elect, serve, survive cuts and restarts."""

from __future__ import annotations

from cluster.core.kv.ops import Cas, Get, Put
from cluster.core.types import SECOND
from cluster.workload.connection import Connection


def link_to(trio, node, name="c1"):
    return Connection(name, trio.specs[node].members[node], trio.specs[node].secret)


async def test_three_nodes_elect_a_leader_and_serve(trio, supervisor):
    leader = await supervisor.leader(["n1", "n2", "n3"])
    client = link_to(trio, leader.node)
    assert (await client.request(Put("k", "1"), SECOND)).outcome == "ok"
    assert (await client.request(Get("k"), SECOND)).value == "1"
    assert (await client.request(Cas("k", "0", "2"), SECOND)).swapped is False
    client.close()
    for node in trio.specs:
        state = await supervisor.state(lambda s, n=node: s.node == n and s.applied >= 2)
        assert state.leader == leader.node
