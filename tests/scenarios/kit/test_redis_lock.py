"""The Redis lock against a real server of the run's own."""

from __future__ import annotations

import asyncio
import os
import stat
from pathlib import Path

import pytest

from cluster.backends.redis import embedded
from cluster.backends.redis.client import RedisPort
from cluster.core.errors import EnvironmentFailed
from scenarios.kit.redis_lock import RedisLock

pytestmark = pytest.mark.processes

LONG_MS = 600_000


async def test_one_holder_at_a_time_and_only_the_holder_frees(port: RedisPort) -> None:
    lock = RedisLock(port, "run:")
    assert await lock.acquire("order-1", "w1", LONG_MS) == 1
    assert await lock.acquire("order-1", "w2", LONG_MS) is None
    assert await lock.holder("order-1") == "w1"
    assert not await lock.release("order-1", "w2")
    assert not await lock.extend("order-1", "w2", LONG_MS)
    assert await lock.extend("order-1", "w1", LONG_MS)
    assert await lock.release("order-1", "w1")
    assert await lock.acquire("order-1", "w2", LONG_MS) == 2
    assert await lock.acquire("order-2", "w2", LONG_MS) == 1
    assert await RedisLock(port, "another run:").acquire("order-1", "w1", LONG_MS) == 1


async def test_an_expired_lock_passes_on_with_a_newer_token(port: RedisPort) -> None:
    lock = RedisLock(port, "run:")
    assert await lock.acquire("order-1", "w1", 1) == 1
    async with asyncio.timeout(20):
        while (token := await lock.acquire("order-1", "w2", LONG_MS)) is None:
            pass
    assert token == 2
    assert not await lock.release("order-1", "w1")
    assert not await lock.extend("order-1", "w1", LONG_MS)


async def test_the_password_is_asked_for_and_on_no_command_line(server: embedded.Server, tmp_path: Path) -> None:
    assert server.password not in " ".join(server.argv)
    assert stat.S_IMODE(os.stat(server.argv[1]).st_mode) == 0o600
    async with asyncio.timeout(20):
        await embedded.answers(server)
    stranger = RedisPort(f"redis://127.0.0.1:{server.port}/0")
    with pytest.raises(EnvironmentFailed, match="does not answer"):
        await stranger.ping()
    await stranger.close()
