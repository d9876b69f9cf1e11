"""The arrival window: intervals between evidence of one subject, and their mean and deviation (Hayashibara 2004, §IV).

Law 1: whole microseconds and whole sums: equal inputs give equal statistics on every platform, and nothing drifts.
"""

from __future__ import annotations

from collections import deque
from math import isqrt

from cluster.core.types import Micros

# An interval this many first estimates long is an outage, not a rhythm: learning it would blind the detector (Cassandra's
# `MAX_INTERVAL`, 2 s beside its 1 s heartbeats; wider here, because several hops lie between us and the owner).
ABSURD_FIRST_ESTIMATES = 10


class Window:
    """At most `size` intervals. Before any was measured it holds the first estimate: the interval, plus and minus a quarter."""

    __slots__ = ("_absurd_us", "_intervals", "_size", "_squares", "_sum", "dropped", "mean_us", "std_us")

    def __init__(self, size: int, first_estimate_us: Micros) -> None:
        assert size >= 2
        assert first_estimate_us > 0
        self._size = size
        self._intervals: deque[Micros] = deque()
        self._sum = self._squares = 0
        self._absurd_us = ABSURD_FIRST_ESTIMATES * first_estimate_us
        self.dropped = 0
        self.mean_us = self.std_us = 0
        spread = first_estimate_us // 4
        self.add(first_estimate_us - spread)
        self.add(first_estimate_us + spread)

    def __len__(self) -> int:
        return len(self._intervals)

    def add(self, interval_us: Micros) -> None:
        """Take one interval, unless it is absurd (counted in `dropped`); the oldest leaves when the window is full."""
        if not 0 <= interval_us <= self._absurd_us:
            self.dropped += 1
            return
        intervals = self._intervals
        if len(intervals) >= self._size:
            oldest = intervals.popleft()
            self._sum -= oldest
            self._squares -= oldest * oldest
        intervals.append(interval_us)
        self._sum += interval_us
        self._squares += interval_us * interval_us
        count = len(intervals)
        self.mean_us = self._sum // count
        # n·Σx² − (Σx)² is never negative in whole numbers (Cauchy–Schwarz), which floats cannot promise.
        self.std_us = isqrt(count * self._squares - self._sum * self._sum) // count
