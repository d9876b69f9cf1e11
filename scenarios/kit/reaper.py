"""Clean-up by the living: each worker says that it lives, and gives back the holds of those who have stopped saying so.

Law 1: a hold goes only if its owner's life has ended in the lock server's eyes, and is compared while it goes.
Law 2: no worker takes a hold before its first beat.
"""

from __future__ import annotations

import asyncio

from scenarios.kit.calls import Caller
from scenarios.kit.holds import Holds

BEATS = 4  # in the time for which a life is believed in without one


class Reaper:
    """`life` is `w1/4711`; the owners of its holds begin with it."""

    def __init__(self, life: str, holds: Holds, inventory: Caller, alive_ms: float) -> None:
        self._life = life
        self._holds = holds
        self._inventory = inventory
        self._alive_ms = round(alive_ms)

    async def open(self, tasks: asyncio.TaskGroup) -> None:
        await self._holds.beat(self._life, self._alive_ms)
        tasks.create_task(self._go_on())

    async def _go_on(self) -> None:
        while True:
            await asyncio.sleep(self._alive_ms / 1_000 / BEATS)
            await self._holds.beat(self._life, self._alive_ms)
            await self._reap()

    async def _reap(self) -> None:
        for unit in await self._holds.held():
            owner = await self._holds.owner_of(unit)
            if owner is None or await self._holds.lives(owner.rpartition("/")[0]):
                continue
            if await self._holds.drop(unit, owner):
                await self._inventory.call("end", how="reaped", unit=unit, owner=owner)
