"""Whoever has an eye on the whole journey: an orchestrator that owns it, or, in a choreography, a listener that only takes notes.

Law 1: a request is acknowledged when its saga is in the log; from there on it does not depend on anybody's memory.
Law 2: a new life goes on with every saga that the log has not seen the end of.
Law 3: with `retry_until_confirmed` an undoing is asked for until its answer is there; without, once, and the saga is stuck.

Args: `patience_ms` (for one asking), `retry_ms`.
"""

from __future__ import annotations

import asyncio
from typing import Any

from scenarios.kit import journey
from scenarios.kit.calls import Caller, Undecided, Unreached
from scenarios.kit.kv import open_kv
from scenarios.kit.process import Process
from scenarios.kit.saga import Plan, Saga, Step, given_up, next_action, was_refused, went_well
from scenarios.kit.saga_log import Overtaken, SagaLog

_CALLS = {"flight": ("flight", "book"), "room": ("hotel", "book"), "undo_flight": ("comp", "undo")}


async def main(process: Process) -> None:
    async with journey.open_journey_bus(process) as bus:
        if journey.is_choreography(process):
            await journey.listen(process, bus, journey.ROOM_REFUSED, lambda booking: _failed(process, booking["id"]))
        log = SagaLog(await open_kv(process, "kv"), process.key_prefix)
        orchestrator = Orchestrator(process, log)
        await orchestrator.go_on()
        await journey.listen(process, bus, journey.REQUESTED, orchestrator.begin)


async def _failed(process: Process, booking: str) -> None:
    """A room was refused, and that is known here."""
    await process.failpoint("saga.after_fail_before_compensate", booking=booking)


class Orchestrator:
    """Any number of sagas at a time, each by itself."""

    def __init__(self, process: Process, log: SagaLog) -> None:
        self._process = process
        self._log = log
        self._services = {name: Caller(process.socket_of(name)) for name, _ in _CALLS.values()}

    async def begin(self, booking: dict[str, Any]) -> None:
        saga = Saga(booking["id"], booking)
        if await self._log.begin(saga):
            self._process.tasks.create_task(self._drive(saga))

    async def go_on(self) -> None:
        for saga in await self._log.unfinished():
            self._process.trace("saga.resumed", booking=saga.id, phase=saga.phase)
            self._process.tasks.create_task(self._drive(saga))

    async def _drive(self, saga: Saga) -> None:
        try:
            while (action := next_action(self._plan(saga), saga)) is not None:
                after = await self._perform(saga, action)
                await self._log.write(after)
                if saga.phase == "forward" and after.phase in ("undoing", "undone"):
                    await _failed(self._process, saga.id)
                saga = after
        except Overtaken:
            self._process.trace("saga.overtaken", booking=saga.id)
        else:
            self._process.trace(f"saga.{saga.phase}", booking=saga.id)

    def _plan(self, saga: Saga) -> Plan:
        """What is being undone already is undone to its end, whatever was set since."""
        undoes = saga.phase == "undoing" or self._process.toggle("compensation") == "on"
        return (Step("flight", "undo_flight" if undoes else ""), Step("room"))

    async def _perform(self, saga: Saga, action: str) -> Saga:
        name, method = _CALLS[action]
        if saga.phase == "undoing":
            return went_well(self._plan(saga), saga) if await self._undone(saga, name, method) else given_up(saga)
        answer = await self._services[name].insist(method, **saga.args)
        plan = self._plan(saga)  # asked now: compensation may have been turned on since the step began
        return was_refused(plan, saga) if answer.status == journey.FULL else went_well(plan, saga)

    async def _undone(self, saga: Saga, name: str, method: str) -> bool:
        """Whether it was confirmed."""
        tries = 0
        while True:
            tries += 1
            self._process.trace("saga.compensating", booking=saga.id, tries=tries)
            try:
                await self._services[name].call(method, within_ms=self._process.args["patience_ms"], **saga.args)
            except (Unreached, Undecided):
                if self._process.toggle("retry_until_confirmed") == "off":
                    return False
                await asyncio.sleep(self._process.args["retry_ms"] / 1_000)
            else:
                return True
