"""A failpoint acts at its hit, holds those before it if told to, and is nothing while unarmed."""

from __future__ import annotations

import asyncio
import signal

from scenarios.control import Arm
from scenarios.kit.failpoint import Failpoints


async def _hits(order: Arm | None, count: int) -> list[str]:
    """What happens when `count` tasks pass one failpoint, in order."""
    happened: list[str] = []
    points = Failpoints(happened.append, lambda signum: happened.append(signum.name))
    if order is not None:
        points.arm(order)

    async def passes(number: int) -> None:
        await points.hit("pay.before")
        happened.append(f"passed {number}")

    async with asyncio.TaskGroup() as tasks:
        for number in range(count):
            tasks.create_task(passes(number))
    return happened


async def test_unarmed_it_is_nothing() -> None:
    assert await _hits(None, 2) == ["passed 0", "passed 1"]
    assert await _hits(Arm("another.line", "pause"), 1) == ["passed 0"]


async def test_it_acts_at_its_hit_and_once() -> None:
    assert await _hits(Arm("pay.before", "pause", nth=2), 3) == ["passed 0", signal.SIGSTOP.name, "passed 1", "passed 2"]


async def test_with_hold_nobody_passes_before_it_has_acted() -> None:
    happened = await _hits(Arm("pay.before", "pause", nth=3, hold=True), 4)
    assert happened[0] == "SIGSTOP"
    assert sorted(happened[1:]) == ["passed 0", "passed 1", "passed 2", "passed 3"]
