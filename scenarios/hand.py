"""What somebody at a keyboard does to a run: the operators' verbs upon its processes, told in the fault log like the card's own steps.

Law 1: asked is not done: a line is written when the kernel confirms it, with the kernel's time.
Law 2: every fault made by hand is marked as such, so the run is never taken for one that was left alone.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable

from cluster.commands.model import Command, Crash, Heal, Pause, Restart, SetToggle
from cluster.core.errors import UsageError
from cluster.supervisor.zygote import Continued, Exited, Report, Started, Stopped
from scenarios.fault_log import BY_HAND
from scenarios.lines import LineFile, now_ns
from scenarios.records import HAND

VERBS = "pause, crash, restart, cut, isolate, slow, loss, drop-response, hold-response, arm, heal and set"


class Hand:
    """`send(process, signal)`, `restart(process)` and `turn(toggle, value)` are how it acts."""

    def __init__(
        self, log: LineFile, send: Callable[[str, signal.Signals], None], restart: Callable[[str], object], turn: Callable[[str, str], None]
    ) -> None:
        self._log = log
        self._send = send
        self._restart = restart
        self._turn = turn
        self._states: dict[str, str] = {}  # process -> "up" | "paused" | "gone"
        self._asked: dict[str, tuple[str, float | None]] = {}  # process -> what the kernel has not confirmed yet, and its ms
        self._standing: dict[str, tuple[str, float | None]] = {}  # process -> what is not undone yet

    @property
    def names(self) -> tuple[str, ...]:
        """Every process that was ever heard of."""
        return tuple(sorted(self._states))

    @property
    def holds(self) -> bool:
        """Whether somebody stands still."""
        return "paused" in self._states.values()

    def obey(self, command: Command) -> str:
        """Returns what is being done. Raises `UsageError` for what a run cannot have done to it."""
        match command:
            case Pause(targets=targets, for_us=for_us):
                return self._signal(targets, "pause", signal.SIGSTOP, for_us)
            case Crash(targets=targets, for_us=for_us):
                return self._signal(targets, "kill", signal.SIGKILL, for_us)
            case Restart(targets=targets):
                return self._again(targets)
            case Heal(targets=targets, ids=()):
                return self._continue(targets)
            case SetToggle(toggle=toggle, value=value):
                self._turn(toggle, value)
                self._write("set", f"{toggle}={value}", "landed", now_ns() // 1_000)
                return f"{toggle} is {value} now"
        raise UsageError(f"no {type(command).__name__.lower()} here: a run takes {VERBS}")

    def _signal(self, targets: tuple[str, ...], do: str, signum: signal.Signals, for_us: int) -> str:
        for name in targets:
            if self._states.get(name) != "up" and (do, self._states.get(name)) != ("kill", "paused"):
                raise UsageError(f"{name} {self._said(name)}")
        for name in targets:
            self._asked[name] = (do, for_us / 1_000 if for_us else None)
            self._send(name, signum)
        return f"{do} {' '.join(targets)}"

    def _again(self, targets: tuple[str, ...]) -> str:
        for name in targets:
            if self._states.get(name) != "gone":
                raise UsageError(f"{name} {self._said(name)}")
        for name in targets:
            self._asked[name] = ("restart", None)
            self._restart(name)
        return f"restart {' '.join(targets)}"

    def _continue(self, targets: tuple[str, ...]) -> str:
        paused = [name for name, state in sorted(self._states.items()) if state == "paused" and (not targets or name in targets)]
        if not paused:
            raise UsageError("nothing stands still that could go on")
        for name in paused:
            if name not in self._standing:  # somebody else stopped it, and it goes on because of us
                self._asked[name] = ("heal", None)
            self._send(name, signal.SIGCONT)
        return f"heal {' '.join(paused)}"

    def _said(self, name: str) -> str:
        return {"up": "runs", "paused": "stands still", "gone": "has ended"}.get(self._states.get(name, ""), "has not started")

    def heard(self, report: Report) -> bool:
        """The kernel says something of a process. Returns whether it happened because of us."""
        match report:
            case Started(name=name, at_us=at_us):
                self._states[name] = "up"
                self._undone(name, at_us)
                return self._done(name, ("restart",), at_us)
            case Stopped(name=name, at_us=at_us):
                self._states[name] = "paused"
                return self._done(name, ("pause",), at_us)
            case Continued(name=name, at_us=at_us):
                self._states[name] = "up"
                self._undone(name, at_us)
                return self._done(name, ("heal",), at_us)
            case Exited(name=name, at_us=at_us, status=status):
                self._states[name] = "gone"
                self._standing.pop(name, None)
                return status == -signal.SIGKILL and self._done(name, ("kill",), at_us)
        return False

    def _done(self, name: str, verbs: tuple[str, ...], at_us: int) -> bool:
        do, ms = self._asked.get(name, ("", None))
        if do not in verbs:
            return False
        del self._asked[name]
        self._write(do, name, "landed", at_us, ms)
        if do in ("pause", "kill"):
            self._standing[name] = (do, ms)
            if ms is not None:
                asyncio.get_running_loop().call_later(ms / 1_000, self._lift, name, do)
        return True

    def _lift(self, name: str, do: str) -> None:
        """Its time is up."""
        if do == "pause" and self._states.get(name) == "paused":
            self._send(name, signal.SIGCONT)
        elif do == "kill" and self._states.get(name) == "gone":
            self._standing[name] = (do, None)
            self._restart(name)

    def _undone(self, name: str, at_us: int) -> None:
        standing = self._standing.pop(name, None)
        if standing is not None:
            self._write(standing[0], name, "ended", at_us, standing[1])

    def _write(self, do: str, target: str, phase: str, at_us: int, ms: float | None = None) -> None:
        self._log.write({"step": BY_HAND, "phase": phase, "do": do, "target": target, "on": HAND, "ms": ms, "mono_ns": at_us * 1_000})
