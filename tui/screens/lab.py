"""What every screen of the lab has: title and pulse above, its panes, narrator, status and keys below.

Law 1: the frame is the same on every screen and every size; only the panes between differ.
Law 2: where there is no room for all panes there is one, and tab goes through them; below that, a card says what is missing.
Law 3: values come down (`repaint`), messages go up; a screen never reaches for the cluster.
"""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.screen import Screen

from cluster.telemetry.view import ClusterView
from tui.palette import Sheet
from tui.screens.painting import Painter, Pane, View
from tui.state import Row, UiState
from tui.widgets.footer import key_rows, prompt_rows, scrub_rows, status_rows
from tui.widgets.rows import RowPane

LEAST = (60, 18)  # below this there is only the card
ROOMY = (100, 30)  # below this one pane at a time
WIDE = (160, 45)  # from here on every pane that a screen has

# Keys that stay Textual's own: quitting in any state, and the palette.
NOT_OURS = frozenset({"ctrl+q", "ctrl+p"})


class LabScreen(Screen[None]):
    """A screen with `PANES`; `body` arranges them."""

    PANES: ClassVar[tuple[Pane, ...]] = ()
    # Whose rows the bars around the panes show.
    TITLE, PULSE, NARRATOR = "title", "pulse", "narrator"
    WIDE_ONLY: ClassVar[frozenset[str]] = frozenset()
    ALLOW_SELECT = False
    AUTO_FOCUS = None

    class Pressed(Message):
        """A key that no prompt of Textual's takes."""

        def __init__(self, key: str, character: str) -> None:
            super().__init__()
            self.key, self.character = key, character

    def __init__(self, sheet: Sheet, painter: Painter) -> None:
        super().__init__()
        self._sheet = sheet
        self._painter = painter
        self._arranged: tuple[object, ...] = ()
        self.single = False
        self.replay = False

    # ---- what is there ----------------------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        yield self._pane("title")
        yield self._pane("pulse")
        with Vertical(id="body"):
            yield from self.body()
        yield self._pane("scrub")
        yield self._pane("narrator")
        yield self._pane("status")
        yield self._pane("keys")
        yield self._pane("card")

    def body(self) -> ComposeResult:
        """The panes in their containers."""
        raise NotImplementedError

    def _pane(self, name: str) -> RowPane:
        return RowPane(name, self._sheet)

    def framed(self, name: str, classes: str = "") -> RowPane:
        """A pane with a frame around it."""
        return RowPane(name, self._sheet, framed=True, classes=classes)

    def restyle(self, sheet: Sheet) -> None:
        """Another theme."""
        self._sheet = sheet
        for pane in self.query(RowPane):
            pane.restyle(sheet)

    def shown_panes(self) -> tuple[Pane, ...]:
        """The panes that this size has, in the order of tab."""
        wide = self.size.width >= WIDE[0] and self.size.height >= WIDE[1]
        return self.PANES if wide else tuple(pane for pane in self.PANES if pane.name not in self.WIDE_ONLY)

    # ---- where it is ------------------------------------------------------------------------------------------------

    def settle(self, ui: UiState, nodes: int) -> None:
        """Classes for this size and this choice of pane; nothing happens while neither changes."""
        width, height = self.size
        panes = self.shown_panes()
        chosen = panes[(ui.pane - 1) % len(panes)].name
        single = ui.zoom or width < ROOMY[0] or height < ROOMY[1]
        key = (width, height, single, ui.zoom, chosen if single else "", nodes, ui.mode)
        if key == self._arranged:
            return
        self._arranged = key
        self.single = single
        self.set_class(width < LEAST[0] or height < LEAST[1], "-tiny")
        self.set_class(single, "-single")
        self.set_class(width >= WIDE[0] and height >= WIDE[1], "-wide")
        self.set_class(ui.mode == "REPLAY", "-replay")
        for pane in self.query(RowPane):
            pane.plain = ui.ascii
        alone = ui.zoom or not single
        shown = {chosen} if alone else {chosen, *self.companions(chosen, nodes)}
        for pane in self.query(".framed").results(RowPane):
            pane.set_class(pane.pane in shown, "-chosen")
        for box in self.query("#body Horizontal, #body Vertical"):
            box.set_class(bool(box.query(".-chosen")), "-holds")
        self.fit_panes(nodes, stacked=len(shown) > 1)

    def companions(self, chosen: str, nodes: int) -> tuple[str, ...]:
        """Panes that share the room with the chosen one where there is one pane at a time, because it leaves some."""
        return ()

    def fit_panes(self, nodes: int, *, stacked: bool) -> None:
        """Sizes that depend on how many nodes there are, and on whether the chosen pane has company."""

    # ---- what it shows ----------------------------------------------------------------------------------------------

    def repaint(self, view: View, ui: UiState, tape: tuple[int, int] | None = None) -> int:
        """Give every visible pane its rows; returns how many lines changed. `tape`: position and length in µs."""
        if not self.is_mounted or not self.size.width:
            return 0
        self.settle(ui, self.crowd(view))
        if self.has_class("-tiny"):
            return self._bar("card").show(_card(*self.size))
        changed = self._frame_rows(view, ui, tape)
        panes = self.shown_panes()
        for place, pane in enumerate(panes):
            widget = self._bar(pane.name)
            if not widget.display or not widget.size.width:
                continue
            lit = (ui.pane - 1) % len(panes) == place
            head: Row = ((pane.title, "title" if lit else "heading"),)
            head += self.beside(pane.name, view)
            if self.single:
                head += ((f" {place + 1}/{len(panes)}", "dim"),)
            rows = self._painter.rows(pane.name, view, ui, widget.cells, widget.lines_free)
            changed += widget.show(rows, head, self._foot(ui, len(panes)), lit)
        return changed

    def crowd(self, view: View) -> int:
        """How many there are of what the panes are made for."""
        return len(view.nodes) if isinstance(view, ClusterView) else 0

    def beside(self, pane: str, view: View) -> Row:
        """What stands in a pane's frame beside its title."""
        return ()

    def status(self, view: View, ui: UiState, width: int) -> list[Row]:
        """The row above the keys."""
        assert isinstance(view, ClusterView)
        return status_rows(view, ui, width)

    def _foot(self, ui: UiState, panes: int) -> Row:
        if not self.single:
            return ()
        return (("z ", "key"), ("all panes", "dim")) if ui.zoom else ((("tab ", "key"), ("next pane", "dim")) if panes > 1 else ())

    def _frame_rows(self, view: View, ui: UiState, tape: tuple[int, int] | None) -> int:
        changed = 0
        for name, selector in (("title", self.TITLE), ("pulse", self.PULSE)):
            bar = self._bar(name)
            changed += bar.show(self._painter.rows(selector, view, ui, bar.cells, bar.lines_free))
        narrator, status = self._bar("narrator"), self._bar("status")
        if ui.prompt is not None:
            rows = prompt_rows(ui.prompt, narrator.cells, narrator.lines_free + 1)
            rows += [()] * (narrator.lines_free + 1 - len(rows))
            changed += narrator.show(rows[:-1]) + status.show(rows[-1:])
        else:
            changed += narrator.show(self._painter.rows(self.NARRATOR, view, ui, narrator.cells, narrator.lines_free))
            changed += status.show(self.status(view, ui, status.cells))
        keys = self._bar("keys")
        changed += keys.show(key_rows(ui, keys.cells))
        if tape is not None:
            scrub = self._bar("scrub")
            changed += scrub.show(scrub_rows(*tape, ui, scrub.cells))
        return changed

    def _bar(self, name: str) -> RowPane:
        return self.query_one(f"#{name}", RowPane)

    # ---- what it hears ----------------------------------------------------------------------------------------------

    def on_key(self, event: events.Key) -> None:
        if event.key not in NOT_OURS:
            event.stop()
            event.prevent_default()
            self.post_message(self.Pressed(event.key, event.character if event.character and event.is_printable else ""))

    def on_paste(self, event: events.Paste) -> None:
        self.post_message(self.Pressed("paste", event.text))


def _card(width: int, height: int) -> list[Row]:
    """What there is and what is needed."""
    lines = (
        "faultline",
        f"this terminal has {width}x{height}",
        f"the dashboard needs {LEAST[0]}x{LEAST[1]} or more",
        "the lab runs on; q leaves",
    )
    above = max(0, (height - len(lines)) // 2)
    styles = ("title", "text", "warn", "dim")
    written: list[Row] = [((line[:width].center(width), style),) for line, style in zip(lines, styles, strict=True)]
    return [*([()] * above), *written][: max(1, height)]
