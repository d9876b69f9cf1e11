"""The airline: takes the money at payd, then writes the ticket; and gives a ticket back. It has places for everybody.

In a choreography it hears of requests and says what it has booked.
"""

from __future__ import annotations

from typing import Any

from scenarios.kit import journey
from scenarios.kit.bookings import Bookings
from scenarios.kit.bus import Bus
from scenarios.kit.calls import OK, Caller, Handler, serve
from scenarios.kit.ledger import Ledger
from scenarios.kit.process import Process


async def main(process: Process) -> None:
    bookings = Bookings(process.work / f"{process.name}.sqlite")
    ledger = await bookings.ledger(process)
    flight = Flight(process, bookings, ledger, Caller(process.socket_of("payd")))
    methods: dict[str, Handler] = {"book": flight.book, "cancel": flight.cancel, "status": flight.status}
    await serve(process.socket_of(process.name), methods, process.tasks)
    async with journey.open_journey_bus(process) as bus:
        if journey.is_choreography(process):
            await journey.listen(process, bus, journey.REQUESTED, lambda booking: flight.hear(bus, booking))
        await process.for_ever()


class Flight:
    def __init__(self, process: Process, bookings: Bookings, ledger: Ledger, payd: Caller) -> None:
        self._process = process
        self._bookings = bookings
        self._ledger = ledger
        self._payd = payd

    async def hear(self, bus: Bus, booking: dict[str, Any]) -> None:
        await self.book(booking)
        await bus.publish(journey.FLIGHT_BOOKED, booking)

    async def book(self, booking: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        await journey.move_money(self._process, self._payd, "charge", booking)
        entry, _ = self._bookings.book(booking["id"], once=journey.once(self._process))
        await entry.tell(self._ledger)
        return OK, {}

    async def cancel(self, booking: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        await self._bookings.cancel(booking["id"]).tell(self._ledger)
        return OK, {}

    async def status(self, _args: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        return OK, {"taken": self._bookings.taken()}
