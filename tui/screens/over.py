"""What lies over a screen and goes again: inspector, help, and the question before something grave.

Law 1: what is below goes on living and being painted.
Law 2: the way back is Esc, and a grave question stands on Cancel.
"""

from __future__ import annotations

from msgspec.structs import replace
from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from tui.keymap import entries
from tui.palette import Sheet
from tui.screens.painting import Painter, View
from tui.state import Row, UiState
from tui.widgets.rows import RowPane

ROWS_MAX = 400  # the longest text that can be scrolled through


class Sheaf(ModalScreen[None]):
    """A pane over the screen that can be scrolled; what it shows is its subclass's."""

    AUTO_FOCUS = None
    TITLE_TEXT = ""

    class Turned(Message):
        """It was scrolled, or shows another node: it wants rows. `by`: nodes on (negative: back)."""

        def __init__(self, by: int = 0) -> None:
            super().__init__()
            self.by = by

    def __init__(self, sheet: Sheet, painter: Painter) -> None:
        super().__init__()
        self._sheet = sheet
        self._painter = painter
        self._top = 0

    def compose(self) -> ComposeResult:
        yield RowPane("sheaf", self._sheet, framed=True)

    def restyle(self, sheet: Sheet) -> None:
        """Another theme."""
        self._sheet = sheet
        self.query_one(RowPane).restyle(sheet)

    def text(self, view: View, ui: UiState, width: int) -> list[Row]:
        """All rows, however many."""
        raise NotImplementedError

    def head(self, ui: UiState) -> Row:
        return ((self.TITLE_TEXT, "title"),)

    def repaint(self, view: View, ui: UiState) -> int:
        """Rows from where it was scrolled to; returns how many lines changed."""
        if not self.is_mounted:
            return 0
        pane = self.query_one(RowPane)
        pane.plain = ui.ascii
        rows = self.text(view, replace(ui, scroll=0) if ui.scroll else ui, pane.cells - 2)
        while rows and not "".join(text for text, _ in rows[-1]).strip():
            rows.pop()
        self._top = min(self._top, max(0, len(rows) - pane.lines_free))
        below = len(rows) - self._top - pane.lines_free
        foot: Row = (("esc ", "key"), ("back", "dim"))
        if self._top or below > 0:
            foot = (("↑↓ ", "key"), (f"{max(0, below)} more below   ", "dim"), *foot)
        shown = rows[self._top : self._top + pane.lines_free]
        return pane.show([((" ", ""), *row) for row in shown], self.head(ui), foot, lit=True)

    def on_key(self, event: events.Key) -> None:
        # Subclasses override `turns`, not this: Textual calls the `on_key` of every class along the line, and would close twice.
        if event.key in ("escape", "q", *self.closes()):
            event.stop()
            self.dismiss()
        elif by := self.turns().get(event.key):
            event.stop()
            self._top = 0
            self.post_message(self.Turned(by))
        elif event.key in ("up", "down", "pageup", "pagedown", "home", "end", "j", "k"):
            event.stop()
            page = max(1, self.query_one(RowPane).lines_free - 2)
            by = {"up": -1, "k": -1, "down": 1, "j": 1, "pageup": -page, "pagedown": page, "home": -ROWS_MAX, "end": ROWS_MAX}[event.key]
            self._top = max(0, self._top + by)
            self.post_message(self.Turned())

    def closes(self) -> tuple[str, ...]:
        """Keys besides Esc that close it: the one that opened it."""
        return ()

    def turns(self) -> dict[str, int]:
        """Keys that go to another node, and how many places on."""
        return {}

    def on_row_pane_wheeled(self, message: RowPane.Wheeled) -> None:
        message.stop()
        self._top = max(0, self._top - message.lines)
        self.post_message(self.Turned())


class InspectorScreen(Sheaf):
    """Everything known of the cursor's node; left and right go to its neighbours."""

    def head(self, ui: UiState) -> Row:
        return ((f"INSPECTOR  {ui.cursor}", "title"), ("   ← → another node", "dim"))

    def text(self, view: View, ui: UiState, width: int) -> list[Row]:
        return list(self._painter.rows("inspector", view, ui, width, ROWS_MAX))

    def closes(self) -> tuple[str, ...]:
        return ("enter",)

    def turns(self) -> dict[str, int]:
        return {"left": -1, "right": 1}


class RecordsScreen(Sheaf):
    """Raw records, each under the place where it stands."""

    TITLE_TEXT = "RAW RECORDS"

    def __init__(self, sheet: Sheet, painter: Painter, records: list[tuple[str, str]]) -> None:
        super().__init__(sheet, painter)
        self._records = records

    def text(self, view: View, ui: UiState, width: int) -> list[Row]:
        lines: list[Row] = []
        for where, record in self._records:
            lines.append(((where, "heading"),))
            room = max(20, width - 2)
            for line in record.splitlines() or [""]:
                lines += [((f"  {line[i : i + room]}", ""),) for i in range(0, max(1, len(line)), room)]
            lines.append(())
        return lines[:ROWS_MAX]

    def closes(self) -> tuple[str, ...]:
        return ("enter",)


class HelpScreen(Sheaf):
    """All keys of this seat, and how to read the screen."""

    TITLE_TEXT = "KEYS AND SIGNS"

    def text(self, view: View, ui: UiState, width: int) -> list[Row]:
        from tui.select.help import rows

        return list(rows(entries(ui), ui, width, ROWS_MAX))

    def closes(self) -> tuple[str, ...]:
        return ("question_mark",)


class ConfirmScreen(ModalScreen[bool]):
    """The computed consequence of a command, and whether it is meant. `typed`: what must be written out first."""

    AUTO_FOCUS = None

    def __init__(self, text: str, sentence: str, typed: str = "") -> None:
        super().__init__()
        self._text = text
        self._sentence = sentence
        self._typed = typed

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static(self._text, id="what", markup=False)
            yield Static(self._sentence, id="sentence", markup=False)
            if self._typed:
                yield Static(f"Type {self._typed} to go on:", id="ask", markup=False)
                yield Input(id="line", max_length=200)
            with Horizontal(id="buttons"):
                yield Button("Cancel", id="cancel", variant="primary")
                yield Button("Do it", id="go", variant="error", disabled=bool(self._typed))

    def on_mount(self) -> None:
        # With nothing to write, Cancel has the focus; with something, the line has, and Enter there means nothing until it is right.
        self.query_one("#line" if self._typed else "#cancel").focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        self.query_one("#go", Button).disabled = event.value.strip() != self._typed

    def on_input_submitted(self, event: Input.Submitted) -> None:
        if event.value.strip() == self._typed:
            self.dismiss(True)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "go")

    def on_key(self, event: events.Key) -> None:
        if event.key == "escape":
            event.stop()
            self.dismiss(False)
        elif event.key in ("left", "right") and not isinstance(self.focused, Input):
            event.stop()
            self.focus_next(Button) if event.key == "right" else self.focus_previous(Button)
