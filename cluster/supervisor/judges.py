"""The live lights: client histories and telemetry go to the checkers, and what they find goes to the screen.

Law 1: safety is judged from what clients saw and from the monitors' records, never from a node's opinion of itself.
Law 2: history lines are put in the order of their own clock before they are judged: sockets are read in any order, and an
       effect must not be seen before its cause.
Law 3: what cannot be judged is `unknown`, and says why; it never turns green again by being forgotten.
Law 4: memory is bounded: a key that all clients have left behind is judged to its end and forgotten, unknown outcomes included.
       An operation that comes for it after all, from a client that slept, cannot be judged (Law 3).
"""

from __future__ import annotations

import heapq
from collections.abc import Callable

from cluster.check.availability import GapMeter
from cluster.check.invariants import Monitors
from cluster.check.linearizability import LiveChecker
from cluster.core.types import MS, SECOND, Micros
from cluster.telemetry.control import NOT_SWAPPED, RESET, SLOT_PREFIX, Counted, History, HistoryLine
from cluster.telemetry.eras import over_at
from cluster.telemetry.events import AckedCounted, Event, LightChanged, OpsCounted

# A client writes its `invoke` to the kernel before it sends the operation, so everything that preceded a completion is
# in some socket by then; this is how long the supervisor may take to have read all of them once.
_HOLD_BACK_US: Micros = 100 * MS
_LINES_MAX = 200_000
# Hot keys are retired by the clients after a while; a key that nobody has touched for this long costs memory only.
_KEY_IDLE_US: Micros = 60 * SECOND
_LATENCIES_MAX = 20_000

Publish = Callable[[Event], None]


