"""Travellers: one booking after the other at a steady pace, said on the bus; then the agency looks on until all is settled.

Law 1: it only says what is wanted. That something comes of it is the business of those who listen.

Args: `bookings` (id and cents), `every_ms`, `look_ms`.
"""

from __future__ import annotations

import asyncio

from scenarios.kit.calls import Caller
from scenarios.kit.journey import REQUESTED, open_journey_bus
from scenarios.kit.process import Process


async def main(process: Process) -> None:
    bookings = process.args["bookings"]
    flight, hotel = [await Caller.connect(process.socket_of(service)) for service in ("flight", "hotel")]
    async with open_journey_bus(process) as bus:
        await process.go()
        for booking in bookings:
            index = process.history.invoke("request", booking)
            await bus.publish(REQUESTED, booking)
            process.history.ok(index, "request", booking)
            process.trace("agent.requested", booking=booking["id"])
            await asyncio.sleep(process.args["every_ms"] / 1_000)
        while True:
            await asyncio.sleep(process.args["look_ms"] / 1_000)
            if await _settled(flight, hotel, len(bookings)):
                break
        process.trace("agent.settled")


async def _settled(flight: Caller, hotel: Caller, wanted: int) -> bool:
    """Every room is given or refused, and as many tickets stand as rooms."""
    rooms = (await hotel.insist("status")).body
    tickets = (await flight.insist("status")).body
    return bool(rooms["taken"] + rooms["refused"] == wanted and tickets["taken"] == rooms["taken"])
