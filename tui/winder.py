"""The hand at a recording: run and pause, steps, seeks, speed.

Law 1: where a recording stands is the tape's to say; the store is told, and asks nothing.
"""

from __future__ import annotations

from typing import Protocol

from cluster.telemetry.view import ClusterView
from tui.store import Store

SPEEDS = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 10.0)
SECOND_US = 1_000_000


class Tape(Protocol):
    """What a recording can do beyond a session (`cluster.supervisor.playback`)."""

    @property
    def playing(self) -> bool: ...
    @property
    def position_us(self) -> int: ...
    @property
    def length_us(self) -> int: ...
    @property
    def speed(self) -> float: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def set_speed(self, speed: float, /) -> None: ...
    def seek(self, position_us: int, /) -> ClusterView: ...
    def step(self, events: int = ..., /) -> ClusterView: ...
    def step_line(self, lines: int = ..., /) -> ClusterView: ...
    @property
    def told(self) -> str:
        """The newest event that is part of the view, in words."""


class Winder:
    """What the keys of a recording do to its tape."""

    def __init__(self, store: Store, tape: Tape) -> None:
        self._store, self._tape = store, tape

    def wind(self, name: str) -> None:
        """One action of the keymap's group "recording"."""
        tape = self._tape
        told = ""
        match name:
            case "play":
                self._run_or_pause()
            case "line-on" | "line-back":
                self._store.jump(tape.step_line(1 if name == "line-on" else -1))
                told = tape.told
            case "step-on" | "step-back":
                self._store.jump(tape.step(1 if name == "step-on" else -1))
                told = tape.told
            case "second-on" | "second-back":
                by_us = SECOND_US if name == "second-on" else -SECOND_US
                self._store.jump(tape.seek(tape.position_us + by_us))
            case "begin":
                self._store.jump(tape.seek(0))
            case "finish":
                self._store.jump(tape.seek(tape.length_us))
            case "slower" | "faster":
                place = min(range(len(SPEEDS)), key=lambda i: abs(SPEEDS[i] - tape.speed))
                place += 1 if name == "faster" else -1
                tape.set_speed(SPEEDS[min(max(0, place), len(SPEEDS) - 1)])
        self._store.note(paused=not tape.playing, speed=tape.speed, last=told)

    def _run_or_pause(self) -> None:
        """At its end a recording begins again: there is nothing else that running could mean."""
        tape = self._tape
        if tape.playing:
            tape.pause()
            return
        if tape.position_us >= tape.length_us:
            self._store.jump(tape.seek(0))
        tape.resume()

    def rest_at_end(self) -> None:
        """A recording that has run to its end stands there."""
        tape = self._tape
        if tape.playing and tape.position_us >= tape.length_us:
            tape.pause()
            self._store.note(paused=True)
