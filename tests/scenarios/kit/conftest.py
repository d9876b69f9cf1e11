"""A Redis server of the test's own, and a client of it."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from cluster.backends.redis import embedded
from cluster.backends.redis.client import RedisPort
from cluster.supervisor import ports


@pytest.fixture
def server(tmp_path: Path) -> Iterator[embedded.Server]:
    allocated = ports.allocate(1)
    server = embedded.prepare_one(tmp_path, allocated.ports[0])
    process = subprocess.Popen(server.argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    yield server
    process.kill()
    process.wait()
    allocated.close()


@pytest.fixture
async def port(server: embedded.Server) -> AsyncIterator[RedisPort]:
    async with asyncio.timeout(20):
        await embedded.answers(server)
    port = RedisPort(server.url)
    yield port
    await port.close()
