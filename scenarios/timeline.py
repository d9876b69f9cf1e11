"""When each step of a run's faults begins: upon an event, or at its time; what it then does is for processes or for links.

Law 1: a step at a failpoint is armed before the workload begins and done by the process itself; the others are done here.
Law 2: a step at the time 0 is in force before the workload begins.
Law 3: nothing is begun or undone after `close`; what stands then is over.
Law 4: a step that names a role which nobody has begins as soon as somebody has it: in a storm there may be no leader to kill.
"""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from cluster.core.errors import UsageError
from scenarios.control import Arm
from scenarios.edges import Edge, Edges, values_of
from scenarios.fault_log import BY_HAND, FaultLog, Step, steps_of
from scenarios.faults import ON_LINKS, Fault, Verb
from scenarios.lines import LineFile, now_ns
from scenarios.links import pairs_of, read_sides
from scenarios.parts import On
from scenarios.records import HAND
from scenarios.victims import Victims

NOBODY_MS = 20.0  # until a role that nobody had is looked for again


def _itself(word: str) -> tuple[str, ...]:
    return (word,)


class Hands(msgspec.Struct, frozen=True):
    """How a timeline acts. `members`: who is meant by a word of a target (`kv.leader`) just now; `UsageError` if nobody is."""

    send: Callable[[str, signal.Signals], None]
    restart: Callable[[str], bool]
    edges: tuple[Edge, ...] = ()
    members: Callable[[str], tuple[str, ...]] = _itself


