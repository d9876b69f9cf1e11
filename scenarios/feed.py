"""What a run tells whoever looks at it, and what they may ask: frames over a Unix socket in the run's private directory.

Law 1: all that is told lies in the record files and is read back from there; besides the lines themselves there are only the run's
opening (its parameters), its verdict (its `verdict.json`), the time, and answers. So a finished run is looked at like one that goes on.
Law 2: a front is a seat, never a parent; what it asks is in the operators' grammar.
"""

from __future__ import annotations

from typing import Any

import msgspec

from cluster.framing import Codec
from scenarios.outcome import Outcome
from scenarios.viewing import View, Window

LINES_MAX = 500  # in one message


class Member(msgspec.Struct, frozen=True, array_like=True):
    """A process or server of the cast. `late`: it starts only when something happens."""

    name: str
    app: str
    client: bool
    late: bool


class Planned(msgspec.Struct, frozen=True, array_like=True):
    """A fault of the card."""

    do: str
    target: str
    on: str
    why: str


class Opened(msgspec.Struct, frozen=True, array_like=True, tag="opened"):
    """The first word: what run this is. `hot`: toggle -> what it may be set to while the run goes on. `rows`: known beforehand.

    `failpoints`: "pay.before_charge@w1": what somebody at a keyboard may arm.
    """

    slug: str
    variant: str
    toggles: dict[str, str]
    seed: int
    scale: float
    run_dir: str
    duration_s: float
    cast: tuple[Member, ...]
    plan: tuple[Planned, ...]
    hot: dict[str, tuple[str, ...]]
    view: View
    window: Window | None
    rows: tuple[str, ...]
    failpoints: tuple[str, ...] = ()


class Told(msgspec.Struct, frozen=True, array_like=True, tag="told"):
    """Lines of one record file, as they stand there; `first` is the number of the first one, counted from 1."""

    file: str
    first: int
    lines: tuple[dict[str, Any], ...]


class Clock(msgspec.Struct, frozen=True, array_like=True, tag="clock"):
    """The time of the run's machine. `behind`: bytes of records that are written and not yet told."""

    mono_ns: int
    behind: int


class Answered(msgspec.Struct, frozen=True, array_like=True, tag="answered"):
    """What became of a request: done (so far as a signal sent is done), or why not."""

    request: int
    ok: bool
    text: str


class Judged(msgspec.Struct, frozen=True, array_like=True, tag="judged"):
    """The last word of a run that came to its end."""

    outcome: Outcome


class Ask(msgspec.Struct, frozen=True, array_like=True, tag="ask"):
    """One line of the operators' grammar."""

    request: int
    text: str


News = Opened | Told | Clock | Answered | Judged
NEWS: Codec[News] = Codec(News)
ASKS: Codec[Ask] = Codec(Ask)
