"""A witness as a picture: one lane per process, time from left to right, and a line of words per operation.

Law 1: nothing is wider than `width` cells, whatever the history's names and values are.
Law 2: the picture shows order, not distance: every invocation and return that matters has a column of its own while there is room.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from cluster.check.models import State
from cluster.check.witness import Shown, Witness

WIDTH = 80
LANES_MAX = 12
OPERATIONS_MAX = 24
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def picture(witness: Witness, width: int = WIDTH) -> list[str]:
    """Lanes, then words. Of a witness that is too large the last operations are shown, and it is said."""
    shown = witness.shown[-OPERATIONS_MAX:]
    untold = len(witness.shown) - len(shown)
    lines = [*_lanes(shown, width), ""]
    lines += [_cut(line, width) for line in _words(shown)]
    if untold:
        lines.append(f"({untold} earlier operations of the witness are in --json)")
    return lines


# ---- lanes ----------------------------------------------------------------------------------------------------------


def _lanes(shown: Sequence[Shown], width: int) -> list[str]:
    processes = list(dict.fromkeys(entry.operation.process for entry in shown))
    if len(processes) > LANES_MAX:
        return []
    names = {process: _cut(f"process {process}", 14) for process in processes}
    margin = max(map(len, names.values())) + 2
    columns = _columns(shown, width - margin)
    lines = []
    for process in processes:
        lane = [" "] * (width - margin)
        for letter, entry in zip(_LETTERS, shown, strict=False):
            if entry.operation.process == process:
                _draw(lane, entry, letter, columns)
        lines.append(f"{names[process]:<{margin}}{''.join(lane)}".rstrip())
    return lines


def _columns(shown: Sequence[Shown], room: int) -> dict[int, int]:
    """Place in the history -> column."""
    places = sorted({entry.begun for entry in shown} | {entry.ended for entry in shown if entry.ended is not None})
    step = min(14.0, (room - 4) / max(1, len(places) - 1))
    return {place: int(number * step) for number, place in enumerate(places)}


def _draw(lane: list[str], entry: Shown, letter: str, columns: dict[int, int]) -> None:
    left = columns[entry.begun]
    right = len(lane) - 1 if entry.ended is None else min(len(lane) - 1, columns[entry.ended])
    for column in range(left, right + 1):
        lane[column] = "┄" if entry.ended is None else "─"
    lane[left] = "├"
    if entry.ended is not None:
        lane[right] = "┤"
    label = f" {letter} {did(entry)} " if right - left > 4 else letter
    for column, character in zip(range(left + 1, right), label, strict=False):
        lane[column] = character
    if right - left < 2:
        lane[left] = letter


# ---- words ----------------------------------------------------------------------------------------------------------


def _words(shown: Sequence[Shown]) -> list[str]:
    rows = []
    since_ns = min((entry.operation.invoked_ns or 0 for entry in shown), default=0)
    for letter, entry in zip(_LETTERS, shown, strict=False):
        operation = entry.operation
        who = f"process {operation.process}" + (f" at {operation.node}" if operation.node else "")
        rows.append((letter, did(entry), who, _when(entry, since_ns), f"line {operation.line}"))
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    lines = []
    for row, entry in zip(rows, shown, strict=True):
        mark = "✗ " if entry.culprit else "  "
        lines.append(mark + "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())
        if entry.could_see is not None:
            lines.append(f"     could have {'swapped' if entry.operation.f == 'cas' else 'seen'} {either(entry.could_see)}")
    return lines


def did(entry: Shown) -> str:
    """`cas 1 → 2`, `write 3 failed`: what was done, in words."""
    operation = entry.operation
    what = "nil" if operation.value is None else operation.value
    if operation.f == "cas":
        what = f"{operation.expect or 'nil'} → {what}"
    elif operation.said in ("delete", "del"):
        what = ""
    failed = " failed" if operation.outcome == "fail" else ""
    return f"{operation.said} {what}".strip() + failed


def _when(entry: Shown, since_ns: int) -> str:
    """From invocation to return, in milliseconds after the first invocation shown."""
    operation = entry.operation
    ended = "unknown" if operation.outcome == "info" else "open"
    if entry.ended is not None:
        ended = "" if operation.returned_ns is None else f"{(operation.returned_ns - since_ns) / 1e6:.3f} ms"
    if operation.invoked_ns is None:
        return ended if entry.ended is None else ""
    return f"{(operation.invoked_ns - since_ns) / 1e6:.3f} – {ended}"


def either(values: Iterable[State]) -> str:
    """Values in words: `1, 2 or nil`."""
    words = ["nil" if value is None else value for value in values]
    if not words:
        return "nothing: no value at all explains it"
    return " or ".join((", ".join(words[:-1]), words[-1])) if len(words) > 1 else words[0]


def wrapped(text: str, width: int = WIDTH) -> list[str]:
    """Lines of at most `width` cells; what has no blanks is broken anywhere."""
    return textwrap.wrap(text, width, break_on_hyphens=False) or [""]


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"
