"""Holds against a real server: one taker, lives that end or do not, and whose they are; and what the living give back for the dead."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from cluster.backends.redis.client import RedisPort
from scenarios.kit.calls import OK, Caller, serve
from scenarios.kit.holds import Holds
from scenarios.kit.reaper import Reaper

pytestmark = pytest.mark.processes

LONG_MS = 600_000


class Over(Exception):
    pass


async def test_one_takes_and_without_a_life_it_has_no_end(port: RedisPort) -> None:
    holds = Holds(port, "run:")
    assert await holds.take("sku3.u1", "w1/1/1", None)
    assert not await holds.take("sku3.u1", "w2/2/1", LONG_MS)
    assert await holds.take("sku3.u2", "w2/2/1", LONG_MS)
    assert await holds.held() == ["sku3.u1", "sku3.u2"]
    assert await holds.owner_of("sku3.u1") == "w1/1/1"
    assert await port.left_ms("run:hold:sku3.u1") == -1
    assert 0 < await port.left_ms("run:hold:sku3.u2") <= LONG_MS
    assert await port.left_ms("run:hold:sku3.u3") == -2
    assert await Holds(port, "another run:").held() == []


async def test_with_an_owner_only_his_own_moves_and_without_anybodys_does(port: RedisPort) -> None:
    holds = Holds(port, "run:")
    await holds.take("sku3.u1", "w1/1/1", None)
    assert not await holds.extend("sku3.u1", LONG_MS, "w2/2/1")
    assert not await holds.drop("sku3.u1", "w2/2/1")
    assert await port.left_ms("run:hold:sku3.u1") == -1
    assert await holds.extend("sku3.u1", LONG_MS, "w1/1/1")
    assert await port.left_ms("run:hold:sku3.u1") > 0
    assert await holds.drop("sku3.u1", None)
    assert await holds.owner_of("sku3.u1") is None
    assert not await holds.extend("sku3.u1", LONG_MS, None)


async def test_a_hold_with_a_life_ends_by_itself(port: RedisPort) -> None:
    holds = Holds(port, "run:")
    assert await holds.take("sku3.u1", "w1/1/1", 1)
    async with asyncio.timeout(20):
        while not await holds.take("sku3.u1", "w2/2/1", LONG_MS):
            pass
    assert await holds.owner_of("sku3.u1") == "w2/2/1"


async def test_the_living_give_back_what_the_dead_held_and_nothing_else(port: RedisPort, tmp_path: Path) -> None:
    holds = Holds(port, "run:")
    told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def end(args: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        told.put_nowait(args)
        return OK, {}

    await holds.take("sku3.u1", "w1/1/7", None)  # of a life that never had a beat
    await holds.take("sku3.u2", "w2/2/1", None)
    await holds.take("sku3.u3", "w3/3/1", None)
    await holds.beat("w3/3", LONG_MS)
    with pytest.RaisesGroup(Over):
        async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
            await serve(str(tmp_path / "s"), {"end": end}, tasks)
            await Reaper("w2/2", holds, await Caller.connect(str(tmp_path / "s")), alive_ms=2_000).open(tasks)
            assert await told.get() == {"how": "reaped", "unit": "sku3.u1", "owner": "w1/1/7"}
            raise Over
    assert await holds.held() == ["sku3.u2", "sku3.u3"]
    assert told.empty()
