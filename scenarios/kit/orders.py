"""The order service: an order and its event in one transaction, and a ledger of which event belongs to which order.

Law 1: an order that comes twice is one order with one event.
"""

from __future__ import annotations

from typing import Any

from scenarios.kit.calls import OK, serve
from scenarios.kit.outbox import Outbox
from scenarios.kit.process import Process

DATABASE = "orders.sqlite"


async def main(process: Process) -> None:
    outbox = Outbox(process.work / DATABASE)
    ledger = await outbox.ledger(process)

    async def place(args: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        event = f"{process.rng.getrandbits(64):016x}"
        entry = outbox.place(args["order"], args["body"], event)
        if entry.row:
            await entry.tell(ledger)
        return OK, {"event": entry.line["event"]}

    await serve(process.socket_of(process.name), {"place": place}, process.tasks)
    await process.for_ever()
