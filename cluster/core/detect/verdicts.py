"""Who is believed alive: four verdicts on one stream of evidence, one of which decides.

Law 1: only evidence clears; only silence convicts. A window that changes its mind does neither.
Law 2: one's own absence is no evidence against others: after a freeze, arrivals move with the gap and convictions wait.
Law 3: a subject that was never heard is given time to start before its silence counts.
Law 4: a verdict is a comparison of whole numbers, recomputed when its window changes, not when time passes.
"""

from __future__ import annotations

from collections.abc import Iterable

from cluster.core.detect.phi import DETECTORS, patiences_us, phi_tenths
from cluster.core.detect.ready import DetectEvent, Opinion, ShadowConvicted, VerdictChanged
from cluster.core.detect.window import Window
from cluster.core.policy import DetectPolicy
from cluster.core.types import Micros, NodeId

# "Nothing is due": an integer, so that runtimes can take the minimum of deadlines.
NEVER_US: Micros = 1 << 62
# How many fixed timeouts a node may take to start before it is expected to speak (Law 3).
START_TIMEOUTS = 3


class Subject:
    """One peer under observation. `patience_us[i]` is the silence at which verdict `DETECTORS[i]` convicts."""

    __slots__ = ("arrival_us", "convicted", "patience_us", "spoke", "window")

    def __init__(self, window: Window, arrival_us: Micros) -> None:
        self.window = window
        self.arrival_us = arrival_us  # of the last evidence; for a silent newcomer, when it was due to speak
        self.spoke = False
        self.convicted = [False] * len(DETECTORS)
        self.patience_us: list[Micros] = [0] * len(DETECTORS)


class Detector:
    """Fed with evidence by `heard`, asked with `check`; never reads a clock."""

    def __init__(self, policy: DetectPolicy, subjects: Iterable[NodeId]) -> None:
        assert policy.decider in DETECTORS, f"unknown decider {policy.decider!r}"
        self._policy = policy
        self._decider = DETECTORS.index(policy.decider)
        self._names = tuple(dict.fromkeys(subjects))
        self._subjects: dict[NodeId, Subject] = {}  # filled by the first call that brings a time
        self._suspended_until_us: Micros = 0
        self._pending: list[DetectEvent] = []  # clearings, until the next check
        self._due_us: Micros = 0  # no conviction can happen before; may be early, never late

    # ---- evidence ---------------------------------------------------------------------------------------------------

    def heard(self, subject: NodeId, now: Micros) -> None:
        """`subject`'s generation or heartbeat advanced. Whoever it convicted is cleared; the next `check` says so."""
        self._begin(now)
        known = self._subjects.get(subject)
        if known is None:
            return  # a gossip member that this node was not asked to watch
        silence = max(0, now - known.arrival_us)
        if known.convicted[self._decider]:
            phi = self._tenths(known, silence) / 10
            self._pending.append(VerdictChanged(subject, False, phi, self._policy.decider, silence))
        if known.spoke:
            known.window.add(silence)
        known.spoke = True
        known.arrival_us = now
        known.convicted = [False] * len(DETECTORS)
        self._measure(known)

    def watch(self, subjects: Iterable[NodeId], now: Micros) -> None:
        """More subjects, who have as long to speak as all had at the start."""
        self._begin(now)
        new = [name for name in dict.fromkeys(subjects) if name not in self._subjects]
        self._names += tuple(new)
        for name in new:
            self._admit(name, now)
        self._due_us = min(self._due_us, now)

    def froze(self, gap_us: Micros, now: Micros) -> None:
        """This node itself stood still for `gap_us` until `now` (Law 2)."""
        self._begin(now)
        # Arrivals only move later, so the earliest conviction (`_due_us`) stays a lower bound.
        for known in self._subjects.values():
            # A newcomer's due time may lie ahead and stays there.
            known.arrival_us = min(known.arrival_us + gap_us, max(now, known.arrival_us))
        self._suspended_until_us = now + self._policy.local_pause_us

    # ---- verdicts ---------------------------------------------------------------------------------------------------

    def check(self, now: Micros) -> list[DetectEvent]:
        """Clearings since the last check, and convictions that are due, in the order of subjects."""
        self._begin(now)
        changes, self._pending = self._pending, []
        if now >= max(self._due_us, self._suspended_until_us):
            self._due_us = NEVER_US
            for name, known in self._subjects.items():
                self._convict(name, known, now, changes)
        return changes

    def deadline(self) -> Micros:
        """When `check` may next have something to say (0: at once)."""
        if self._pending or (not self._subjects and self._names):
            return 0
        return self._due_us if self._due_us > self._suspended_until_us else self._suspended_until_us

    def alive(self, subject: NodeId) -> bool:
        """Not convicted by the decider; true of whoever is not watched."""
        known = self._subjects.get(subject)
        return known is None or not known.convicted[self._decider]

    def beliefs(self, now: Micros) -> tuple[Opinion, ...]:
        """What the decider thinks of every subject, in their given order."""
        self._begin(now)
        suspended = max(0, self._suspended_until_us - now)
        opinions: list[Opinion] = []
        for name, known in self._subjects.items():
            silence = now - known.arrival_us
            if known.convicted[self._decider]:
                opinions.append(Opinion(name, self._tenths(known, silence), False, 0))
                continue
            tenths = self._tenths(known, silence) if known.spoke else -1
            opinions.append(Opinion(name, tenths, True, max(1, known.patience_us[self._decider] - silence, suspended)))
        return tuple(opinions)

    # ---- inside -----------------------------------------------------------------------------------------------------

    def _begin(self, now: Micros) -> None:
        if self._subjects or not self._names:
            return
        for name in self._names:
            self._admit(name, now)

    def _admit(self, name: NodeId, now: Micros) -> None:
        policy = self._policy
        window = Window(policy.window, policy.first_estimate_us)
        known = self._subjects[name] = Subject(window, now + START_TIMEOUTS * policy.timeout_us)
        self._measure(known)

    def _measure(self, known: Subject) -> None:
        policy, window = self._policy, known.window
        std_us = max(window.std_us, policy.std_floor_us)
        known.patience_us = patiences_us(policy.threshold, window.mean_us, std_us, policy.acceptable_pause_us, policy.timeout_us)
        self._due_us = min(self._due_us, known.arrival_us + min(known.patience_us))

    def _convict(self, name: NodeId, known: Subject, now: Micros, changes: list[DetectEvent]) -> None:
        silence = now - known.arrival_us
        for index, patience in enumerate(known.patience_us):
            if known.convicted[index]:
                continue
            if silence < patience:
                self._due_us = min(self._due_us, known.arrival_us + patience)
                continue
            known.convicted[index] = True
            if index == self._decider:
                changes.append(VerdictChanged(name, True, self._tenths(known, silence) / 10, DETECTORS[index], silence))
            else:
                changes.append(ShadowConvicted(name, DETECTORS[index], silence))

    def _tenths(self, known: Subject, silence_us: Micros) -> int:
        policy, window = self._policy, known.window
        std_us = max(1, window.std_us, policy.std_floor_us)
        pause_us, timeout_us = policy.acceptable_pause_us, policy.timeout_us
        return phi_tenths(policy.decider, policy.threshold, silence_us, window.mean_us, std_us, pause_us, timeout_us)
