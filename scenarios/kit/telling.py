"""What a database did, told by a ledger: every effect is entered in its own transaction, and told when that is committed.

Law 1: an entry stands or falls with its effect; between the commit and the ledger's line there is no waiting, so rows are told in order.
Law 2: what a crash kept from being told is told by the next life, before it does anything else, and told once.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import msgspec

from scenarios.kit.ledger import Ledger
from scenarios.kit.process import Process

SCHEMA = "CREATE TABLE IF NOT EXISTS entries (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, about TEXT, line BLOB NOT NULL)"


class Entry(msgspec.Struct, frozen=True):
    """What there is to tell. `row` is 0 where nothing was done: then no later life owes it to anybody."""

    kind: str
    line: dict[str, Any]
    row: int = 0

    async def tell(self, ledger: Ledger) -> None:
        """Returns when it is durable."""
        await ledger.append(self.kind, **self.line, row=self.row)


def enter(db: sqlite3.Connection, kind: str, line: dict[str, Any], about: str | None = None) -> Entry:
    """Inside the effect's own transaction. `about`: what to find it by."""
    values = (kind, about, msgspec.json.encode(line))
    return Entry(kind, line, db.execute("INSERT INTO entries (kind, about, line) VALUES (?, ?, ?)", values).lastrowid or 0)


async def opened(process: Process, db: sqlite3.Connection) -> Ledger:
    """The process's ledger, in which all is told that its database did. Law 2."""
    ledger = Ledger.open(process.ledger_path, process.tasks)
    await _tell_untold(db, process.ledger_path, ledger)
    return ledger


async def _tell_untold(db: sqlite3.Connection, path: Path, ledger: Ledger) -> None:
    """The last row that the ledger knows is enough."""
    for row, kind, line in db.execute("SELECT id, kind, line FROM entries WHERE id > ? ORDER BY id", (_told(path),)).fetchall():
        await Entry(kind, msgspec.json.decode(line), row).tell(ledger)


def _told(path: Path) -> int:
    return max((msgspec.json.decode(line).get("row", 0) for line in path.read_bytes().splitlines()), default=0)
