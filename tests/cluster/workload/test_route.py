"""Whom to ask: redirects are followed a few times, and nothing that may have happened is sent again."""

from __future__ import annotations

import random
from typing import cast

import pytest

from cluster.core.kv.ops import Get, Operation, Put, Reply
from cluster.core.types import SECOND, Micros
from cluster.workload.connection import Connection
from cluster.workload.route import Route

NODES = ("n1", "n2", "n3")
OK = Reply("ok", value="v")


class PretendConnection:
    """A node that answers as it was told."""

    def __init__(self, node: str, replies: list[Reply], log: list[tuple[str, Operation, Micros]]) -> None:
        self.node, self.replies, self.log = node, replies, log
        self.closed = False

    async def request(self, operation: Operation, timeout_us: Micros) -> Reply:
        self.log.append((self.node, operation, timeout_us))
        return self.replies.pop(0)

    def close(self) -> None:
        self.closed = True


class Town:
    """A route over three nodes that answer from lists."""

    def __init__(self, target: str = "n1", **replies: list[Reply]) -> None:
        self.log: list[tuple[str, Operation, Micros]] = []
        self.route = Route("c1", dict.fromkeys(NODES, 1), NODES, b"secret", random.Random(5))
        self.nodes = {node: PretendConnection(node, replies.get(node, []), self.log) for node in NODES}
        self.route._connections = cast(dict[str, Connection], self.nodes)
        self.route.target = target

    @property
    def asked(self) -> list[str]:
        return [node for node, _, _ in self.log]


def _elsewhere(leader: str | None) -> Reply:
    return Reply("fail", error="not leader", leader=leader)


async def test_whoever_answered_is_asked_again() -> None:
    town = Town("n2", n2=[OK, OK])
    assert await town.route.ask(Get("k"), SECOND) == (OK, "n2")
    await town.route.ask(Put("k", "v"), SECOND)
    assert town.asked == ["n2", "n2"]


async def test_a_refusal_that_names_the_leader_is_followed() -> None:
    town = Town("n1", n1=[_elsewhere("n3")], n3=[OK, OK])
    assert await town.route.ask(Put("k", "v"), SECOND) == (OK, "n3")
    await town.route.ask(Get("k"), SECOND)
    assert town.asked == ["n1", "n3", "n3"]


async def test_two_nodes_that_name_each_other_are_not_followed_for_ever() -> None:
    town = Town("n1", n1=[_elsewhere("n2")] * 9, n2=[_elsewhere("n1")] * 9)
    reply, node = await town.route.ask(Put("k", "v"), SECOND)
    assert (reply.outcome, node) == ("fail", "n2")
    assert town.asked == ["n1", "n2", "n1", "n2"]


async def test_an_unknown_outcome_is_never_asked_again_and_the_next_goes_elsewhere() -> None:
    """Law 1: even if the reply names a leader."""
    town = Town("n1", n1=[Reply("unknown", error="timeout", leader="n2")])
    reply, node = await town.route.ask(Put("k", "v"), SECOND)
    assert (reply.outcome, node) == ("unknown", "n1")
    assert town.asked == ["n1"]
    assert town.route.target in ("n2", "n3")


@pytest.mark.parametrize("leader", [None, "n1", "n9"])
async def test_a_refusal_that_helps_nobody_ends_the_attempt(leader: str | None) -> None:
    """Nobody known, itself, or one without a vote."""
    town = Town("n1", n1=[_elsewhere(leader)])
    reply, node = await town.route.ask(Put("k", "v"), SECOND)
    assert (reply.outcome, node) == ("fail", "n1")
    assert town.asked == ["n1"]
    assert town.route.target in ("n2", "n3")


async def test_a_single_voter_is_asked_again_for_want_of_another() -> None:
    route = Route("c1", {"n1": 1}, ("n1",), b"secret", random.Random(1))
    log: list[tuple[str, Operation, Micros]] = []
    route._connections = cast(dict[str, Connection], {"n1": PretendConnection("n1", [_elsewhere(None), OK], log)})
    await route.ask(Get("k"), SECOND)
    assert await route.ask(Get("k"), SECOND) == (OK, "n1")


async def test_a_request_has_time_to_leave_at_all() -> None:
    town = Town("n1", n1=[OK])
    await town.route.ask(Get("k"), 0)
    assert town.log[0][2] == 20_000


def test_leaving_closes_every_connection() -> None:
    town = Town()
    town.route.close()
    assert all(node.closed for node in town.nodes.values())


async def test_a_node_that_came_later_is_followed_too() -> None:
    town = Town(n1=[_elsewhere("n4")])
    town.route.meet({"n4": 4})
    town.nodes["n4"] = PretendConnection("n4", [OK], town.log)
    town.route._connections = cast(dict[str, Connection], town.nodes)
    assert await town.route.ask(Get("k"), SECOND) == (OK, "n4")
    assert town.asked == ["n1", "n4"]
