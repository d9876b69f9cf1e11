"""Alike lines of the log as one: a minority that asks for votes every 150 ms must not push the cut off the screen.

Law 1: alike lines differ only in who says them and in what was measured; of a measure the least and the greatest stay.
Law 2: nothing is folded across a landmark (what the operator did, a new leader, a judge's word): what follows from it stands after it.
Law 3: nothing is folded across its contrary (suspected and heard again), nor across a quiet of more than `QUIET_US`.
Law 4: in a crowd the nodes spoken of are a measure too: twelve who suspect thirty each are a line, not three hundred.
Law 5: a folded line stands where its first one stood, and no line is lost: `times` adds up to what was given.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from cluster.core.types import Micros, NodeId
from cluster.telemetry.view import LANDMARKS, LogLine
from tui.select.spans import duration

QUIET_US: Micros = 1_000_000
LONG_US: Micros = 1_000_000  # from here on it is worth saying for how long
CROWD_LEAST = 16  # so many nodes are a crowd
_CONTRARY: dict[str, frozenset[str]] = {
    "SUSPECT": frozenset({"CLEAR"}),
    "CLEAR": frozenset({"SUSPECT"}),
    "UP": frozenset({"DOWN", "PAUSE"}),
    "PAUSE": frozenset({"UP"}),
    "DOWN": frozenset({"START", "UP", "READY"}),
}
# Of whom these lines speak stands first in them.
_ABOUT = frozenset({"SUSPECT", "CLEAR"})
_SUBJECT = re.compile(r"n\d+")
# What is measured anew each time: `407 ms`, `φ 8.1`, `pid 1234`.
_MEASURE = re.compile(r"(?<=φ )\d+\.\d|(?<=pid )\d+|\d+(?:\.\d+)?(?= (?:ms|s)\b)")


class Folded(NamedTuple):
    """`times` alike lines, the first at `first_us` and the last at `last_us`; `nodes` in the order of their first word."""

    first_us: Micros
    last_us: Micros
    nodes: tuple[NodeId, ...]
    kind: str
    text: str
    fault: int
    times: int

    @property
    def who(self) -> str:
        """`n2`, or `n2+3` when three others say the same; "" for the lab itself. Six cells at most."""
        others = len(self.nodes) - 1
        return f"{self.nodes[0]}+{others}" if others else self.nodes[0]

    @property
    def tail(self) -> str:
        """` ×37, for 9.0 s`; "" for what each of `nodes` said just once."""
        if self.times == len(self.nodes):
            return ""
        span_us = self.last_us - self.first_us
        return f" ×{self.times}" + (f", for {duration(span_us)}" if span_us >= LONG_US else "")


class _Fold:
    """A line that may still grow."""

    def __init__(self, line: LogLine, subject: str, measures: tuple[str, ...]) -> None:
        self.first = self.last = line
        self.nodes = {line.node: None}
        self.subjects = {subject: None}
        self.times = 1
        self.least, self.most = list(measures), list(measures)

    def add(self, line: LogLine, subject: str, measures: tuple[str, ...]) -> None:
        self.last = line
        self.nodes[line.node] = None
        self.subjects[subject] = None
        self.times += 1
        for place, measure in enumerate(measures):
            self.least[place] = min(self.least[place], measure, key=float)
            self.most[place] = max(self.most[place], measure, key=float)

    def result(self) -> Folded:
        first = self.first
        return Folded(first.at_us, self.last.at_us, tuple(self.nodes), first.kind, self._text(), first.fault, self.times)

    def _text(self) -> str:
        spans = (low if low == high else f"{low}–{high}" for low, high in zip(self.least, self.most, strict=True))
        text = _MEASURE.sub(lambda _: next(spans), self.first.text)
        others = len(self.subjects) - 1
        if not others:
            return text
        subject = next(iter(self.subjects))
        return f"{subject} and {others} more{text.removeprefix(subject).replace(' is ', ' are ', 1)}"


def folded(lines: Iterable[LogLine], *, crowd: bool = False) -> tuple[Folded, ...]:
    """The lines, oldest first, alike ones as one. `crowd`: there are `CROWD_LEAST` nodes or more (law 4)."""
    return _folded(tuple(lines), crowd)


@lru_cache(maxsize=2)  # a frame that tells nothing new asks with the same log: hashing it costs a hundredth of folding it
def _folded(lines: tuple[LogLine, ...], crowd: bool) -> tuple[Folded, ...]:
    folds: list[_Fold] = []
    growing: dict[tuple[str, int, str], _Fold] = {}
    for line in lines:
        pattern, subject, measures = _read(line.text, crowd and line.kind in _ABOUT)
        key = (line.kind, line.fault, pattern)
        known = growing.get(key)
        if line.kind in LANDMARKS:
            growing.clear()
        elif known is not None and line.at_us - known.last.at_us <= QUIET_US:
            known.add(line, subject, measures)
            continue
        _end_contraries(growing, line)
        folds.append(_Fold(line, subject, measures))
        if line.kind not in LANDMARKS:
            growing[key] = folds[-1]
    return tuple(fold.result() for fold in folds)


def _end_contraries(growing: dict[tuple[str, int, str], _Fold], line: LogLine) -> None:
    contrary = _CONTRARY.get(line.kind, frozenset())
    for key in [key for key, fold in growing.items() if key[0] in contrary and line.node in fold.nodes]:
        del growing[key]


@lru_cache(maxsize=4_096)
def _read(text: str, about: bool) -> tuple[str, str, tuple[str, ...]]:
    """The text without what may differ, of whom it speaks if that may, and the measures."""
    named = _SUBJECT.match(text) if about else None
    subject = named.group() if named else ""
    return _MEASURE.sub("\0", text.removeprefix(subject)), subject, tuple(_MEASURE.findall(text))
