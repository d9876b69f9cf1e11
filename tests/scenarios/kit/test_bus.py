"""What a bus promises, over every server that there is: our own broker and mosquitto, Valkey and redis-server."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from cluster.core.errors import EnvironmentFailed, UsageError
from scenarios.kit.bus import Bus
from tests.cluster.backends import servers
from tests.scenarios.kit.buses import bus_of

pytestmark = [pytest.mark.processes, pytest.mark.timeout(120)]

SERVERS = {
    "amqtt": ("mqtt", lambda folder: servers.embedded("mqtt", folder)),
    "mosquitto": ("mqtt", servers.mosquitto),
    "valkey": ("redis", lambda folder: servers.embedded("redis", folder)),
    "redis-server": ("redis", servers.redis_server),
}


@pytest.fixture(scope="module", params=list(SERVERS))
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Kind and URL."""
    kind, start = SERVERS[request.param]
    with start(tmp_path_factory.mktemp(kind)) as url:
        yield kind, url


@contextmanager
def taker(server: tuple[str, str], *, qos: int = 1, acks_itself: bool = False, take: int, ack: int) -> Iterator[subprocess.Popen[str]]:
    """A subscriber in a process of its own, subscribed; killed at the end."""
    argv = [sys.executable, "-P", "-m", "tests.scenarios.kit.bus_taker", *server, str(qos), str(acks_itself), str(take), str(ack)]
    process = subprocess.Popen(
        argv, cwd=servers.ROOT, env={**os.environ, "PYTHONPATH": str(servers.ROOT)}, stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
        process.kill()


def said(process: subprocess.Popen[str], lines: int) -> list[int]:
    assert process.stdout is not None
    return [int(process.stdout.readline().split()[0]) for _ in range(lines)]


async def publish(bus: Bus, numbers: range) -> None:
    for number in numbers:
        await bus.publish("orders", {"n": number})


async def take(bus: Bus, count: int) -> list[int]:
    taken = []
    async with asyncio.timeout(30):
        for _ in range(count):
            delivery = await bus.next()
            taken.append(delivery.body["n"])
            await bus.ack(delivery)
    return taken


async def test_what_was_not_acknowledged_comes_again_first_and_in_order(server: tuple[str, str]) -> None:
    async with bus_of(*server, "giver", qos=1) as giver:
        with taker(server, take=3, ack=2) as process:
            await publish(giver, range(6))
            assert said(process, 3) == [0, 1, 2]
        await publish(giver, range(6, 9))
        async with bus_of(*server, "taker", qos=1, acks_itself=False) as bus:
            await bus.subscribe("orders")
            assert await take(bus, 7) == [2, 3, 4, 5, 6, 7, 8]


async def test_a_library_that_acknowledges_itself_loses_what_its_process_holds(server: tuple[str, str]) -> None:
    async with bus_of(*server, "giver", qos=1) as giver:
        with taker(server, acks_itself=True, take=1, ack=0) as process:
            await publish(giver, range(3))
            assert said(process, 1) == [0]
        await publish(giver, range(3, 4))
        async with bus_of(*server, "taker", qos=1, acks_itself=True) as bus:
            await bus.subscribe("orders")
            # Of 1 and 2 those are gone that had reached the dead process; whatever is left, 0 is not.
            first = await take(bus, 1)
            while first[-1] != 3:
                first += await take(bus, 1)
            assert 0 not in first


async def test_with_qos_0_who_is_away_never_hears(server: tuple[str, str]) -> None:
    async with bus_of(*server, "giver", qos=0) as giver:
        with taker(server, qos=0, take=1, ack=0) as process:
            await publish(giver, range(1))
            assert said(process, 1) == [0]
        await giver.subscribe("echo")
        await publish(giver, range(1, 3))
        await giver.publish("echo", {})
        async with asyncio.timeout(30):
            await giver.next()  # so the server is done with 1 and 2: nobody confirms a QoS 0
        async with bus_of(*server, "taker", qos=0) as bus:
            await bus.subscribe("orders")
            await publish(giver, range(3, 4))
            assert await take(bus, 1) == [3]


async def test_a_message_that_is_published_twice_has_two_ids(server: tuple[str, str]) -> None:
    async with bus_of(*server, "giver", qos=1) as giver, bus_of(*server, "twice", qos=1, acks_itself=False) as bus:
        await bus.subscribe("again")
        async with asyncio.timeout(30):
            for _ in range(2):
                await giver.publish("again", {"n": 1})
            first, second = await bus.next(), await bus.next()
        assert first.body == second.body
        assert first.id != second.id
        await bus.ack(first)
        await bus.ack(second)


async def test_qos_2_owes_nothing_to_a_second_life_that_the_first_ones_library_had_taken(server: tuple[str, str]) -> None:
    kind, _ = server
    if kind == "redis":
        with pytest.raises(UsageError, match=r"there is no bus of the kind 'redis' with QoS 2"):
            async with bus_of(*server, "giver", qos=2):
                pass
        return
    async with bus_of(*server, "giver", qos=2) as giver:
        with taker(server, qos=2, take=1, ack=0) as process:
            await publish(giver, range(1))
            assert said(process, 1) == [0]
        await publish(giver, range(1, 2))
        async with bus_of(*server, "taker", qos=2, acks_itself=False) as bus:
            await bus.subscribe("orders")
            assert await take(bus, 1) == [1]


@pytest.mark.parametrize("kind", ["mqtt", "redis"])
async def test_nobody_there_is_said_in_one_line(kind: str) -> None:
    with pytest.raises(EnvironmentFailed, match="does not answer"):
        async with bus_of(kind, f"{kind}://127.0.0.1:1", "giver", qos=1):
            pass
