"""A client of a key-value store: writes and now and then reads, at a steady pace, one after the other, each with an exact record.

Law 1: it never waits for good times: what is due is asked, and what is not answered in time is given up as undecided.
Law 2: every value is written once, so that a reader can tell whose it is.

Args: `operations` (of all writers: `writer`, `f` "put" or "get", `key`), `every_ms`, `timeout_ms`.
"""

from __future__ import annotations

import asyncio
from typing import Any

from cluster.backends.etcd.port import Kv, Refused
from cluster.core.errors import Undecided
from scenarios.kit.kv import open_kv
from scenarios.kit.process import Process

BACKEND = "kv"


async def main(process: Process) -> None:
    kv = await open_kv(process, BACKEND, timeout_ms=process.args["timeout_ms"])
    writer = Writer(process, kv)
    await process.go()
    await writer.work()


class Writer:
    """Only its own of the operations."""

    def __init__(self, process: Process, kv: Kv) -> None:
        self._process = process
        self._kv = kv
        self._every_s = process.args["every_ms"] / 1_000
        self._operations = [one for one in process.args["operations"] if one["writer"] == process.name]

    async def work(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        for operation in self._operations:
            await asyncio.sleep(max(0.0, due - loop.time()))
            await (self._put if operation["f"] == "put" else self._get)(operation)
            # What could not be asked while it waited is not saved up: a burst afterwards would be another workload.
            due = max(due + self._every_s, loop.time())

    async def _put(self, operation: dict[str, Any]) -> None:
        history = self._process.history
        value = {"key": operation["key"], "value": operation["value"]}
        index = history.invoke("put", value)
        try:
            revision = await self._kv.put(self._key(operation), operation["value"])
        except Undecided as error:
            history.info(index, "put", str(error))
        except Refused as error:
            history.fail(index, "put", {**value, "error": str(error)})
        else:
            history.ok(index, "put", {**value, "revision": revision})

    async def _get(self, operation: dict[str, Any]) -> None:
        history = self._process.history
        value = {"key": operation["key"]}
        index = history.invoke("get", value)
        try:
            held = await self._kv.get(self._key(operation))
        except Refused as error:
            history.fail(index, "get", {**value, "error": str(error)})
        else:
            history.ok(index, "get", {**value, "value": None if held is None else held.value})

    def _key(self, operation: dict[str, Any]) -> str:
        return f"{self._process.key_prefix}{operation['key']}"
