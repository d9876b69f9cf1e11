"""The faults of a run: each bound to an event, each logged when the kernel confirms it, each undone at its time.

Law 1: a step at a failpoint is armed before the workload begins and done by the process itself; the others are done here, on hearing.
Law 2: `faults.jsonl` says what happened, not what was asked: a step that never landed is not in it.
Law 3: without their times, the fault logs of two variants are equal, or the variants must not be compared.
"""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from scenarios.control import Arm
from scenarios.lines import LineFile
from scenarios.model import Fault, read_on, undone_ms
from scenarios.records import HAND, Records


class Step(msgspec.Struct, frozen=True):
    """A fault with this run's numbers."""

    index: int
    fault: Fault
    ms: float | None


# The number of a step that no card knows.
BY_HAND = -1
_SIGNALS = {"pause": signal.SIGSTOP, "kill": signal.SIGKILL}


class Timeline:
    """`send(process, signal)` and `restart(process)` are how it acts."""

    def __init__(
        self, faults: tuple[Fault, ...], toggles: Mapping[str, str], scale: float, log: LineFile,
        send: Callable[[str, signal.Signals], None], restart: Callable[[str], None],
    ) -> None:  # fmt: skip
        self._steps = [Step(i, fault, undone_ms(fault, toggles, scale)) for i, fault in enumerate(faults)]
        self._log = log
        self._send = send
        self._restart = restart
        self._heard: Counter[tuple[str, str]] = Counter()  # (event, process) -> how often, over all its lives
        self._ours: dict[str, Step] = {}  # target -> the step that is due and not yet confirmed by the kernel
        self._standing: dict[str, Step] = {}  # target -> the step that is not yet undone

    def arms(self, process: str) -> list[Arm]:
        """What a process must be armed with before it goes: in its second life, what is still to come."""
        steps = [(read_on(step.fault.on), step.fault) for step in self._steps]
        return [
            Arm(on.event, fault.do, fault.nth - self._heard[on.event, process], fault.hold)
            for on, fault in steps
            if on.kind == "failpoint" and on.process == process and fault.nth > self._heard[on.event, process]
        ]

    def heard(self, event: str, process: str) -> None:
        """A process traced something: perhaps a step is due. At a failpoint the process is doing it already."""
        self._heard[event, process] += 1
        for step in self._steps:
            on = read_on(step.fault.on)
            if (on.event, on.process) == (event, process) and step.fault.nth == self._heard[event, process]:
                self._ours[step.fault.target] = step
                if on.kind == "trace":
                    self._send(step.fault.target, _SIGNALS[step.fault.do])

    def stopped(self, process: str, at_us: int) -> None:
        """The kernel says so. A stop that no step asked for is somebody else's, and not ours to undo."""
        step = self._landed(process, "pause", at_us)
        if step is not None and step.ms is not None:
            asyncio.get_running_loop().call_later(step.ms / 1_000, self._send, process, signal.SIGCONT)

    def exited(self, process: str, status: int, at_us: int) -> bool:
        """Whether a step asked for it."""
        if status != -signal.SIGKILL:
            return False
        step = self._landed(process, "kill", at_us)
        if step is not None and step.ms is not None:
            asyncio.get_running_loop().call_later(step.ms / 1_000, self._restart, process)
        return step is not None

    def undone(self, process: str, at_us: int) -> None:
        """It was continued, or runs again."""
        step = self._standing.pop(process, None)
        if step is not None:
            self._write(step, "ended", at_us)

    def by_hand(self, do: str, target: str, at_us: int, phase: str = "landed", ms: float | None = None) -> None:
        """Somebody at a keyboard did something to the run: told like a step, so that it is never compared with an untouched one."""
        self._log.write({"step": BY_HAND, "phase": phase, "do": do, "target": target, "on": HAND, "ms": ms, "mono_ns": at_us * 1_000})

    def _landed(self, process: str, do: str, at_us: int) -> Step | None:
        step = self._ours.get(process)
        if step is None or step.fault.do != do:
            return None
        self._standing[process] = self._ours.pop(process)
        self._write(step, "landed", at_us)
        return step

    def _write(self, step: Step, phase: str, at_us: int) -> None:
        fault = step.fault
        line = {"step": step.index, "phase": phase, "do": fault.do, "target": fault.target, "on": fault.on, "ms": step.ms}
        self._log.write({**line, "mono_ns": at_us * 1_000})


def told(records: Records) -> list[dict[str, Any]]:
    """The fault log without its times (law 3)."""
    return [{field: value for field, value in line.data.items() if field != "mono_ns"} for line in records.faults()]
