"""Customers: every order of the workload, one after the other, at the order service.

Args: `orders` (id and the order's own words).
"""

from __future__ import annotations

from scenarios.kit.calls import Caller
from scenarios.kit.process import Process


async def main(process: Process) -> None:
    orders = await Caller.connect(process.socket_of("orders"))
    await process.go()
    for order in process.args["orders"]:
        body = {name: value for name, value in order.items() if name != "id"}
        index = process.history.invoke("place", {"order": order["id"], **body})
        answer = await orders.call("place", order=order["id"], body=body)
        process.history.ok(index, "place", {"order": order["id"], "event": answer.body["event"]})
    process.trace("shop.all_placed")
