"""What time a node believes it is, and how it notices that it was frozen. True time comes in as an argument.

Law 1: protocol time never falls: when a skew is taken away it stands still until the true clock has caught up.
Law 2: drift leaves its residue: a clock that ran fast stays ahead when it runs true again (nothing here disciplines
       it).
Law 3: freezes are found on the true clock, before anything that queued up meanwhile is looked at.
"""

from __future__ import annotations

from typing import Final

from cluster.core.types import Micros

_DRIFT_MIN: Final = 0.01
_DRIFT_MAX: Final = 100.0


class NodeClock:
    """Protocol time, from true time by skew and drift."""

    def __init__(self, now_us: Micros) -> None:
        self._skew_us: Micros = 0
        self._drift = 1.0
        # Protocol time without skew is `_base_us` at true time `_since_us`, and runs `_drift` times as fast.
        self._base_us = self._since_us = now_us
        self._shown_us = now_us

    def now(self, true_now_us: Micros) -> Micros:
        """Protocol time, µs. Never below what was returned before."""
        elapsed_us = true_now_us - self._since_us
        raw_us = self._base_us + self._skew_us + (elapsed_us if self._drift == 1.0 else int(elapsed_us * self._drift))
        if raw_us > self._shown_us:
            self._shown_us = raw_us
        return self._shown_us

    def until(self, deadline_us: Micros, true_now_us: Micros) -> Micros:
        """True µs from now until protocol time reaches `deadline_us`; 0 when it has."""
        if deadline_us <= self.now(true_now_us):
            return 0
        # Rounded up: a timer that fires a microsecond early would only have to be armed again.
        return int((deadline_us - self._raw(true_now_us)) / self._drift) + 1

    def offset_us(self, true_now_us: Micros) -> Micros:
        """How far protocol time is ahead of true time: skew, and what drift has added up to."""
        return self.now(true_now_us) - true_now_us

    def set_fault(self, skew_us: Micros, drift: float, true_now_us: Micros) -> None:
        """Step the clock by the change of skew; from now on it runs `drift` times as fast as the true one."""
        unskewed_us = self._raw(true_now_us) - self._skew_us
        self._base_us, self._since_us = unskewed_us, true_now_us
        self._skew_us = skew_us
        self._drift = min(max(drift, _DRIFT_MIN), _DRIFT_MAX)

    def _raw(self, true_now_us: Micros) -> Micros:
        elapsed_us = true_now_us - self._since_us
        return self._base_us + self._skew_us + (elapsed_us if self._drift == 1.0 else int(elapsed_us * self._drift))


class FreezeWatch:
    """Finds the gaps that SIGSTOP, a long collection or a suspended laptop leave between two turns of the loop.

    Someone must call `turn` at least every `interval_us`. A busy machine makes that late by some tens of ms, which stays
    below the threshold.
    """

    def __init__(self, threshold_us: Micros, now_us: Micros) -> None:
        self._threshold_us = threshold_us
        self._last_us = now_us
        self.interval_us: Micros = max(1_000, threshold_us // 3)

    def gap_us(self, now_us: Micros) -> Micros:
        """The length of the gap that ends now, or 0 when it is no freeze. Changes nothing."""
        gap_us = now_us - self._last_us
        return gap_us if gap_us > self._threshold_us else 0

    def turn(self, now_us: Micros) -> Micros:
        """The same, and the next gap is counted from here."""
        gap_us = self.gap_us(now_us)
        self._last_us = now_us
        return gap_us
