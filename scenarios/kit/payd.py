"""The payment service: charges on sqlite, a ledger of what it did, and, if so configured, a fencing gate.

Law 1: it charges whoever asks: that an order is charged once is the caller's business, unless `fencing` is on.
Law 2: the gate and the charge are one transaction; the ledger's line is durable before the caller hears.

Toggles: `fencing` on or off, hot: read at every charge.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

from scenarios.kit import fence
from scenarios.kit.calls import OK, STALE, serve
from scenarios.kit.ledger import Ledger
from scenarios.kit.process import Process

_CHARGES = "CREATE TABLE IF NOT EXISTS charges (id INTEGER PRIMARY KEY, order_id TEXT, cents INTEGER, token INTEGER, caller TEXT)"


async def main(process: Process) -> None:
    ledger = Ledger.open(process.ledger_path, process.tasks)
    payd = Payd(_open(str(process.work / "payd.sqlite")), ledger, fencing=lambda: process.toggle("fencing", "off") == "on")
    await serve(process.socket_of(process.name), {"charge": payd.charge, "status": payd.status}, process.tasks)
    await process.for_ever()


def _open(path: str) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None)
    for statement in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", _CHARGES, fence.SCHEMA):
        db.execute(statement)
    return db


class Payd:
    """Its methods are what callers may ask: arguments in, status and body out."""

    def __init__(self, db: sqlite3.Connection, ledger: Ledger, *, fencing: Callable[[], bool]) -> None:
        self._db = db
        self._ledger = ledger
        self._fencing = fencing

    async def status(self, args: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Whether an order has been charged at all."""
        count = self._db.execute("SELECT count(*) FROM charges WHERE order_id = ?", (args["order"],)).fetchone()[0]
        return OK, {"charged": count > 0}

    async def charge(self, args: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Take the money; or 412 when the gate has seen a newer token for this order."""
        seen = self._transact(args)
        line = {name: args[name] for name in ("order", "cents", "token", "caller", "request")}
        if seen is None:
            await self._ledger.append("charged", **line)
            return OK, {}
        await self._ledger.append("rejected", **line, seen=seen)
        return STALE, {"seen": seen}

    def _transact(self, args: dict[str, Any]) -> int | None:
        """The newer token that forbids it; None when it was done."""
        order, token = args["order"], args["token"]
        self._db.execute("BEGIN IMMEDIATE")
        seen = fence.admit(self._db, order, token) if self._fencing() else None
        if seen is None:
            row = (order, args["cents"], token, args["caller"])
            self._db.execute("INSERT INTO charges (order_id, cents, token, caller) VALUES (?, ?, ?, ?)", row)
        self._db.execute("COMMIT")
        return seen
