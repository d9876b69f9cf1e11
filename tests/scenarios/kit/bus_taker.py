"""A subscriber for tests to kill: takes messages, acknowledges some, says which, and then stands there.

`python -m tests.scenarios.kit.bus_taker KIND URL QOS ACKS_ITSELF TAKE ACK`: "ready" when it is subscribed, then a line for each.
"""

from __future__ import annotations

import asyncio
import sys

from tests.scenarios.kit.buses import bus_of


async def main() -> None:
    kind, url, qos, acks_itself, take, ack = sys.argv[1:]
    async with bus_of(kind, url, "taker", qos=int(qos), acks_itself=acks_itself == "True") as bus:
        await bus.subscribe("orders")
        print("ready", flush=True)  # noqa: T201
        for number in range(int(take)):
            delivery = await bus.next()
            if number < int(ack):
                await bus.ack(delivery)
            print(delivery.body["n"], delivery.id, flush=True)  # noqa: T201
        await asyncio.get_running_loop().create_future()


asyncio.run(main())
