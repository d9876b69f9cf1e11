"""The leader's clock: never behind what is applied, still between reigns, silent when nothing is due."""

from __future__ import annotations

from cluster.core.kv.clock import ASK_AGAIN_US, LeaseClock
from cluster.core.kv.ops import Grant, Stamped, decode_write
from cluster.core.types import SECOND, Micros


class Dated:
    def __init__(self, time_us: Micros, due_us: Micros | None = None) -> None:
        self.time_us, self._due_us = time_us, due_us

    def due_us(self) -> Micros | None:
        return self._due_us


def test_it_goes_on_from_what_is_applied() -> None:
    clock = LeaseClock()
    assert clock.read(100 * SECOND, Dated(7 * SECOND)) == 7 * SECOND
    assert clock.read(103 * SECOND, Dated(7 * SECOND)) == 10 * SECOND
    # An entry of an earlier reign is applied late, and had been stamped later than this.
    assert clock.read(104 * SECOND, Dated(50 * SECOND)) == 50 * SECOND
    assert clock.read(105 * SECOND, Dated(50 * SECOND)) == 51 * SECOND


def test_between_reigns_it_stands_still() -> None:
    clock = LeaseClock()
    clock.read(100 * SECOND, Dated(7 * SECOND))
    clock.restart()
    assert clock.read(900 * SECOND, Dated(8 * SECOND)) == 8 * SECOND


def test_what_depends_on_time_is_stamped() -> None:
    assert decode_write(LeaseClock().stamped(Grant(SECOND), 5, Dated(9))) == Stamped(9, Grant(SECOND))


def test_the_time_is_told_once_when_something_is_due() -> None:
    clock = LeaseClock()
    assert clock.expiry(0, Dated(0)) is None
    waiting = Dated(0, due_us=SECOND)
    assert clock.expiry(SECOND - 1, waiting) is None
    entry = clock.expiry(SECOND, waiting)
    assert entry is not None
    told = decode_write(entry)
    assert isinstance(told, Stamped)
    assert told.at_us >= SECOND
    assert clock.expiry(SECOND + 1, waiting) is None  # under way
    assert clock.expiry(SECOND + ASK_AGAIN_US, waiting) is not None  # it must have been refused
