"""What this client was promised: the last acknowledged number of every slot, to be looked for again after a heal.

Law 1: a slot has one writer and its numbers rise, so the newest promise covers all before it.
"""

from __future__ import annotations

from collections.abc import Iterable

from cluster.check.acked import AckedCount, count_acked


class Promises:
    """At most one number per slot of the ring. Slots go by their keys."""

    def __init__(self) -> None:
        self._acked: dict[str, int] = {}
        self.total = 0  # every acknowledgement ever, also of numbers that a later one has replaced

    def acknowledge(self, slot: str, number: int) -> None:
        assert number > self._acked.get(slot, 0), "law 1: one writer, rising numbers"
        self._acked[slot] = number
        self.total += 1

    def snapshot(self) -> Promises:
        """What was promised until now."""
        copy = Promises()
        copy._acked, copy.total = dict(self._acked), self.total
        return copy

    def compare(self, items: Iterable[tuple[str, str]]) -> AckedCount:
        """With what a linearizable scan found. What is no number counts as nothing: somebody else has written there."""
        return count_acked(self._acked, {key: int(value) for key, value in items if value.isdecimal()})
