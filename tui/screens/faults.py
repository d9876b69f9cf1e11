"""Screen 6: the faults in force and past, and everything that was said."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal

from tui.screens.lab import LabScreen
from tui.screens.painting import Pane


class FaultsScreen(LabScreen):
    PANES = (Pane("faultlist", "FAULTS"), Pane("journal", "JOURNAL"))

    def body(self) -> ComposeResult:
        with Horizontal(id="above"):
            yield self.framed("faultlist")
            yield self.framed("journal")

    def companions(self, chosen: str, nodes: int) -> tuple[str, ...]:
        """A few faults leave half of a small terminal to what they do."""
        return ("journal",) if chosen == "faultlist" else ()
