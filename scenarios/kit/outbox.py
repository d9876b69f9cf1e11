"""The outbox: an order and the event that tells of it are one transaction; a relay publishes what is not marked yet.

Law 1: there is no order without its event, and no event without its order, nor either without the entry that tells of them.
Law 2: rows are marked, never deleted: what was published stays to be compared.
Law 3: publishing and marking are two systems' steps, and nothing in here pretends otherwise.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from scenarios.kit import telling
from scenarios.kit.database import open_db, transaction
from scenarios.kit.ledger import Ledger
from scenarios.kit.process import Process
from scenarios.kit.telling import Entry

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS orders (id TEXT PRIMARY KEY, body TEXT NOT NULL, event TEXT UNIQUE NOT NULL)",
    "CREATE TABLE IF NOT EXISTS outbox (row INTEGER PRIMARY KEY, event TEXT UNIQUE NOT NULL, body TEXT NOT NULL, published INTEGER)",
    "CREATE INDEX IF NOT EXISTS pending ON outbox (row) WHERE published = 0",
)


class Row(msgspec.Struct, frozen=True):
    """One event of the outbox. `body` is the order's own words."""

    row: int
    event: str
    body: dict[str, Any]


class Outbox:
    """On one sqlite file, which the service that takes orders and the relay share. Every method is one transaction."""

    def __init__(self, path: Path) -> None:
        self._db = open_db(path, telling.SCHEMA, *_SCHEMA)

    async def ledger(self, process: Process) -> Ledger:
        """The process's ledger, with what an earlier life took in and could not tell any more."""
        return await telling.opened(process, self._db)

    def place(self, order: str, body: dict[str, Any], event: str) -> Entry:
        """The order with its event: "placed" when it is new, else "known" with the event that it has."""
        text = msgspec.json.encode(body).decode()
        with transaction(self._db):
            if self._db.execute("INSERT OR IGNORE INTO orders VALUES (?, ?, ?)", (order, text, event)).rowcount:
                self._db.execute("INSERT INTO outbox (event, body, published) VALUES (?, ?, 0)", (event, text))
                return telling.enter(self._db, "placed", {"order": order, "event": event, **body})
            had = self._db.execute("SELECT event FROM orders WHERE id = ?", (order,)).fetchone()[0]
            return Entry("known", {"order": order, "event": had})

    def pending(self, limit: int) -> list[Row]:
        """The oldest that are not marked."""
        found = self._db.execute("SELECT row, event, body FROM outbox WHERE published = 0 ORDER BY row LIMIT ?", (limit,))
        return [Row(row, event, msgspec.json.decode(body)) for row, event, body in found]

    def mark(self, rows: list[Row]) -> None:
        with transaction(self._db):
            self._db.executemany("UPDATE outbox SET published = 1 WHERE row = ?", [(row.row,) for row in rows])

    def close(self) -> None:
        self._db.close()
