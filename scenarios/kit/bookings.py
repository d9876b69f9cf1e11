"""Places of a service that sells them: on sqlite, counted, each booking with one outcome or, without `once`, with as many as are asked for.

Law 1: an outcome and the place that it takes are one transaction.
Law 2: with `once`, who asks again hears what was said first; a booking that was cancelled stays so.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Literal

Said = Literal["booked", "refused", "cancelled", "repeated"]
_SCHEMA = "CREATE TABLE IF NOT EXISTS bookings (id INTEGER PRIMARY KEY, booking TEXT NOT NULL, state TEXT NOT NULL)"


class Bookings:
    """`places`: how many there are; None for as many as anybody wants."""

    def __init__(self, path: Path, places: int | None = None) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        for statement in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", _SCHEMA):
            self._db.execute(statement)
        self._places = places

    def book(self, booking: str, *, once: bool) -> tuple[Said, bool]:
        """What was said now, and whether the booking has a place."""
        self._db.execute("BEGIN IMMEDIATE")
        state = self._state(booking)
        said: Said = "repeated"
        if state is None or not once:
            state = said = "refused" if self._places is not None and self.taken() >= self._places else "booked"
            self._db.execute("INSERT INTO bookings (booking, state) VALUES (?, ?)", (booking, state))
        self._db.execute("COMMIT")
        return said, state == "booked"

    def cancel(self, booking: str) -> Said:
        """Give back the places that it has; a second time there is none to give."""
        self._db.execute("BEGIN IMMEDIATE")
        freed = self._db.execute("UPDATE bookings SET state = 'cancelled' WHERE booking = ? AND state = 'booked'", (booking,)).rowcount
        self._db.execute("COMMIT")
        return "cancelled" if freed else "repeated"

    def taken(self) -> int:
        return self._count("booked")

    def refused(self) -> int:
        return self._count("refused")

    def close(self) -> None:
        self._db.close()

    def _state(self, booking: str) -> str | None:
        row = self._db.execute("SELECT state FROM bookings WHERE booking = ? ORDER BY id LIMIT 1", (booking,)).fetchone()
        return None if row is None else str(row[0])

    def _count(self, state: str) -> int:
        count: int = self._db.execute("SELECT count(*) FROM bookings WHERE state = ?", (state,)).fetchone()[0]
        return count
