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
from scenarios.model import Fault, pause_ms, read_on
from scenarios.records import Records


class Step(msgspec.Struct, frozen=True):
    """A fault with this run's numbers."""

    index: int
    fault: Fault
    ms: float


class Timeline:
    """`send(process, signal)` is the stage's."""

    def __init__(
        self, faults: tuple[Fault, ...], toggles: Mapping[str, str], scale: float, log: LineFile,
        send: Callable[[str, signal.Signals], None],
    ) -> None:  # fmt: skip
        self._steps = [Step(i, fault, pause_ms(fault, toggles, scale)) for i, fault in enumerate(faults)]
        self._log = log
        self._send = send
        self._heard: Counter[str] = Counter()
        self._awaited: dict[str, Step] = {}  # target -> the step whose stop the kernel has not yet confirmed
        self._standing: dict[str, Step] = {}

    def arms(self) -> list[tuple[str, Arm]]:
        """What must be armed at whom before the workload begins."""
        found = []
        for step in self._steps:
            on = read_on(step.fault.on)
            if on.kind == "failpoint":
                found.append((on.process, Arm(on.event, step.fault.do, step.fault.nth, step.fault.hold)))
                self._awaited[step.fault.target] = step
        return found

    def heard(self, event: str, process: str) -> None:
        """A process traced something: perhaps a step is due."""
        key = f"trace:{event}@{process}"
        self._heard[key] += 1
        for step in self._steps:
            if step.fault.on == key and step.fault.nth == self._heard[key]:
                self._awaited[step.fault.target] = step
                self._send(step.fault.target, signal.SIGSTOP)

    def stopped(self, process: str, at_us: int) -> None:
        """The kernel says so. A stop that no step asked for is somebody else's, and not ours to undo."""
        step = self._awaited.pop(process, None)
        if step is None:
            return
        self._standing[process] = step
        self._write(step, "landed", at_us)
        loop = asyncio.get_running_loop()
        loop.call_later(step.ms / 1_000, self._send, process, signal.SIGCONT)

    def continued(self, process: str, at_us: int) -> None:
        step = self._standing.pop(process, None)
        if step is not None:
            self._write(step, "ended", at_us)

    def _write(self, step: Step, phase: str, at_us: int) -> None:
        fault = step.fault
        line = {"step": step.index, "phase": phase, "do": fault.do, "target": fault.target, "on": fault.on, "ms": step.ms}
        self._log.write({**line, "mono_ns": at_us * 1_000})


def told(records: Records) -> list[dict[str, Any]]:
    """The fault log without its times (law 3)."""
    return [{field: value for field, value in line.data.items() if field != "mono_ns"} for line in records.faults()]
