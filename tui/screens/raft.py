"""Screen 2: the logs side by side, who led when, and why things do not move."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal

from tui.screens.lab import LabScreen
from tui.screens.painting import Pane


class RaftScreen(LabScreen):
    PANES = (
        Pane("lanes", "RAFT  log lanes"),
        Pane("ribbon", "LEADERS"),
        Pane("progress", "PROGRESS  as the leader sees it"),
        Pane("why", "WHY"),
    )

    def body(self) -> ComposeResult:
        yield self.framed("lanes")
        yield self.framed("ribbon")
        with Horizontal(id="below"):
            yield self.framed("progress")
            yield self.framed("why")
