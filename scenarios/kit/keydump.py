"""Somebody from outside who writes down what a Redis holds: every key of the run, its value, and what is left of its life.

Law 1: it reads with the server's own commands and asks no process of the application: expiry is read (PTTL), not inferred.
Law 2: what it has written down it takes away: a server that is somebody else's is left as it was found.
"""

from __future__ import annotations

from cluster.backends.redis.client import RedisPort
from scenarios.kit.ledger import Ledger
from scenarios.kit.process import Process


async def main(process: Process) -> None:
    port = RedisPort(process.backends["redis"][0])
    await port.ping()
    ledger = Ledger.open(process.ledger_path, process.tasks)
    await process.go()
    keys = await port.keys(process.key_prefix)
    for key in keys:
        left_ms = await port.left_ms(key)
        await ledger.append("key", key=key.removeprefix(process.key_prefix), value=await port.get(key), left_ms=left_ms)
    await ledger.append("dumped", keys=len(keys))
    await port.remove(keys)
