"""Screen 5: all incidents by family with their last verdicts, and the card of the chosen one."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal

from tui.playbill import Playbill
from tui.screens.lab import LabScreen
from tui.screens.painting import Pane, View
from tui.state import Row, UiState
from tui.widgets.footer import act_rows


class IncidentsScreen(LabScreen):
    PANES = (Pane("incidents", "INCIDENTS"), Pane("programme", "CARD"))
    TITLE, PULSE, NARRATOR = "marquee", "cast", "commentary"

    def body(self) -> ComposeResult:
        with Horizontal(id="above"):
            yield self.framed("incidents")
            yield self.framed("programme")

    def status(self, view: View, ui: UiState, width: int) -> list[Row]:
        assert isinstance(view, Playbill)
        return act_rows(view, ui, width)
