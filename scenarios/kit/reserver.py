"""A reservation worker: it holds a unit for a shopper while he checks out, sells it, and drops the hold.

Law 1: an owner is one purchase of one life of one worker (`w1/4711/3`): a worker that was started again is somebody else.
Law 2: what it knows of its holds it knows in memory: a new life knows nothing of the old one's.

Args: `ttl_ms`, `tick_ms` (the unit of a checkout's length), `alive_ms` (how long a life is believed in without a beat). Toggles: `ttl`,
`heartbeat`, `owner_token`, `crash_cleanup`, `atomic`.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from scenarios.kit.calls import OK, Caller, serve
from scenarios.kit.holds import Holds
from scenarios.kit.process import Process
from scenarios.kit.reaper import Reaper

REFUSED = 409
LOST = 410


async def main(process: Process) -> None:
    holds = await Holds.open(process.backends["redis"][0], process.key_prefix)
    inventory = Caller(process.socket_of("inventory"))  # connects when it is first needed: servers start in no order
    worker = Reserver(process, holds, inventory)
    if process.toggle("crash_cleanup") == "reaper":
        await Reaper(worker.life, holds, inventory, process.args["alive_ms"]).open(process.tasks)
    if process.toggle("crash_cleanup") == "atexit":
        worker.clean_up_on_term()
    await serve(process.socket_of(process.name), {"purchase": worker.purchase}, process.tasks)
    await process.for_ever()


class Reserver:
    """Its method is what shoppers may ask."""

    def __init__(self, process: Process, holds: Holds, inventory: Caller) -> None:
        self._process = process
        self._holds = holds
        self._inventory = inventory
        self._held: dict[str, tuple[str, asyncio.Task[Any]]] = {}  # unit -> owner and checkout, of what is in progress
        self._purchases = 0
        self.life = f"{process.name}/{os.getpid()}"

    async def purchase(self, args: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Hold, wait for the shopper, sell. 409 when there is nothing to hold, 410 when the hold went during the checkout."""
        purchase, sku = args["purchase"], args["sku"]
        self._purchases += 1
        owner = f"{self.life}/{self._purchases}"
        unit = await self._hold_one(sku, owner, purchase)
        if unit is None:
            await self._inventory.call("refuse", sku=sku, purchase=purchase)
            return REFUSED, {}
        task = asyncio.current_task()
        assert task is not None
        self._held[unit] = owner, task
        try:
            return await self._check_out(unit, owner, purchase, args["checkout"])
        finally:
            del self._held[unit]

    async def _hold_one(self, sku: str, owner: str, purchase: str) -> str | None:
        for unit in (await self._inventory.call("stock", sku=sku)).body["units"]:
            if not await self._take(unit, owner):
                continue
            if (await self._inventory.call("held", unit=unit, owner=owner, purchase=purchase)).status == OK:
                return str(unit)
            await self._holds.drop(unit, self._named(owner))  # sold between our look at the stock and our hold
        return None

    async def _take(self, unit: str, owner: str) -> bool:
        ttl_ms = self._ttl_ms()
        in_one = self._process.toggle("atomic") == "on"
        if not await self._holds.take(unit, owner, ttl_ms if in_one else None):
            return False
        self._process.trace("hold.taken", unit=unit, owner=owner)
        if not in_one:
            await self._process.failpoint("inv.before_expire", unit=unit, owner=owner)
            if ttl_ms is not None:
                await self._holds.extend(unit, ttl_ms, self._named(owner))
        return True

    async def _check_out(self, unit: str, owner: str, purchase: str, checkout: int) -> tuple[int, dict[str, Any]]:
        async with self._kept(unit, owner):
            await self._process.failpoint("inv.after_hold", unit=unit, owner=owner)
            await asyncio.sleep(checkout * self._process.args["tick_ms"] / 1_000)
        if self._named(owner) is not None and await self._holds.owner_of(unit) != owner:
            await self._inventory.call("end", how="lost", unit=unit, owner=owner, purchase=purchase)
            return LOST, {}
        await self._inventory.call("sell", unit=unit, owner=owner, purchase=purchase)
        await self._holds.drop(unit, self._named(owner))
        return OK, {"unit": unit}

    @asynccontextmanager
    async def _kept(self, unit: str, owner: str) -> AsyncIterator[None]:
        """With `heartbeat` the hold is extended every third of its life for as long as the body runs."""
        beating = self._process.tasks.create_task(self._beat(unit, owner))
        try:
            yield
        finally:
            beating.cancel()

    async def _beat(self, unit: str, owner: str) -> None:
        while True:
            await asyncio.sleep(self._process.args["ttl_ms"] / 3_000)
            ttl_ms = self._ttl_ms()
            if ttl_ms is not None and self._process.toggle("heartbeat") == "on":
                await self._holds.extend(unit, ttl_ms, self._named(owner))

    def clean_up_on_term(self) -> None:
        """What a process does on its way out, if it is asked to leave. Nobody asks with a SIGKILL."""

        def leave() -> None:
            self._process.tasks.create_task(self._leave())

        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, leave)

    async def _leave(self) -> None:
        held = list(self._held.items())
        for _, (_, checkout) in held:
            checkout.cancel()
        for unit, (owner, _) in held:
            await self._inventory.call("end", how="released", unit=unit, owner=owner)
            await self._holds.drop(unit, owner)
        asyncio.get_running_loop().remove_signal_handler(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)  # so that the parent hears what ended it

    def _ttl_ms(self) -> int | None:
        return round(self._process.args["ttl_ms"]) if self._process.toggle("ttl") == "2s" else None

    def _named(self, owner: str) -> str | None:
        """Whom to compare with; nobody without `owner_token`."""
        return owner if self._process.toggle("owner_token") == "on" else None
