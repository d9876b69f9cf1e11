"""The stock: one down for every event that comes, or, with deduplication, for every event that has not come before.

Law 1: with `dedup_store` same_txn, "I have seen it" and "one down" are one transaction: neither survives a crash without the other.
Law 2: an event is acknowledged when its effect is durable, not before: it may come twice, and it cannot be lost.
Law 3: an effect that a crash kept from being told is told by the next life (`kit/telling.py`).

Args: `bus`, `qos`, `stock`, `pick_ms` (an event's worth of work), `dedup_store` same_txn or memory, `dedup_by` event_id or payload.
Toggle: `consumer_dedup` on or off.
"""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from typing import Any

import msgspec

from scenarios.kit import telling
from scenarios.kit.bus import Delivery, open_bus
from scenarios.kit.database import open_db, transaction
from scenarios.kit.ledger import Ledger
from scenarios.kit.process import Process
from scenarios.kit.relay import TOPIC
from scenarios.kit.telling import Entry

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS stock (one INTEGER PRIMARY KEY CHECK (one = 1), units INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS processed (key TEXT PRIMARY KEY)",
)


async def main(process: Process) -> None:
    args = process.args
    by_payload, in_memory = args["dedup_by"] == "payload", args["dedup_store"] == "memory"
    stock = Stock(process.work / "inventory.sqlite", round(args["stock"]), by_payload=by_payload, in_memory=in_memory)
    ledger = await stock.ledger(process)
    async with open_bus(process, args["bus"], qos=int(args["qos"]), acks_itself=False) as bus:
        await bus.subscribe(TOPIC)
        await process.go()
        while "over" not in (delivery := await bus.next()).body:
            await _take(process, stock, ledger, delivery)
            await bus.ack(delivery)
        await bus.ack(delivery)


async def _take(process: Process, stock: Stock, ledger: Ledger, delivery: Delivery) -> None:
    event = delivery.body["event"]
    process.trace("inv.delivered", of=event, message=delivery.id)
    await asyncio.sleep(process.args["pick_ms"] / 1_000)
    await stock.take(event, delivery.body["order"], delivery.id, dedup=process.toggle("consumer_dedup") == "on").tell(ledger)
    await process.failpoint("inv.after_apply_before_ack", of=event)


class Stock:
    """What is left, and which events took from it: the key is the event's id or its payload, remembered in the database or only here."""

    def __init__(self, path: Path, units: int, *, by_payload: bool = False, in_memory: bool = False) -> None:
        self._db = open_db(path, telling.SCHEMA, *_SCHEMA)
        self._db.execute("INSERT OR IGNORE INTO stock VALUES (1, ?)", (units,))
        self._by_payload = by_payload
        self._seen: set[str] | None = set() if in_memory else None

    async def ledger(self, process: Process) -> Ledger:
        """The process's ledger, with what an earlier life did and could not tell any more."""
        return await telling.opened(process, self._db)

    def take(self, event: str, order: dict[str, Any], message: str, *, dedup: bool) -> Entry:
        """One more is taken; or, with `dedup`, nothing is done about an event that was known."""
        key = _fingerprint(order) if self._by_payload else event
        line = {"event": event, "message": message}
        with transaction(self._db):
            # It is remembered without `dedup` too: whoever turns it on in mid-run has a past to compare with.
            if not self._is_new(key) and dedup:
                return Entry("dropped", line)
            self._db.execute("UPDATE stock SET units = units - 1")
            left = self._db.execute("SELECT units FROM stock").fetchone()[0]
            return telling.enter(self._db, "decremented", {**line, "stock": left})

    def _is_new(self, key: str) -> bool:
        """Inside the transaction. From now on it is not."""
        if self._seen is None:
            return self._db.execute("INSERT OR IGNORE INTO processed VALUES (?)", (key,)).rowcount == 1
        new = key not in self._seen
        self._seen.add(key)
        return new

    def close(self) -> None:
        self._db.close()


def _fingerprint(order: dict[str, Any]) -> str:
    return hashlib.sha256(msgspec.json.encode(order, order="deterministic")).hexdigest()
