"""How long clients asked in vain.

Definition: clients *wait* while at least one operation is open. A gap is a longest stretch in which clients waited or had just
been refused, and no operation returned ok: it begins at the first invocation after the last ok (at that ok, if another
operation was open then) and ends at the next ok. `fail` and `info` end nothing: being told no is not being served. A stretch of
`IDLE_US` in which nothing was open ends a gap where it begins: a workload that was switched off is not an outage.

Law 1: every ok ends a gap, so two gaps never overlap, and a healthy run has one short gap per operation: only gaps of at least
`floor_us` count as outages.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from cluster.core.types import MS, Micros
from cluster.telemetry.control import HistoryLine

# Two heartbeats of the demo profile: a healthy operation takes a tenth of it, the quickest election more.
FLOOR_US: Micros = 100 * MS
# Clients that are refused ask again much sooner than this, at any rate worth the name.
IDLE_US: Micros = 2_000 * MS
OUTAGES_MAX = 1_000


class Outage(msgspec.Struct, frozen=True):
    begin_us: Micros
    end_us: Micros


class Availability(msgspec.Struct, frozen=True):
    """`longest_us`: the longest gap of all, however short. `outage_us`: sum of the gaps that count; `outages`: the first of them."""

    longest_us: Micros
    outage_us: Micros
    outages: tuple[Outage, ...]

    @property
    def unavailable_ms(self) -> int:
        """Total time in outages, whole milliseconds."""
        return self.outage_us // MS


class GapMeter:
    """Fed with every client's records in time order."""

    def __init__(self, floor_us: Micros = FLOOR_US) -> None:
        self._floor_us = floor_us
        self._open: set[int] = set()  # processes with an operation open
        self._begin_us: Micros | None = None
        self._last_us: Micros = 0
        self._longest_us = self._outage_us = 0
        self._outages: list[Outage] = []

    def feed(self, line: HistoryLine) -> None:
        before_us, self._last_us = self._last_us, line.at_us
        if line.kind == "invoke":
            if self._begin_us is not None and not self._open and line.at_us - before_us >= IDLE_US:
                self._count(Outage(self._begin_us, before_us))
                self._begin_us = None
            self._open.add(line.process)
            if self._begin_us is None:
                self._begin_us = line.at_us
            return
        self._open.discard(line.process)
        if line.kind == "ok":
            if self._begin_us is not None:
                self._count(Outage(self._begin_us, line.at_us))
            self._begin_us = line.at_us if self._open else None

    def measured(self) -> Availability:
        """So far, an unfinished gap included up to the last record."""
        longest_us, outage_us, outages = self._longest_us, self._outage_us, tuple(self._outages)
        if self._begin_us is not None:
            gap_us = self._last_us - self._begin_us
            longest_us = max(longest_us, gap_us)
            if gap_us >= self._floor_us:
                outage_us += gap_us
                outages = (*outages, Outage(self._begin_us, self._last_us))[:OUTAGES_MAX]
        return Availability(longest_us, outage_us, outages)

    def _count(self, gap: Outage) -> None:
        gap_us = gap.end_us - gap.begin_us
        self._longest_us = max(self._longest_us, gap_us)
        if gap_us >= self._floor_us:
            self._outage_us += gap_us
            if len(self._outages) < OUTAGES_MAX:
                self._outages.append(gap)


def availability(lines: Iterable[HistoryLine], floor_us: Micros = FLOOR_US) -> Availability:
    """Measure a finished history."""
    meter = GapMeter(floor_us)
    for line in lines:
        meter.feed(line)
    return meter.measured()
