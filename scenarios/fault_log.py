"""The record of what was done to a run: `faults.jsonl`, one line when a step has landed everywhere, one when it is over.

Law 1: it says what happened, not what was asked for: a step that never landed is not in it.
Law 2: without times and in the order of steps, the logs of two variants are equal, or the variants must not be compared. The file itself
is in the order of what happened, in which steps that overlap may change places from run to run.
Law 3: what still stands when the run ends is over then, and the log says so: when a run ends is no difference between faults.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from scenarios.faults import ON_ANSWERS, ON_LINKS, Fault
from scenarios.lines import LineFile
from scenarios.model import holds
from scenarios.parts import On, length_ms, read_on
from scenarios.records import Records

Later = Callable[[float, Callable[[], None]], None]  # after so many milliseconds, unless the run is over
BY_HAND = -1  # the number of a step that no card knows; a run counts on downwards, and its log has this one
_PHASES = ("landed", "hit", "ended")
_OF_THIS_RUN = ("mono_ns", "who")


class Step(msgspec.Struct, frozen=True, eq=False):
    """A fault with this run's numbers; each is only itself. `ms`: None when it is never undone."""

    index: int
    fault: Fault
    on: On | None
    at_ms: float | None
    after_ms: float
    ms: float | None
    delay_ms: float
    jitter_ms: float

    @property
    def has_end(self) -> bool:
        """One that is done in an instant, and never undone, has none."""
        return self.ms is not None or (self.fault.do in ON_LINKS and self.fault.do != "reset")

    @property
    def undone_after_ms(self) -> float | None:
        return None if self.fault.do in ON_ANSWERS else self.ms


def steps_of(faults: Iterable[Fault], toggles: Mapping[str, str], scale: float) -> tuple[Step, ...]:
    """Those that these toggles have, numbered as in the card."""

    def length(text: str | float) -> float:
        return length_ms(text, toggles, scale)

    return tuple(
        Step(
            index, fault, read_on(fault.on) if fault.on else None, None if fault.at_ms is None else length(fault.at_ms),
            length(fault.after_ms), None if fault.ms == "" else length(fault.ms), length(fault.delay_ms), length(fault.jitter_ms),
        )
        for index, fault in enumerate(faults)
        if holds(fault.when, toggles)
    )  # fmt: skip


class FaultLog:
    """`begin` names those whom a step must reach before it has landed, and must leave before it is over."""

    def __init__(self, file: LineFile) -> None:
        self._file = file
        self._who: dict[Step, tuple[str, ...]] = {}
        self._to_reach: dict[Step, set[str]] = {}
        self._to_leave: dict[Step, set[str]] = {}
        self._landed: set[Step] = set()

    def begin(self, step: Step, names: Iterable[str]) -> None:
        self._who[step] = tuple(sorted(names))
        self._to_reach[step] = set(self._who[step])

    def landed(self, step: Step, name: str, at_us: int) -> bool:
        """Whether it has now landed everywhere."""
        waiting = self._to_reach.get(step, set())
        waiting.discard(name)
        if waiting or step not in self._to_reach:
            return False
        del self._to_reach[step]
        self._landed.add(step)
        self._write(step, "landed", at_us, who=self._who[step])
        if step.has_end:
            self._to_leave[step] = set(self._who[step])
        return True

    def has_landed(self, step: Step) -> bool:
        return step in self._landed

    def hit(self, step: Step, value: str, at_us: int) -> None:
        """One of several things that a step does while it stands."""
        self._write(step, "hit", at_us, value=value)

    def ended(self, step: Step, name: str, at_us: int) -> None:
        if step in self._to_leave:
            self._to_leave[step].discard(name)
            if not self._to_leave[step]:
                del self._to_leave[step]
                self._write(step, "ended", at_us)

    def close(self, at_us: int) -> None:
        """Law 3."""
        for step in self._to_leave:
            self._write(step, "ended", at_us)
        self._to_leave.clear()

    def _write(self, step: Step, phase: str, at_us: int, **more: Any) -> None:
        fault = step.fault
        number = max(step.index, BY_HAND)
        line = {"step": number, "phase": phase, "do": fault.do, "target": fault.target, "on": fault.on or "time", "ms": step.ms}
        self._file.write({**line, **more, "mono_ns": at_us * 1_000})


def told(records: Records) -> list[dict[str, Any]]:
    """The fault log as it may be compared (law 2)."""
    lines = [{field: value for field, value in line.data.items() if field not in _OF_THIS_RUN} for line in records.faults()]
    return sorted(lines, key=lambda line: (line["step"], _PHASES.index(line["phase"]), line.get("value", "")))