class Judges:
    """Feed `history`, `event` and `counted`; call `pulse` a few times per second."""

    def __init__(self, publish: Publish, record_line: Callable[[HistoryLine], None]) -> None:
        self._publish = publish
        self._record_line = record_line
        self._lights: dict[str, tuple[str, str, int]] = {}
        self._counts = {"invoke": 0, "ok": 0, "fail": 0, "info": 0}
        self._latencies: list[Micros] = []
        self.rate = 0
        self._gaps, self._outage_before_us = GapMeter(), 0
        self.start_anew()

    def start_anew(self, now: Micros | None = None) -> None:
        """After a reset (at `now`): another cluster with other data; what was known of the last one proves nothing."""
        if now is not None:
            self._record_line(HistoryLine(-1, "info", RESET, "", (), now, ""))
        self._checker = LiveChecker()
        self._outage_before_us, self._gaps = self._outage_us(), GapMeter()
        self._monitors = Monitors()
        self._held: list[tuple[Micros, int, HistoryLine, Micros]] = []
        self._order = 0
        self._touched: dict[str, Micros] = {}
        self._overflowed = self._came_late = False
        self._lost = False
        self._lights.pop("acked", None)

    # ---- in -----------------------------------------------------------------------------------------------------

    def history(self, history: History, now: Micros) -> None:
        for line in history.lines:
            self._count(line)
            self._record_line(line)
            self._hold(line, now)
        self._latencies += history.latencies_us[: max(0, _LATENCIES_MAX - len(self._latencies))]

    def _count(self, line: HistoryLine) -> None:
        """A compare-and-set that met another value is a failure to a checker, and a good answer to a client."""
        kind = "ok" if line.error == NOT_SWAPPED else line.kind
        self._counts[kind] = self._counts.get(kind, 0) + 1

    def _hold(self, line: HistoryLine, now: Micros) -> None:
        if len(self._held) >= _LINES_MAX:
            self._overflowed = True
            return
        self._order += 1
        heapq.heappush(self._held, (line.at_us, self._order, line, now))

    def event(self, event: Event) -> None:
        """Telemetry and truth, as the chronicle tells them."""
        if self._monitors.feed(event):
            self._show_invariants(event.at_us)

    def counted(self, counts: list[Counted], now: Micros) -> None:
        """What the clients found when they looked for every write they had been promised."""
        complete = bool(counts) and all(count.complete for count in counts)
        acked = sum(count.acked for count in counts)
        lost = sum(count.lost for count in counts)
        examples = tuple(example for count in counts for example in count.examples)[:5]
        if lost:
            self._lost = True
            self._show("acked", "violated", f"{lost} acknowledged writes are gone: {', '.join(examples)}", acked, now)
        elif not complete:
            if not self._lost:
                self._show("acked", "unknown", "the cluster could not be read after the heal", acked, now)
            return
        elif not self._lost:
            self._show("acked", "ok", f"all {acked} are there", acked, now)
        self._publish(AckedCounted(now, acked, lost, examples))

    # ---- out ----------------------------------------------------------------------------------------------------

    def pulse(self, now: Micros) -> None:
        """Judge what has waited long enough, and show what changed."""
        while self._held and self._held[0][3] + _HOLD_BACK_US <= now:
            self._judge(heapq.heappop(self._held)[2], now)
        self._retire(now)
        state = "unknown" if (self._overflowed or self._came_late) and self._checker.state == "ok" else self._checker.state
        self._show("linearizable", state, self._evidence(), self._checker.checked, now)
        self._show_invariants(now)
        if "acked" not in self._lights:
            self._show("acked", "ok", "not counted yet", 0, now)

    def _judge(self, line: HistoryLine, now: Micros) -> None:
        self._gaps.feed(line)
        if line.key.startswith(SLOT_PREFIX):
            return  # one writer each: they are judged by the count of acknowledged writes
        if self._overflowed:
            return  # a history with holes proves nothing: a read of what a lost line wrote would look like a violation
        if self._touched.pop(line.key, None) is None and _left_behind(line.key, now):
            self._came_late |= line.kind == "invoke"  # an answer alone belongs to what was judged to its end
            return
        self._touched[line.key] = now  # newest last
        self._checker.feed(line)
        self._monitors.feed(line)

    def _outage_us(self) -> Micros:
        return self._outage_before_us + self._gaps.measured().outage_us

    def _retire(self, now: Micros) -> None:
        while self._touched:
            key, at_us = next(iter(self._touched.items()))
            if now - at_us < _KEY_IDLE_US:
                return
            del self._touched[key]
            if not _left_behind(key, now):
                self._checker.retire(key)
            else:
                self._checker.forget(key)  # what it finds is among the checker's violations

    def _evidence(self) -> str:
        if self._checker.state == "violated":
            return self._checker.violations[0].evidence
        if self._checker.unknown:
            return next(iter(self._checker.unknown.values()))
        if self._came_late:
            return "a client that slept asked for a key that all had left behind"
        return "more operations arrived than could be judged" if self._overflowed else ""

    def _show_invariants(self, now: Micros) -> None:
        for light, (state, checked, evidence) in self._monitors.lights().items():
            self._show(light, state, evidence, checked, now)

    def _show(self, light: str, state: str, evidence: str, checked: int, now: Micros) -> None:
        """Law 3: a light that was red stays red for the life of this cluster."""
        before = self._lights.get(light)
        if before is not None and before[:2] == (state, evidence) and before[2] == checked:
            return
        self._lights[light] = (state, evidence, checked)
        self._publish(LightChanged(now, light, state, evidence, checked))

    def ops(self, now: Micros) -> OpsCounted:
        """Totals so far, and the latencies since the last call."""
        latencies = sorted(self._latencies)
        self._latencies = []
        return OpsCounted(
            at_us=now,
            invoked=self._counts["invoke"],
            ok=self._counts["ok"],
            failed=self._counts["fail"],
            unknown=self._counts["info"],
            p50_us=_quantile(latencies, 0.5),
            p99_us=_quantile(latencies, 0.99),
            rate=self.rate,
            unavailable_us=self._outage_us(),
        )


def _left_behind(key: str, now: Micros) -> bool:
    """For so long that no operation on `key` can be under way any more, but for one of a client that slept."""
    over_us = over_at(key)
    return over_us is not None and over_us + _KEY_IDLE_US <= now


def _quantile(ordered: list[Micros], share: float) -> Micros:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0