class Timeline:
    """It hears of everything: words of processes, reports of the kernel, edges that act by new rules."""

    def __init__(self, faults: tuple[Fault, ...], toggles: Mapping[str, str], scale: float, file: LineFile, hands: Hands) -> None:
        self._steps = steps_of(faults, toggles, scale)
        self._by_index = {step.index: step for step in self._steps}
        self._members = hands.members
        self._log = FaultLog(file)
        self._victims = Victims(self._log, hands.send, hands.restart, self._later)
        self.edges = Edges(self._log, hands.edges, self._later)
        self._heard: Counter[tuple[str, str]] = Counter()  # (event, process) -> how often, over all its lives
        self._acted: Counter[tuple[int, str]] = Counter()  # (step, value) -> how often, at a failpoint
        self._certain = [step for step in self._steps if step.at_ms is not None]  # to come, whatever the workload does
        self._timers: set[asyncio.TimerHandle] = set()
        self._closed = False
        self._by_hand = 0

    def adopt(self, fault: Fault, **numbers: Any) -> Step:
        """A step that somebody at a keyboard asks for, done and heard of by the same code as the card's. `numbers`: as in `Step`."""
        self._by_hand += 1
        blank: dict[str, Any] = {"on": None, "at_ms": None, "after_ms": 0.0, "ms": None, "delay_ms": 0.0, "jitter_ms": 0.0}
        step = Step(BY_HAND - self._by_hand, fault, **{**blank, **numbers})
        self._by_index[step.index] = step
        return step

    def arm_by_hand(self, event: str, process: str, do: Verb, ms: float | None) -> Arm:
        """The next time that this process comes to that failpoint, also if that is in its next life."""
        nth = self._heard[event, process] + 1
        step = self.adopt(Fault(do=do, target=process, on=HAND, nth=nth), on=On("failpoint", event, process), ms=ms)
        self._steps = (*self._steps, step)
        arm = self._arm(step)
        assert arm is not None
        return arm

    # ---- beginning ----------------------------------------------------------------------------------------------

    def set_up(self) -> None:
        """Before the workload: law 2."""
        for step in self._steps:
            if step.at_ms == 0:
                self._begin(step)

    def go(self) -> None:
        """The workload begins."""
        for step in self._steps:
            if step.at_ms:
                self._later(step.at_ms, lambda step=step: self._begin(step))  # type: ignore[misc]

    @property
    def coming(self) -> set[str]:
        """Steps that are certain to come and have not landed yet: a run is not over before them."""
        return {f"fault[{step.index}]" for step in self._certain if not self._log.has_landed(step)}

    @property
    def not_in_force(self) -> set[str]:
        """Of those that should be before the workload begins (law 2)."""
        return {f"fault[{step.index}]" for step in self._certain if step.at_ms == 0 and not self._log.has_landed(step)}

    def arms(self, process: str) -> list[Arm]:
        """What a process must be armed with before it goes: in its second life, what is still to come."""
        arms = (self._arm(step) for step in self._steps if step.on and step.on.kind == "failpoint" and step.on.process == process)
        return [arm for arm in arms if arm is not None]

    def _arm(self, step: Step) -> Arm | None:
        assert step.on is not None
        fault, nth = step.fault, step.fault.nth
        for field, values in fault.where.items():
            left = {value: fault.hits - self._acted[step.index, value] for value in values}
            left = {value: count for value, count in left.items() if count > 0}
            return Arm(step.on.event, fault.do, 1, fault.hold, step.index, step.ms or 0.0, field, left) if left else None
        nth -= self._heard[step.on.event, step.on.process]
        return Arm(step.on.event, fault.do, nth, fault.hold, step.index, step.ms or 0.0) if nth > 0 else None

    def heard(self, event: str, process: str) -> None:
        """A process traced something: perhaps a step is due."""
        self._heard[event, process] += 1
        for step in self._steps:
            on = step.on
            if on is None or on.kind != "trace" or (on.event, on.process) != (event, process):
                continue
            if step.fault.nth == self._heard[event, process]:
                self._soon(step, step.after_ms)

    def acting(self, process: str, index: int, value: str) -> None:
        """At a failpoint a process is doing it in this moment."""
        step = self._by_index[index]
        self._acted[index, value] += 1
        if step.fault.do == "delay":
            self._log.hit(step, value, now_ns() // 1_000)
        else:
            self._victims.begin(step, (process,), by_itself=True)

    def _soon(self, step: Step, ms: float) -> None:
        self._certain.append(step)
        if ms:
            self._later(ms, lambda: self._begin(step))
        else:
            self._begin(step)

    def _begin(self, step: Step) -> None:
        if self._closed:
            return
        try:
            self._act(step)
        except UsageError:  # nobody has the role just now: it begins when somebody has, or never
            self._later(NOBODY_MS, lambda: self._begin(step))

    def _act(self, step: Step) -> None:
        if step.fault.do not in ON_LINKS:
            self._victims.begin(step, self._members(step.fault.target))
            return
        sides = read_sides(step.fault.target)
        assert sides is not None
        self.edges.begin(step, pairs_of(sides, self._members))

    # ---- what is heard ------------------------------------------------------------------------------------------

    def stopped(self, process: str, at_us: int) -> None:
        self._victims.stopped(process, at_us)

    def continued(self, process: str, at_us: int) -> None:
        self._victims.continued(process, at_us)

    def started(self, process: str, at_us: int) -> None:
        self._victims.started(process, at_us)

    def exited(self, process: str, status: int, at_us: int) -> bool:
        """Whether a step asked for it."""
        return self._victims.exited(process, status, at_us)

    def applied(self, edge: str, version: int) -> None:
        self.edges.applied(edge, version, now_ns() // 1_000)

    def caught(self, index: int, value: str) -> None:
        """A proxy ate or held an answer."""
        step = self._by_index[index]
        self._log.hit(step, value, now_ns() // 1_000)
        self._acted[index, value] += 1
        if step.fault.on == HAND and all(self._acted[index, one] >= step.fault.hits for one in values_of(step.fault)):
            self.edges.end(step)  # it was asked for so many, and has them

    # ---- the end ------------------------------------------------------------------------------------------------

    def close(self) -> None:
        self._closed = True
        for timer in self._timers:
            timer.cancel()
        self._log.close(now_ns() // 1_000)

    def _later(self, ms: float, do: Callable[[], None]) -> None:
        def now() -> None:
            self._timers.discard(timer)
            do()

        if not self._closed:
            timer = asyncio.get_running_loop().call_later(ms / 1_000, now)
            self._timers.add(timer)
