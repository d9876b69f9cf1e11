"""What the services of a journey share: the words on the bus, how they listen, and how they pay.

Law 1: with `style` choreography every service hears of what concerns it and says what it did; with an orchestrator nobody listens but
that one, and services are called.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from scenarios.kit.bus import Bus, open_bus
from scenarios.kit.calls import OK, Caller
from scenarios.kit.process import Process

REQUESTED = "booking.requested"
FLIGHT_BOOKED = "flight.booked"
ROOM_REFUSED = "room.refused"

FULL = 409  # no place is left


@asynccontextmanager
async def open_journey_bus(process: Process) -> AsyncIterator[Bus]:
    """As the toggles `bus`, `delivery` and `ack` have it."""
    qos = 0 if process.toggle("delivery") == "qos0" else 1
    async with open_bus(process, process.toggle("bus"), qos=qos, acks_itself=process.toggle("ack") == "before") as bus:
        yield bus


def is_choreography(process: Process) -> bool:
    return process.toggle("style") == "choreography"


def once(process: Process) -> bool:
    """Whether a step that is asked for twice is done once."""
    return process.toggle("idempotent_steps") == "on"


async def listen(process: Process, bus: Bus, topic: str, handle: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
    """Handle what comes, one after the other, and acknowledge each when it is handled. For ever."""
    await bus.subscribe(topic)
    process.ready()
    while True:
        delivery = await bus.next()
        await handle(delivery.body)
        await bus.ack(delivery)


async def move_money(process: Process, payd: Caller, method: str, booking: dict[str, Any]) -> None:
    """Charge or refund, until payd has answered. The key makes a second asking the same as the first, where payd looks at it."""
    value = {"order": booking["id"], "cents": booking["cents"], "key": f"{booking['id']}/{method}"}
    index = process.history.invoke(method, value)
    answer = await payd.insist(method, token=0, caller=process.name, request=index, **value)
    assert answer.status == OK, f"{method} of {booking['id']}: {answer.status}"
    process.history.ok(index, method, value)
