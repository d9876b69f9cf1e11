"""The mailer: it sends a batch of a job to its recipients, whoever asks, and knows what it has sent.

Law 1: it sends what it is told, again if it is told again: that a job runs once is the schedulers' business.
Law 2: with `fencing` it refuses who comes with an older token than the newest that it has seen. A token may be shown before anything is
asked for (`fence`): from then on the past is shut out, and what has been sent can be read without racing it.
Law 3: a line of its book is durable before anybody hears of it, also of those who ask what was sent.

Toggle: `fencing`, hot: read at every request.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

from scenarios.kit import fence
from scenarios.kit.calls import OK, STALE, serve
from scenarios.kit.ledger import Ledger
from scenarios.kit.process import Process
from scenarios.lines import now_ns

RESOURCE = "mail"


async def main(process: Process) -> None:
    ledger = Ledger.open(process.ledger_path, process.tasks)
    mailer = Mailer(ledger, fencing=lambda: process.toggle("fencing") == "on")
    methods = {name: getattr(mailer, name) for name in ("began", "fence", "state", "execute")}
    await serve(process.socket_of(process.name), methods, process.tasks)
    await process.for_ever()


class Mailer:
    """Its methods are what schedulers may ask."""

    def __init__(self, ledger: Ledger, *, fencing: Callable[[], bool]) -> None:
        self._ledger = ledger
        self._fencing = fencing
        self._db = sqlite3.connect(":memory:", isolation_level=None)
        self._db.execute(fence.SCHEMA)
        self._sent: dict[str, list[int]] = {}  # job and slot -> its batches
        self._began_ns: int | None = None

    async def began(self, _args: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """From when on slots are counted: since somebody first asked. The same for all."""
        self._began_ns = self._began_ns or now_ns()
        return OK, {"mono_ns": self._began_ns}

    async def fence(self, args: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Nobody with an older token from now on."""
        seen = self._seen_newer(args["token"])
        if seen is not None:
            return STALE, {"seen": seen}
        await self._ledger.append("fenced", token=args["token"], caller=args["caller"])
        return OK, {}

    async def state(self, _args: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """What has been sent: job and slot ("tick@4") -> batches."""
        return OK, {"sent": self._sent}

    async def execute(self, args: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Send one batch of a job: to recipients `first` to `last`. 412 when the gate has seen a newer token."""
        line = {name: args[name] for name in ("job", "slot", "batch", "first", "last", "token", "caller")}
        seen = self._seen_newer(args["token"])
        if seen is not None:
            await self._ledger.append("rejected", **line, seen=seen)
            return STALE, {"seen": seen}
        await self._ledger.append("delivered", **line)
        self._sent.setdefault(f"{args['job']}@{args['slot']}", []).append(args["batch"])
        return OK, {}

    def _seen_newer(self, token: int) -> int | None:
        return fence.admit(self._db, RESOURCE, token) if self._fencing() else None
