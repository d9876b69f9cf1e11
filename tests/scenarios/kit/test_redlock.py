"""Redlock over three real servers: a majority decides, and a failed attempt leaves nothing behind."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from cluster.backends.redis import embedded
from cluster.backends.redis.client import RedisPort
from cluster.supervisor import ports
from scenarios.kit.redis_lock import RedisLock
from scenarios.kit.redlock import NO_TOKEN, Redlock

pytestmark = pytest.mark.processes

LONG_MS = 600_000


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[list[embedded.Server]]:
    allocated = ports.allocate(3)
    folders = [tmp_path / str(i) for i in range(3)]
    for folder in folders:
        folder.mkdir()
    servers = [embedded.prepare_one(folder, port) for folder, port in zip(folders, allocated.ports, strict=True)]
    processes = [subprocess.Popen(server.argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for server in servers]
    yield servers
    for process in processes:
        process.kill()
        process.wait()
    allocated.close()


@pytest.fixture
async def locks(servers: list[embedded.Server]) -> AsyncIterator[list[RedisLock]]:
    async with asyncio.timeout(20):
        await asyncio.gather(*map(embedded.answers, servers))
    redis = [RedisPort(server.url) for server in servers]
    yield [RedisLock(port, "run:") for port in redis]
    for port in redis:
        await port.close()


async def test_one_holder_at_a_time(locks: list[RedisLock]) -> None:
    lock = Redlock(locks)
    assert await lock.acquire("order-1", "w1", LONG_MS) == NO_TOKEN
    assert await lock.acquire("order-1", "w2", LONG_MS) is None
    assert await lock.holder("order-1") == "w1"
    assert await lock.extend("order-1", "w1", LONG_MS)
    assert not await lock.extend("order-1", "w2", LONG_MS)
    assert not await lock.release("order-1", "w2")
    assert await lock.release("order-1", "w1")
    assert await lock.holder("order-1") is None


async def test_a_minority_is_not_the_lock_and_is_given_back(locks: list[RedisLock]) -> None:
    for taken in locks[:2]:
        await taken.acquire("order-1", "w1", LONG_MS)
    lock = Redlock(locks)
    assert await lock.acquire("order-1", "w2", LONG_MS) is None
    assert await locks[2].holder("order-1") is None
    assert await lock.holder("order-1") == "w1"
    await locks[0].release("order-1", "w1")
    assert await lock.acquire("order-1", "w2", LONG_MS) == NO_TOKEN


async def test_a_life_that_is_used_up_by_the_asking_is_none(locks: list[RedisLock]) -> None:
    lock = Redlock(locks)
    assert await lock.acquire("order-1", "w1", 2) is None  # the drift alone is as long
