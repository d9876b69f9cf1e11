"""The hotel: a room while there is one, else a proper no.

In a choreography it hears of booked flights, and says so when it has no room.

Args: `rooms`.
"""

from __future__ import annotations

from typing import Any

from scenarios.kit import journey
from scenarios.kit.bookings import Bookings
from scenarios.kit.bus import Bus
from scenarios.kit.calls import OK, serve
from scenarios.kit.ledger import Ledger
from scenarios.kit.process import Process


async def main(process: Process) -> None:
    bookings = Bookings(process.work / f"{process.name}.sqlite", process.args["rooms"])
    ledger = await bookings.ledger(process)
    hotel = Hotel(process, bookings, ledger)
    await serve(process.socket_of(process.name), {"book": hotel.book, "status": hotel.status}, process.tasks)
    async with journey.open_journey_bus(process) as bus:
        if journey.is_choreography(process):
            await journey.listen(process, bus, journey.FLIGHT_BOOKED, lambda booking: hotel.hear(bus, booking))
        await process.for_ever()


class Hotel:
    def __init__(self, process: Process, bookings: Bookings, ledger: Ledger) -> None:
        self._process = process
        self._bookings = bookings
        self._ledger = ledger

    async def hear(self, bus: Bus, booking: dict[str, Any]) -> None:
        status, _ = await self.book(booking)
        if status == journey.FULL:
            await bus.publish(journey.ROOM_REFUSED, booking)

    async def book(self, booking: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        entry, has_room = self._bookings.book(booking["id"], once=journey.once(self._process))
        await entry.tell(self._ledger)
        return (OK if has_room else journey.FULL), {}

    async def status(self, _args: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        return OK, {"taken": self._bookings.taken(), "refused": self._bookings.refused()}
