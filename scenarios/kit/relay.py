"""The outbox's relay: a batch of rows that are not marked, published and marked, again and again until there are none.

Law 1: between the two steps lies a line at which it may die, and no order of them makes one step of two: first published and then marked
it says things twice, first marked and then published it says things never.
Law 2: a message is published when the bus has confirmed it, not when it was sent.

Args: `bus`, `qos`, `mark` (after or before), `batch`, `poll_ms`.
"""

from __future__ import annotations

import asyncio

from scenarios.kit.bus import Bus, open_bus
from scenarios.kit.orders import DATABASE
from scenarios.kit.outbox import Outbox, Row
from scenarios.kit.process import Process

TOPIC = "orders"


async def main(process: Process) -> None:
    args = process.args
    outbox = Outbox(process.work / DATABASE)
    async with open_bus(process, args["bus"], qos=int(args["qos"]), acks_itself=True) as bus:
        relay = Relay(process, outbox, bus)
        await process.go()
        while rows := outbox.pending(args["batch"]):
            await relay.pass_on(rows)
            await asyncio.sleep(args["poll_ms"] / 1_000)
        # The trade is over; whoever listens need not wait for more.
        await bus.publish(TOPIC, {"over": True})


class Relay:
    """One batch at a time."""

    def __init__(self, process: Process, outbox: Outbox, bus: Bus) -> None:
        self._process = process
        self._outbox = outbox
        self._bus = bus
        self._steps = [self._publish, self._mark] if process.args["mark"] == "after" else [self._mark, self._publish]

    async def pass_on(self, rows: list[Row]) -> None:
        first, second = self._steps
        await first(rows)
        await self._process.failpoint("outbox.between_publish_and_mark", events=[row.event for row in rows])
        await second(rows)
        self._process.trace("outbox.passed_on", events=[row.event for row in rows])

    async def _publish(self, rows: list[Row]) -> None:
        for row in rows:
            value = {"event": row.event, "row": row.row}
            index = self._process.history.invoke("publish", value)
            await self._bus.publish(TOPIC, {"event": row.event, "order": row.body})
            self._process.history.ok(index, "publish", value)

    async def _mark(self, rows: list[Row]) -> None:
        self._outbox.mark(rows)
        for row in rows:
            self._process.trace("outbox.marked", of=row.event)
