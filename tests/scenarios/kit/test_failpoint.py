"""A failpoint acts at its hit, holds those before it if told to, and is nothing while unarmed."""

from __future__ import annotations

import asyncio
import signal

from scenarios.control import Arm
from scenarios.kit.failpoint import Failpoints


async def _hits(order: Arm | None, count: int) -> list[str]:
    """What happens when `count` tasks pass one failpoint, in order."""
    happened: list[str] = []
    points = Failpoints(happened.append, lambda step, _: happened.append(f"step {step}"), lambda signum: happened.append(signum.name))
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
    assert await _hits(Arm("pay.before", "pause", nth=2), 3) == ["passed 0", "step 0", signal.SIGSTOP.name, "passed 1", "passed 2"]


async def test_with_hold_nobody_passes_before_it_has_acted() -> None:
    happened = await _hits(Arm("pay.before", "pause", nth=3, hold=True), 4)
    assert happened[:2] == ["step 0", "SIGSTOP"]  # the runner is told first: a process that stands still tells nobody
    assert sorted(happened[2:]) == ["passed 0", "passed 1", "passed 2", "passed 3"]


async def test_with_a_field_it_acts_on_its_values_and_so_often() -> None:
    happened: list[str] = []
    points = Failpoints(happened.append, lambda step, value: happened.append(f"{step} {value}"))
    points.arm(Arm("pay.in_flight", "delay", step=3, ms=1.0, field="payment", left={"p-1": 1, "p-2": 2}))
    for payment in ("p-1", "p-1", "p-2", "p-3", "p-2", "p-2"):
        await points.hit("pay.in_flight", {"payment": payment})
    await points.hit("pay.in_flight", {"order": "p-1"})
    assert happened == ["3 p-1", "3 p-2", "3 p-2"]


async def test_with_a_number_only_the_last_before_it_are_held() -> None:
    happened = await _hits(Arm("pay.before", "pause", nth=4, hold=2), 5)
    assert happened[:3] == ["passed 0", "step 0", "SIGSTOP"]  # the first was not held, the next two were
    assert sorted(happened[3:]) == ["passed 1", "passed 2", "passed 3", "passed 4"]


async def test_a_delay_holds_one_task_and_lets_the_others_run() -> None:
    happened: list[str] = []
    points = Failpoints(happened.append, lambda _, value: happened.append(f"delayed {value}"))
    points.arm(Arm("pay.in_flight", "delay", ms=1.0, field="payment", left={"p-1": 1}))

    async def passes(payment: str) -> None:
        await points.hit("pay.in_flight", {"payment": payment})
        happened.append(f"passed {payment}")

    async with asyncio.TaskGroup() as tasks:
        for payment in ("p-1", "p-2"):
            tasks.create_task(passes(payment))
    assert happened == ["delayed p-1", "passed p-2", "passed p-1"]
