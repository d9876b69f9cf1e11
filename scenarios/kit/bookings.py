"""Places of a service that sells them: on sqlite, numbered, each booking with one outcome, or without `once` with as many as are asked.

Law 1: an outcome, the place that it takes and the entry that tells of it are one transaction.
Law 2: with `once`, who asks again hears what was said first; a booking that was cancelled stays so.
Law 3: a place is somebody's until he gives it back: who comes gets the lowest number that is free.
"""

from __future__ import annotations

from pathlib import Path

from scenarios.kit import telling
from scenarios.kit.database import open_db, transaction
from scenarios.kit.ledger import Ledger
from scenarios.kit.process import Process
from scenarios.kit.telling import Entry

_SCHEMA = "CREATE TABLE IF NOT EXISTS bookings (id INTEGER PRIMARY KEY, booking TEXT NOT NULL, state TEXT NOT NULL, place INTEGER)"
_FREE = """
WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers)
SELECT n FROM numbers WHERE n NOT IN (SELECT place FROM bookings WHERE state = 'booked') LIMIT 1
"""


class Bookings:
    """`places`: how many there are; None for as many as anybody wants. Entries are "booked", "refused", "cancelled" or "repeated"."""

    def __init__(self, path: Path, places: int | None = None) -> None:
        self._db = open_db(path, _SCHEMA, telling.SCHEMA)
        self._places = places

    async def ledger(self, process: Process) -> Ledger:
        """The process's ledger, with what an earlier life did and could not tell any more."""
        return await telling.opened(process, self._db)

    def book(self, booking: str, *, once: bool) -> tuple[Entry, bool]:
        """What is to be told, and whether the booking has a place."""
        with transaction(self._db):
            state = self._state(booking)
            if state is not None and once:
                return Entry("repeated", {"booking": booking}), state == "booked"
            if self._places is not None and self.taken() >= self._places:
                return self._enter(booking, "refused", None), False
            return self._enter(booking, "booked", self._db.execute(_FREE).fetchone()[0]), True

    def cancel(self, booking: str) -> Entry:
        """Give back the places that it has; a second time there is none to give."""
        with transaction(self._db):
            rows = self._db.execute("SELECT place FROM bookings WHERE booking = ? AND state = 'booked' ORDER BY id", (booking,)).fetchall()
            self._db.execute("UPDATE bookings SET state = 'cancelled' WHERE booking = ? AND state = 'booked'", (booking,))
            if not rows:
                return Entry("repeated", {"booking": booking})
            return telling.enter(self._db, "cancelled", {"booking": booking, "places": [place for (place,) in rows]})

    def taken(self) -> int:
        return self._count("booked")

    def refused(self) -> int:
        return self._count("refused")

    def close(self) -> None:
        self._db.close()

    def _enter(self, booking: str, state: str, place: int | None) -> Entry:
        self._db.execute("INSERT INTO bookings (booking, state, place) VALUES (?, ?, ?)", (booking, state, place))
        return telling.enter(self._db, state, {"booking": booking, "place": place})

    def _state(self, booking: str) -> str | None:
        row = self._db.execute("SELECT state FROM bookings WHERE booking = ? ORDER BY id LIMIT 1", (booking,)).fetchone()
        return None if row is None else str(row[0])

    def _count(self, state: str) -> int:
        count: int = self._db.execute("SELECT count(*) FROM bookings WHERE state = ?", (state,)).fetchone()[0]
        return count
