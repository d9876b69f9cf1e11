"""All shoppers: each purchase at its time, to its worker, over a connection of its own.

Args: `purchases` (id, at, sku, worker, checkout), `tick_ms` (the unit of their times).
"""

from __future__ import annotations

import asyncio
from typing import Any

from scenarios.kit.calls import OK, Caller, Undecided, Unreached
from scenarios.kit.process import Process


async def main(process: Process) -> None:
    await process.go()
    began_s = asyncio.get_running_loop().time()
    async with asyncio.TaskGroup() as shoppers:
        for purchase in process.args["purchases"]:
            shoppers.create_task(_shop(process, purchase, began_s + purchase["at"] * process.args["tick_ms"] / 1_000))
    process.trace("shopper.done")


async def _shop(process: Process, purchase: dict[str, Any], at_s: float) -> None:
    await asyncio.sleep(at_s - asyncio.get_running_loop().time())
    value = {"purchase": purchase["id"], "sku": purchase["sku"], "worker": purchase["worker"]}
    index = process.history.invoke("purchase", value)
    worker = Caller(process.socket_of(purchase["worker"]))
    try:
        answer = await worker.call("purchase", purchase=purchase["id"], sku=purchase["sku"], checkout=purchase["checkout"])
    except Unreached as error:
        process.history.fail(index, "purchase", {**value, "error": str(error)})
        return
    except Undecided as error:
        process.history.info(index, "purchase", str(error))
        return
    finally:
        worker.close()
    if answer.status == OK:
        process.history.ok(index, "purchase", {**value, **answer.body})
    else:
        process.history.fail(index, "purchase", {**value, "status": answer.status})
