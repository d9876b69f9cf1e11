"""When the next operation is due.

Law 1: turns come at a steady rate however long the operations take; after a stall at most a few are made up for.
Law 2: a rate of 0 waits until there is another one.
"""

from __future__ import annotations

import asyncio

# Turns that may be caught up on after an operation that took long: a burst of the whole backlog would measure the burst.
CATCH_UP_TURNS = 2


class Pace:
    """`await turn()` before every operation."""

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self._due = 0.0
        self._changed = asyncio.Event()

    def set(self, rate: float) -> None:
        """Operations per second, from now on."""
        if rate != self.rate:
            self.rate, self._due = rate, 0.0
            self._changed.set()

    async def turn(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._changed.clear()
            wait_s = self._claim(loop.time())
            if wait_s is not None and wait_s <= 0:
                return
            try:
                await asyncio.wait_for(self._changed.wait(), wait_s)
            except TimeoutError:
                return

    def _claim(self, now: float) -> float | None:
        """Take the next turn: seconds until it is due, None when there is none at this rate."""
        if self.rate <= 0:
            return None
        interval = 1.0 / self.rate
        self._due = max(self._due + interval, now - CATCH_UP_TURNS * interval)
        return self._due - now
