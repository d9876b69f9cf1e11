"""A worker that charges orders under a lock each: acquire, look, check for fraud, charge, release. It polls until all are charged.

Law 1: everything it does before the charge is as careful as its toggles say; none of it can know how long the process stood still.

Args: `orders` (id and cents), `lock`, `ttl_ms`, `poll_ms`, `watchdog` (extend every third of the TTL), `check_before_write` (ask the
lock once more just before the charge).
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from scenarios.kit.calls import OK, Caller, Undecided, Unreached
from scenarios.kit.locks import Lock, open_lock
from scenarios.kit.process import Process


async def main(process: Process) -> None:
    lock = await open_lock(process.args["lock"], process)
    payd = await Caller.connect(process.socket_of("payd"))
    fraud = await Caller.connect(process.socket_of("fraud"))
    worker = Worker(process, lock, payd, fraud)
    await process.go()
    await worker.work()


class Worker:
    """All orders at once, each by itself."""

    def __init__(self, process: Process, lock: Lock, payd: Caller, fraud: Caller) -> None:
        self._process = process
        self._lock = lock
        self._payd = payd
        self._fraud = fraud
        self._ttl_ms = round(process.args["ttl_ms"])
        self._poll_s = process.args["poll_ms"] / 1_000
        self._orders: list[dict[str, Any]] = process.args["orders"]
        self._held = 0

    async def work(self) -> None:
        pending = self._orders
        while True:
            outcomes = await asyncio.gather(*map(self._attempt, pending))
            pending = [order for order, over in zip(pending, outcomes, strict=True) if not over]
            if not pending:
                return
            await asyncio.sleep(self._poll_s)

    async def _attempt(self, order: dict[str, Any]) -> bool:
        """One try. True when nothing is left to do for this order."""
        name, owner = order["id"], f"{self._process.name}-{secrets.token_hex(8)}"
        token = await self._lock.acquire(name, owner, self._ttl_ms)
        if token is None:
            return False
        self._acquired(name, token)
        try:
            return await self._charge_under(order, owner, token)
        finally:
            freed = await self._lock.release(name, owner)
            self._held -= 1
            self._process.trace("lock.released" if freed else "lock.lost", order=name, token=token)

    def _acquired(self, name: str, token: int) -> None:
        self._held += 1
        self._process.trace("lock.acquired", order=name, token=token)
        if self._held == len(self._orders):
            self._process.trace("worker.holds_all")

    async def _charge_under(self, order: dict[str, Any], owner: str, token: int) -> bool:
        name = order["id"]
        if (await self._payd.call("status", order=name)).body["charged"]:
            return True
        async with self._watched(name, owner):
            await self._fraud.call("check", order=name)
            if self._process.args["check_before_write"] == "on" and await self._lock.holder(name) != owner:
                self._process.trace("worker.gave_up", order=name)
                return False
            await self._process.failpoint("pay.before_charge", order=name, token=token)
            return await self._charge(order, token)

    async def _charge(self, order: dict[str, Any], token: int) -> bool:
        value = {"order": order["id"], "cents": order["cents"], "token": token}
        index = self._process.history.invoke("charge", value)
        try:
            answer = await self._payd.call("charge", caller=self._process.name, request=index, **value)
        except (Undecided, Unreached) as error:
            self._process.history.info(index, "charge", str(error))
            return False
        if answer.status == OK:
            self._process.history.ok(index, "charge", value)
            return True
        self._process.history.fail(index, "charge", {**value, "status": answer.status, **answer.body})
        return False

    @asynccontextmanager
    async def _watched(self, name: str, owner: str) -> AsyncIterator[None]:
        """With `watchdog` the lock is extended every third of its life for as long as the body runs."""
        if self._process.args["watchdog"] != "on":
            yield
            return
        watchdog = self._process.tasks.create_task(self._extend(name, owner))
        try:
            yield
        finally:
            watchdog.cancel()

    async def _extend(self, name: str, owner: str) -> None:
        while True:
            await asyncio.sleep(self._ttl_ms / 3_000)
            if not await self._lock.extend(name, owner, self._ttl_ms):
                self._process.trace("watchdog.too_late", order=name)
                return
