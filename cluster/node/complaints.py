"""What went wrong at a node's edge: every case is counted, and at most one line a second reaches the operator.

Law 1: a flood of garbage costs a counter each, never a line each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final

from cluster.core.types import SECOND, Micros

LINE_BYTES_MAX: Final = 300


class Complaints:
    """`tell(text)` is called at most once a second, with the number of those kept back since."""

    def __init__(self, tell: Callable[[str], None], clock: Callable[[], Micros]) -> None:
        self.counts: Counter[str] = Counter()
        self._tell, self._clock = tell, clock
        self._told_us: Micros | None = None
        self._kept_back = 0

    def add(self, kind: str, text: str) -> None:
        """`kind` names the counter ("garbage", "refused", "oversized" …); `text` is the line."""
        self.counts[kind] += 1
        now_us = self._clock()
        if self._told_us is not None and now_us - self._told_us < SECOND:
            self._kept_back += 1
            return
        more = f" (and {self._kept_back} more)" if self._kept_back else ""
        self._told_us, self._kept_back = now_us, 0
        self._tell(text[:LINE_BYTES_MAX] + more)
