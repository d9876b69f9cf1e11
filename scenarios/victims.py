"""Faults of processes: signals out, and what the kernel says of them back in.

Law 1: nothing has landed before the parent of the process was told so by the kernel.
Law 2: a process that several steps hold still is continued when the last of them is over.
Law 3: a stop or an end that no step asked for is somebody else's: neither logged nor undone.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable

from scenarios.fault_log import FaultLog, Later, Step
from scenarios.lines import now_ns

_SIGNALS = {"pause": signal.SIGSTOP, "kill": signal.SIGKILL, "term": signal.SIGTERM}


class Victims:
    """`send(process, signal)`; `restart(process)` is False when it runs, or cannot be run again."""

    def __init__(self, log: FaultLog, send: Callable[[str, signal.Signals], None], restart: Callable[[str], bool], later: Later) -> None:
        self._log = log
        self._send = send
        self._restart = restart
        self._later = later
        self._due: dict[str, list[Step]] = {}  # process -> steps that the kernel has not yet confirmed
        self._held: dict[str, list[Step]] = {}  # process -> pauses that are not over
        self._waking: set[str] = set()  # sent a SIGCONT, not yet seen to run
        self._down: dict[str, Step] = {}  # process -> the step that ended it, and is over when it runs again

    def begin(self, step: Step, names: Iterable[str], *, by_itself: bool = False) -> None:
        """`by_itself`: at a failpoint the process is doing it already."""
        names = tuple(names)
        self._log.begin(step, names)
        for name in names:
            self._due.setdefault(name, []).append(step)
            if by_itself:
                continue
            if step.fault.do == "restart":
                if not self._restart(name):
                    self._due[name].remove(step)
            elif step.fault.do == "pause" and self._held.get(name) and name not in self._waking:
                self.stopped(name, now_ns() // 1_000)  # the kernel has nothing to say of one that stands still already
            else:
                self._send(name, _SIGNALS[step.fault.do])

    def stopped(self, name: str, at_us: int) -> None:
        for step in self._take(name, "pause"):
            self._held.setdefault(name, []).append(step)
            self._log.landed(step, name, at_us)
            assert step.ms is not None
            self._later(step.ms, lambda step=step: self._release(step, name))  # type: ignore[misc]

    def _release(self, step: Step, name: str) -> None:
        held = self._held.get(name, [])
        if step not in held:
            return
        if len(held) == 1:
            self._waking.add(name)
            self._send(name, signal.SIGCONT)
        else:
            held.remove(step)
            self._log.ended(step, name, now_ns() // 1_000)

    def continued(self, name: str, at_us: int) -> None:
        self._waking.discard(name)
        for step in self._held.pop(name, []):
            self._log.ended(step, name, at_us)

    def exited(self, name: str, status: int, at_us: int) -> bool:
        """Whether a step asked for it."""
        asked = [*(self._take(name, "kill") if status == -signal.SIGKILL else []), *self._take(name, "term")]
        for step in asked:
            self._log.landed(step, name, at_us)
            if step.ms is not None:
                self._down[name] = step
                self._later(step.ms, lambda: self._raise(name))
        self.continued(name, at_us)  # the dead are not held any more
        return bool(asked)

    def _raise(self, name: str) -> None:
        self._restart(name)

    def started(self, name: str, at_us: int) -> None:
        for step in self._take(name, "restart"):
            self._log.landed(step, name, at_us)
        self._due.pop(name, None)  # asked of its former life
        if name in self._down:
            self._log.ended(self._down.pop(name), name, at_us)

    def _take(self, name: str, do: str) -> list[Step]:
        due = self._due.get(name, [])
        self._due[name] = [step for step in due if step.fault.do != do]
        return [step for step in due if step.fault.do == do]
