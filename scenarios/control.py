"""What the runner and the processes of an incident say to each other: frames over the run's Unix socket.

Law 1: a process whose line to the runner ends is over: it writes down nothing more and leaves.
"""

from __future__ import annotations

from typing import Any

import msgspec

from cluster.framing import Codec
from scenarios.links import Rule


class Start(msgspec.Struct, frozen=True):
    """Everything that a process is told before its first line. Paths are absolute; `seed` is its own, derived from the run's."""

    name: str
    app: str  # "kit.payd": the module under `scenarios`, whose `main(process)` runs
    args: dict[str, Any]
    toggles: dict[str, str]  # as they stand when it starts; `Set` tells of later
    seed: int
    control: str
    records: str
    work: str
    backends: dict[str, tuple[str, ...]]  # name -> URLs
    key_prefix: str
    routes: dict[str, str] = {}  # another process -> the socket at which it is reached, where that is not its own


class Go(msgspec.Struct, frozen=True, array_like=True, tag="go"):
    """Everything is up and armed: begin."""


class Arm(msgspec.Struct, frozen=True, array_like=True, tag="arm"):
    """Act at the `nth` hit of a failpoint. With `hold` those before it (all, or so many) wait there for it: all are in the window at once.

    With `field`: act at hits that carry it with a value of `left`, so many times each. `ms`: how long an action that takes its time does.
    """

    failpoint: str
    action: str
    nth: int = 1
    hold: bool | int = False
    step: int = 0
    ms: float = 0.0
    field: str = ""
    left: dict[str, int] = {}


class Route(msgspec.Struct, frozen=True, array_like=True, tag="route"):
    """To a proxy: what is to become of its link from now on, there and back."""

    version: int
    there: Rule
    back: Rule


class Set(msgspec.Struct, frozen=True, array_like=True, tag="set"):
    """A hot toggle has another value from now on. It goes to every process of the run; who does not use it is not concerned."""

    toggle: str
    value: str


class Finish(msgspec.Struct, frozen=True, array_like=True, tag="finish"):
    """Write down what is held, and leave."""


class Hello(msgspec.Struct, frozen=True, array_like=True, tag="hello"):
    name: str


class Armed(msgspec.Struct, frozen=True, array_like=True, tag="armed"):
    name: str
    failpoint: str


class Ready(msgspec.Struct, frozen=True, array_like=True, tag="ready"):
    name: str


class Traced(msgspec.Struct, frozen=True, array_like=True, tag="traced"):
    """The same event that was just written to the process's trace."""

    name: str
    event: str


class Acting(msgspec.Struct, frozen=True, array_like=True, tag="acting"):
    """At a failpoint the process does what it was armed with, in this very moment. `value`: of the field that the arm asks for."""

    name: str
    step: int
    value: str = ""


class Routed(msgspec.Struct, frozen=True, array_like=True, tag="routed"):
    """A proxy acts by this version of its rules."""

    name: str
    version: int


class Caught(msgspec.Struct, frozen=True, array_like=True, tag="caught"):
    """A proxy ate or held an answer that a step is after."""

    name: str
    step: int
    value: str


class Done(msgspec.Struct, frozen=True, array_like=True, tag="done"):
    """A client has nothing more to do."""

    name: str


Order = Go | Arm | Route | Set | Finish
Word = Hello | Armed | Ready | Traced | Acting | Routed | Caught | Done
ORDERS: Codec[Order] = Codec(Order)
WORDS: Codec[Word] = Codec(Word)
