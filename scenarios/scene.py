"""What a seat knows of a run: a frozen value, made from what it was told and from nothing else.

Law 1: pure; however the lines of different files are interleaved, the same lines make the same scene.
Law 2: everything is bounded; what was left out is counted.
Law 3: cells and counters come from the records as they are tailed; the verdict comes with `Judged`, and nothing here foretells it.
"""

from __future__ import annotations

from typing import Any

import msgspec

from scenarios.feed import Opened
from scenarios.outcome import Outcome
from scenarios.viewing import View

ROWS_MAX = 2_000
MARKS_MAX = 400
SPANS_MAX = 200
BEATS_MAX = 2_000
FAULTS_MAX = 200
BEAT_NS = 50_000_000  # records closer together than this are one beat on a lane


class Cell(msgspec.Struct, frozen=True):
    """`value` of the newest record, at `at_ns`; or a count or sum."""

    value: Any
    at_ns: int


class Span(msgspec.Struct, frozen=True):
    """From `from_ns` on a process was "up", "paused" or "gone"."""

    from_ns: int
    state: str


class Player(msgspec.Struct, frozen=True):
    """A process as its parent knows it. `status`: how it ended; `lives`: how often it was started. `between`: of a proxy, its two ends."""

    name: str
    pid: int = 0
    state: str = "waiting"  # "waiting" | "up" | "paused" | "gone"
    status: int = 0
    lives: int = 0
    between: tuple[str, ...] = ()
    spans: tuple[Span, ...] = ()


class FaultSeen(msgspec.Struct, frozen=True):
    """A fault that landed; `step` is -1 for one made by hand, `ended_ns` 0 while it lasts; `hits`: how often one that waits has struck."""

    step: int
    do: str
    target: str
    on: str
    ms: float | None
    landed_ns: int
    ended_ns: int = 0
    hits: int = 0


class Mark(msgspec.Struct, frozen=True):
    """Something that a process traced."""

    at_ns: int
    process: str
    event: str
    text: str


class Answer(msgspec.Struct, frozen=True):
    request: int
    ok: bool
    text: str


class Scene(msgspec.Struct, frozen=True):
    """`rows`: name -> cells by column. `counts`: "ledger/payd.jsonl:charged" -> how many. `beats`: the same key -> when, in `BEAT_NS`."""

    opened: Opened | None = None
    phase: str = ""  # "servers" | "processes" | "running" | "ending"
    went_ns: int = 0  # when the workload began; 0: not yet
    ended_ns: int = 0
    now_ns: int = 0
    behind: int = 0
    players: dict[str, Player] = {}
    faults: tuple[FaultSeen, ...] = ()
    toggles: dict[str, str] = {}
    rows: dict[str, dict[int, Cell]] = {}
    rows_left_out: int = 0
    asked: dict[str, dict[int, str]] = {}  # history -> index -> the row of what was asked and has no outcome yet
    counters: tuple[Cell, ...] = ()
    counts: dict[str, int] = {}
    beats: dict[str, tuple[int, ...]] = {}
    marks: tuple[Mark, ...] = ()
    opens: tuple[int, ...] = ()
    closes: tuple[int, ...] = ()
    outcome: Outcome | None = None
    answer: Answer | None = None
    lost: str = ""  # why the run ended without a verdict

    @property
    def over(self) -> bool:
        return self.outcome is not None or bool(self.lost)

    @property
    def view(self) -> View:
        return self.opened.view if self.opened is not None else View()


def window_of(scene: Scene) -> tuple[int, int] | None:
    """When it opened and when it closed (0: it is open still); None before it opened."""
    if not scene.opens:
        return None
    opened = min(scene.opens)
    return opened, min((at for at in scene.closes if at > opened), default=0)


def where_it_fell(scene: Scene, fault: FaultSeen) -> str:
    """ "inside the window", "38 ms after the window", … ; "" for a run without one, or a fault of somebody else."""
    window = scene.opened.window if scene.opened is not None else None
    if window is None or fault.target != window.process:
        return ""
    times = window_of(scene)
    if times is None or fault.landed_ns < times[0]:
        early = f"{(times[0] - fault.landed_ns) // 1_000_000} ms " if times is not None else ""
        return f"{early}before the window"
    if times[1] and fault.landed_ns > times[1]:
        return f"{(fault.landed_ns - times[1]) // 1_000_000} ms after the window"
    return "inside the window"
