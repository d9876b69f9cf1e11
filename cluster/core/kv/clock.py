"""The leader's clock for leases and sessions, and how it gets into the log.

Law 1: a command that depends on time carries the clock's reading at which it was proposed; applying it looks at no clock.
Law 2: the clock of a new leader goes on from what is applied: between reigns time stands still, and no election costs a lease.
Law 3: an entry that only tells the time is proposed when something is due, never for its own sake.
"""

from __future__ import annotations

from typing import Protocol

from cluster.core.kv.ops import Stamped, Timed, encode_write
from cluster.core.types import MS, Micros

# A proposal of the time that was refused, as it is during a transfer of leadership, is made again after this.
ASK_AGAIN_US: Micros = 200 * MS


class Dated(Protocol):
    time_us: Micros

    def due_us(self) -> Micros | None: ...


class LeaseClock:
    """One node's, for as long as it leads. `now` is the node's clock, `store` what it has applied."""

    def __init__(self) -> None:
        self._offset_us: Micros | None = None
        self._told_us: Micros = 0

    def read(self, now: Micros, store: Dated) -> Micros:
        """Never behind what is applied."""
        if self._offset_us is None or now + self._offset_us < store.time_us:
            self._offset_us = store.time_us - now
        return now + self._offset_us

    def stamped(self, write: Timed, now: Micros, store: Dated) -> bytes:
        """A client's write that depends on time, as the data of a log entry."""
        return encode_write(Stamped(self.read(now, store), write))

    def expiry(self, now: Micros, store: Dated) -> bytes | None:
        """The entry that makes what is due expire, once for each time that something is."""
        at_us, due_us = self.read(now, store), store.due_us()
        if due_us is None or due_us > at_us or store.time_us < self._told_us > at_us - ASK_AGAIN_US:
            return None
        self._told_us = at_us
        return encode_write(Stamped(at_us))

    def restart(self) -> None:
        """A reign began or ended here."""
        self._offset_us = None
        self._told_us = 0
