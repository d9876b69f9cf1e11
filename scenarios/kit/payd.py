"""The payment service: charges and refunds on sqlite, a ledger of what it did, and, if so configured, two ways of saying no.

Law 1: it does what it is asked to, as often as it is asked: once is the caller's business, unless `fencing` is on (a token that is too
old is turned away) or it remembers keys (`kit/idempotency.py`).
Law 2: whatever forbids an effect, and what remembers it, is decided in the effect's own transaction; where a store cannot do that, the
incident is about it.
Law 3: the ledger's line is durable before the caller hears, and a row that a crash kept from being told is told by the next life
(`kit/telling.py`).

Args, all of which may be missing: `remembers`, the toggle that turns idempotency on; `store` (memory, separate, same_txn, redis);
`concurrent` (check_then_insert, unique_key or lock) and `retry_after_ms`; `key_ttl_ms`. Toggles: `fencing`, `fingerprint` and the one that
`remembers` names are read at every request.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any

from scenarios.kit import fence, idempotency, telling
from scenarios.kit.calls import OK, STALE, serve
from scenarios.kit.database import open_db, transaction
from scenarios.kit.idempotency import Answered, Keep, MemoryStore, Once, SqlStore
from scenarios.kit.ledger import Ledger
from scenarios.kit.process import Process

DAY_MS = 86_400_000.0
# What is said about a request, and is no part of it: two attempts at the same thing differ in these.
ABOUT = ("key", "caller", "request")


async def main(process: Process) -> None:
    payd = await opened(process)
    await serve(process.socket_of(process.name), {"charge": payd.charge, "refund": payd.refund, "status": payd.status}, process.tasks)
    await process.for_ever()


async def opened(process: Process) -> Payd:
    """With what it had on disk."""
    db = open_db(process.work / f"{process.name}.sqlite", telling.SCHEMA, fence.SCHEMA, idempotency.SCHEMA)
    ledger = await telling.opened(process, db)
    return Payd(db, ledger, process, await _once(process, db))


async def _once(process: Process, db: sqlite3.Connection) -> Once | None:
    args = process.args
    if "remembers" not in args:
        return None
    sql, ttl_ms = SqlStore(db, unique=args.get("concurrent") == "unique_key"), args.get("key_ttl_ms", DAY_MS)
    if args["store"] == "redis":
        from scenarios.kit.redis_idempotency import RedisStore  # a quarter of a second that nobody else should pay

        store: idempotency.Store = await RedisStore.open(process.backends["redis"][0], process.key_prefix, ttl_ms)
    else:
        store = MemoryStore() if args["store"] == "memory" else sql
    return Once(
        store, within=sql.keep_within if args["store"] == "same_txn" else None, locks=args.get("concurrent") == "lock",
        compares=lambda: process.toggle("fingerprint", "off") == "on", ttl_ms=ttl_ms,
        retry_after_ms=args.get("retry_after_ms", 0.0),
    )  # fmt: skip


class Payd:
    """Its methods are what callers may ask: arguments in, status and body out."""

    def __init__(self, db: sqlite3.Connection, ledger: Ledger, process: Process, once: Once | None) -> None:
        self._db = db
        self._ledger = ledger
        self._process = process
        self._once = once

    async def status(self, args: dict[str, Any]) -> Answered:
        """Whether an order has been charged at all."""
        row = self._db.execute("SELECT count(*) FROM entries WHERE kind = 'charged' AND about = ?", (args["order"],)).fetchone()
        return OK, {"charged": row[0] > 0}

    async def charge(self, args: dict[str, Any]) -> Answered:
        """Take the money; or 412 when the gate has seen a newer token for this order."""
        return await self._asked("charged", args)

    async def refund(self, args: dict[str, Any]) -> Answered:
        """Give money back."""
        return await self._asked("refunded", args)

    async def _asked(self, kind: str, args: dict[str, Any]) -> Answered:
        key = args.get("key")
        if self._once is None or not key or self._process.toggle(self._process.args["remembers"]) == "off":
            return await self._do(kind, args, lambda _answered: None)
        request = {"kind": kind, **{name: value for name, value in args.items() if name not in ABOUT}}
        effect: Callable[[Keep], Awaitable[Answered]] = lambda keep: self._do(kind, args, keep)  # noqa: E731
        how, answered = await self._once.serve(key, request, effect)
        if how != "done":
            await self._ledger.append(how, **args, receipt=answered[1].get("receipt", ""))
        return answered

    async def _do(self, kind: str, args: dict[str, Any], keep: Keep) -> Answered:
        await self._process.failpoint("payd.in_flight", **args)
        row, seen = self.transact(kind, args, keep)
        if seen is not None:
            await self._ledger.append("rejected", **args, seen=seen)
            return STALE, {"seen": seen}
        await self._ledger.append(kind, **args, row=row)
        await self._process.failpoint("payd.committed", **args)
        return OK, {"receipt": _receipt(kind, row)}

    def transact(self, kind: str, args: dict[str, Any], keep: Keep) -> tuple[int, int | None]:
        """Its row; and the newer token that forbids it, or None when it was done."""
        with transaction(self._db):
            return self._enter(kind, args, keep)

    def _enter(self, kind: str, args: dict[str, Any], keep: Keep) -> tuple[int, int | None]:
        seen = fence.admit(self._db, args["order"], args["token"]) if self._process.toggle("fencing", "off") == "on" else None
        row = 0
        if seen is None:
            row = telling.enter(self._db, kind, args, args.get("order")).row
            keep((OK, {"receipt": _receipt(kind, row)}))
        return row, seen


def _receipt(kind: str, row: int) -> str:
    return f"{kind}-{row}"
