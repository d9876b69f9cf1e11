"""Monitors of a real primary and its replica: one alone promotes nobody, two do, and who comes back is told to follow."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest

from cluster.backends.redis.client import RedisPort
from scenarios.kit.calls import OK, serve
from scenarios.kit.process import Process
from scenarios.kit.promoter import Promoter
from tests.cluster.backends.redis.pairs import Pair

pytestmark = pytest.mark.processes


class SomeProcess:
    name = "m1"

    def __init__(self, work: Path, urls: tuple[str, ...], detector: str) -> None:
        self.args = {"others": ["m2", "m3"], "probe_ms": 20, "timeout_ms": 100, "speaks": True}
        self.backends = {"redis": urls}
        self.events: asyncio.Queue[str] = asyncio.Queue()
        self._work = work
        self._detector = detector

    def toggle(self, name: str) -> str:
        assert name == "detector"
        return self._detector

    def socket_of(self, process: str) -> str:
        return str(self._work / f"{process}.sock")

    def trace(self, event: str, **_fields: Any) -> None:
        self.events.put_nowait(event)


class Over(Exception):
    pass


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    pair = Pair(tmp_path)
    pair.start()
    await pair.answers()
    yield pair
    pair.close()


async def _is_primary(url: str) -> bool:
    port = RedisPort(url)
    try:
        return await port.primary()
    finally:
        await port.close()


@pytest.mark.parametrize("detector", ["fixed", "phi"])
async def test_silence_is_enough_for_two_and_who_comes_back_must_follow(tmp_path: Path, pair: Pair, detector: str) -> None:
    primary, replica = pair.group.urls
    process = SomeProcess(tmp_path, pair.group.urls, detector)
    others_say = asyncio.Event()
    asked: asyncio.Queue[None] = asyncio.Queue()

    async def opinion(_args: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        asked.put_nowait(None)
        return OK, {"down": others_say.is_set()}

    with pytest.RaisesGroup(Over):
        async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
            await serve(process.socket_of("m2"), {"opinion": opinion}, tasks)  # m3 is not there at all
            promoter = Promoter(cast(Process, process))
            watching = tasks.create_task(promoter.watch())
            pair.processes[0].send_signal(signal.SIGSTOP)
            for _ in range(3):
                await asked.get()
            assert process.events.empty()
            assert not await _is_primary(replica)
            others_say.set()
            assert await process.events.get() == "monitor.promoted"
            assert await _is_primary(replica)
            assert (await promoter.opinion({}))[1] == {"down": True}
            pair.processes[0].send_signal(signal.SIGCONT)
            assert await process.events.get() == "monitor.demoted"
            assert not await _is_primary(primary)
            watching.cancel()
            await asyncio.wait([watching])
            await promoter.close()
            raise Over
