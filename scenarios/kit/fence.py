"""The fencing gate: a resource remembers the newest token that it has seen, and refuses older ones.

Law 1: the comparison and the effect that it guards are one transaction: two requests cannot pass each other in between.
Law 2: the newest token itself passes again: it is the holder's second write. Fencing orders writers; it does not count their writes.
"""

from __future__ import annotations

import sqlite3

SCHEMA = "CREATE TABLE IF NOT EXISTS fence (resource TEXT PRIMARY KEY, last INTEGER NOT NULL)"


def admit(db: sqlite3.Connection, resource: str, token: int) -> int | None:
    """Inside the caller's transaction. None when the token may pass and is now the newest; else the newer one that was seen."""
    db.execute("INSERT OR IGNORE INTO fence VALUES (?, 0)", (resource,))
    if db.execute("UPDATE fence SET last = ? WHERE resource = ? AND last <= ?", (token, resource, token)).rowcount:
        return None
    seen: int = db.execute("SELECT last FROM fence WHERE resource = ?", (resource,)).fetchone()[0]
    return seen
