"""Rows of styled text: built, clipped, wrapped; and the way durations and lists read.

Law 1: every character used in a pane is one cell wide, so `len` is the width.
Law 2: nothing here knows the cluster.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from textwrap import wrap as wrap_text

from tui.state import Row, Span

SECOND_US = 1_000_000
ELLIPSIS = "…"
# One ASCII character for each sign that a pane may draw, so that widths stay: what a poor terminal gets.
PLAIN = str.maketrans(
    "┃│╷┆┄─━╍▶╳╱▒█▉▊▋▌▍▎▏▸•·…–−←→↑↓⇧“”×±≥µφ✓★●▲◆‖✖○◌◉◐»∴∷↕▾◷▤",
    "||.:--=->X/%########>*..--<>^v^\"\"x~>upy*o^!=x.?@+>::%vcd",
)


def width_of(row: Iterable[Span]) -> int:
    """Cells that the spans take."""
    return sum([len(text) for text, _ in row])


def clip(row: Iterable[Span], width: int) -> Row:
    """The row cut at `width` cells, with an ellipsis where something is missing; empty spans are left out."""
    kept: list[Span] = []
    left = width
    for text, style in row:
        if not text:
            continue
        if len(text) > left:
            if left > 0:
                kept.append((text[: left - 1] + ELLIPSIS, style))
            elif kept:
                last, its_style = kept[-1]
                kept[-1] = (last[:-1] + ELLIPSIS, its_style)
            break
        kept.append((text, style))
        left -= len(text)
    return tuple(kept)


def fit(rows: Sequence[Iterable[Span]], width: int, height: int, *, ascii: bool = False) -> list[Row]:
    """At most `height` rows of at most `width` cells: what every pane returns. `ascii`: the signs in their plain form."""
    shown = [clip(row, width) for row in rows[: max(0, height)]]
    if not ascii:
        return shown
    return [tuple((text.translate(PLAIN), style) for text, style in row) for row in shown]


def pad(spans: list[Span], column: int) -> None:
    """Append blanks until the next span begins at `column`; at least one blank when it is passed already."""
    missing = column - width_of(spans)
    spans.append((" " * max(1, missing), ""))


def wrapped(text: str, width: int, style: str, lead: str = "", lead_style: str = "dim", lines_max: int = 3) -> list[Row]:
    """`lead` and then the text, folded under itself; the last line allowed ends in an ellipsis if there was more."""
    room = max(8, width - len(lead))
    lines = wrap_text(text, room, max_lines=lines_max, placeholder=" " + ELLIPSIS) or [""]
    first: Row = ((lead, lead_style), (lines[0], style))
    return [first, *(((" " * len(lead), ""), (line, style)) for line in lines[1:])]


def duration(span_us: int) -> str:
    """`420 ms`, `3.2 s`, `1:05`, `2:03:10`."""
    if span_us < SECOND_US:
        return f"{max(0, span_us) // 1_000} ms"
    if span_us < 100 * SECOND_US:
        # Cut, not rounded: 99.96 s must not read 100.0 s beside a clock that shows 1:39.
        tenths = span_us // 100_000
        return f"{tenths // 10}.{tenths % 10} s"
    minutes, seconds = divmod(span_us // SECOND_US, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def clock(at_us: int, zero_us: int) -> str:
    """Time since the lab opened: `02:41.3`."""
    tenths = max(0, at_us - zero_us) // 100_000
    minutes, tenths = divmod(tenths, 600)
    return f"{minutes:02}:{tenths // 10:02}.{tenths % 10}"


def count(number: int, one: str, many: str = "") -> str:
    """`1 entry`, `2 entries`."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def listed(names: Sequence[str], most: int = 6) -> str:
    """`n1`, `n1 and n2`, `n1, n2 and n3`, `n1, n2, n3 and 44 more`."""
    if len(names) > most:
        return f"{', '.join(names[: most - 1])} and {len(names) - most + 1} more"
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def bar(share: float, cells: int, *, ascii: bool = False) -> str:
    """A bar of `cells` cells filled to `share` (0…1) in eighths, blank behind."""
    share = min(1.0, max(0.0, share))
    if ascii:
        return ("#" * round(share * cells)).ljust(cells)
    eighths = round(share * cells * 8)
    if share > 0 and eighths == 0:
        eighths = 1  # something is not nothing
    full, rest = divmod(eighths, 8)
    return ("█" * full + (" ▏▎▍▌▋▊▉"[rest] if rest else "")).ljust(cells)


def window_around(length: int, focus: int, room: int) -> range:
    """The `room` of `length` places to show so that place `focus` is among them, moving as late as possible."""
    if length <= room or room <= 0:
        return range(max(0, min(length, room)))
    first = max(0, min(focus - room // 2, length - room))
    return range(first, first + room)
