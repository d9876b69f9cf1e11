"""A pane of rows: gets rows, paints those that changed.

Law 1: a row is its own key: equal rows are never painted twice, and all that changed go to the screen in one refresh.
Law 2: styles are looked up once per theme and name; nothing is parsed while painting.
Law 3: the pane knows nothing of clusters: it says which row and which word were clicked, and others know what that means.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tui.palette import Sheet
from tui.select.glyphs import plain
from tui.state import Row

BLANK: Row = ()


class RowPane(Widget):
    """`framed`: with a border and a title in it. `cells` × `lines` is the room inside."""

    ALLOW_SELECT = False
    can_focus = False

    class Clicked(Message):
        """The text of the row that was clicked, and where in it."""

        def __init__(self, pane: str, text: str, column: int, line: int, times: int) -> None:
            super().__init__()
            self.pane, self.text, self.column, self.line, self.times = pane, text, column, line, times

    class Resized(Message):
        """The pane has another size now: it wants rows."""

    class Wheeled(Message):
        """The wheel turned over a pane: so many lines back (negative: on)."""

        def __init__(self, pane: str, lines: int) -> None:
            super().__init__()
            self.pane, self.lines = pane, lines

    def __init__(self, pane: str, sheet: Sheet, *, framed: bool = False, classes: str = "") -> None:
        super().__init__(id=pane, classes=f"{'framed ' if framed else ''}{classes}".strip())
        self.pane = pane
        self.framed = framed
        self._sheet = sheet
        self._rows: list[Row] = []
        # Only ASCII goes to the terminal, whatever the rows hold.
        self.plain = False
        # The rows as they were given and the frame they got: a row that stays needs no new frame.
        self._given: list[Row] = []
        self._frame_key: tuple[int, str] = (0, "")

    @property
    def cells(self) -> int:
        """Width of the room for rows."""
        return max(0, self.size.width - (2 if self.framed else 0))

    @property
    def lines_free(self) -> int:
        """Height of the room for rows."""
        return max(0, self.size.height - (2 if self.framed else 0))

    def restyle(self, sheet: Sheet) -> None:
        """Another theme: everything is painted anew."""
        self._sheet = sheet
        self.refresh()

    def show(self, rows: Sequence[Row], head: Row = BLANK, foot: Row = BLANK, lit: bool = False) -> int:
        """What the pane holds from now on; returns how many lines are painted again.

        `head` and `foot` stand in the border, `lit` is the border of the chosen pane.
        """
        kept = list(rows[: self.lines_free])
        lines = kept if not self.framed else self._in_frame(kept, head, foot, lit)
        width = self.size.width
        old, self._rows = self._rows, lines
        changed = [y for y, (new, was) in enumerate(zip_longest(lines, old)) if new != was]
        if changed and width:
            self.refresh(*(Region(0, y, width, 1) for y in changed))
        return len(changed)

    def _in_frame(self, rows: list[Row], head: Row, foot: Row, lit: bool) -> list[Row]:
        """The frame's lines are rows too, so that a title that changes costs one line."""
        style = "frame.lit" if lit else "frame"
        edge = ("│", style)
        width, room = self.size.width, self.lines_free
        if width < 2 or self.size.height < 2:
            return rows
        rows += [BLANK] * (room - len(rows))
        key = (width, style)
        known = dict(enumerate(zip(self._given, self._rows[1:-1], strict=False))) if key == self._frame_key else {}
        body = []
        for y, row in enumerate(rows):
            was = known.get(y)
            body.append(was[1] if was is not None and was[0] == row else (edge, *_filled(row, self.cells), edge))
        self._given, self._frame_key = rows, key
        return [_edge("╭", "╮", head, (), width, style), *body, _edge("╰", "╯", (), foot, width, style)]

    def render_line(self, y: int) -> Strip:
        sheet = self._sheet
        width = self.size.width
        if y >= len(self._rows):
            return Strip.blank(width, sheet.base)
        row = self._rows[y] if not self.plain else tuple((_ascii(text), name) for text, name in self._rows[y])
        # A cursor that points at nothing is not painted: its ground would be a stripe down every table.
        segments = [
            Segment(text, sheet.style("" if name == "cursor" and text.isspace() else name)) for text, name in row
        ]
        return Strip(segments).adjust_cell_length(width, sheet.base)

    def text_rows(self) -> list[str]:
        """What stands on the pane, without styles."""
        rows = ["".join(text for text, _ in row) for row in self._rows]
        return [_ascii(row) for row in rows] if self.plain else rows

    def on_resize(self) -> None:
        self.post_message(self.Resized())

    def on_click(self, event: events.Click) -> None:
        if event.y < len(self._rows):
            self.post_message(self.Clicked(self.pane, self.text_rows()[event.y], event.x, event.y, event.chain))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.post_message(self.Wheeled(self.pane, 3))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.post_message(self.Wheeled(self.pane, -3))


# Corners and ticks that only frames have; the panes' own signs are translated by their alphabet.
_EDGES = str.maketrans("╭╮╰╯╌⇧↑←→", "++++-^^<>")


def _ascii(text: str) -> str:
    return text if text.isascii() else plain(text.translate(_EDGES), True)


def width_of(row: Row) -> int:
    """Cells that a row takes."""
    return sum([len(text) if text.isascii() else cell_len(text) for text, _ in row])


def _filled(row: Row, width: int) -> Row:
    """The row, exactly `width` cells wide: a frame's right edge must stand under itself."""
    missing = width - width_of(row)
    if missing == 0:
        return row
    if missing > 0:
        return (*row, (" " * missing, ""))
    kept: list[tuple[str, str]] = []
    left = width
    for text, style in row:
        cut = text[:left]
        while cell_len(cut) > left:
            cut = cut[:-1]
        kept.append((cut, style))
        left -= cell_len(cut)
        if cut != text:
            break
    return (*kept, (" " * left, ""))


def _edge(left: str, right: str, head: Row, foot: Row, width: int, style: str) -> Row:
    """`╭─ head ───── foot ─╮`."""
    room = width - 8
    head, foot = _clipped(head, room), _clipped(foot, room - width_of(head))
    before: Row = (("─ ", style), *head, (" ", style)) if head else (("──", style),)
    after: Row = ((" ", style), *foot, (" ─", style)) if foot else (("──", style),)
    line = width - 2 - width_of(before) - width_of(after)
    return ((left, style), *before, ("─" * max(0, line), style), *after, (right, style))


def _clipped(row: Row, room: int) -> Row:
    return row if width_of(row) <= room else _filled(row, max(0, room))
