"""The flight's compensator: gives the money back, then the ticket. It has no memory of its own: what is asked twice is asked twice.

In a choreography it hears of refused rooms, and with `compensation` off does nothing about them.
"""

from __future__ import annotations

from typing import Any

from scenarios.kit import journey
from scenarios.kit.calls import OK, Caller, serve
from scenarios.kit.process import Process


async def main(process: Process) -> None:
    undoer = Undoer(process, Caller(process.socket_of("payd")), Caller(process.socket_of("flight")))
    await serve(process.socket_of(process.name), {"undo": undoer.undo}, process.tasks)
    async with journey.open_journey_bus(process) as bus:
        if journey.is_choreography(process):
            await journey.listen(process, bus, journey.ROOM_REFUSED, undoer.hear)
        await process.for_ever()


class Undoer:
    def __init__(self, process: Process, payd: Caller, flight: Caller) -> None:
        self._process = process
        self._payd = payd
        self._flight = flight

    async def hear(self, booking: dict[str, Any]) -> None:
        if self._process.toggle("compensation") == "on":
            await self.undo(booking)
        else:
            self._process.trace("comp.ignored", booking=booking["id"])

    async def undo(self, booking: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        await journey.move_money(self._process, self._payd, "refund", booking)
        await self._process.failpoint("comp.refunded_not_cancelled", booking=booking["id"])
        await self._flight.insist("cancel", **booking)
        return OK, {}
