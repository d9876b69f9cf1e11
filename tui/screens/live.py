"""Screen 1: nodes, suspicion, topology, events, metrics; what happens now, at a glance."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal

from tui.screens.lab import LabScreen
from tui.screens.painting import Pane


class LiveScreen(LabScreen):
    PANES = (
        Pane("nodes", "NODES"),
        Pane("phi", "PHI  observer↓ subject→"),
        Pane("topology", "TOPOLOGY"),
        Pane("events", "EVENTS"),
        Pane("why", "WHY"),
        Pane("metrics", "METRICS"),
    )
    WIDE_ONLY = frozenset({"why"})

    def body(self) -> ComposeResult:
        with Horizontal(id="above"):
            yield self.framed("nodes")
            yield self.framed("phi")
            yield self.framed("topology")
        with Horizontal(id="below"):
            yield self.framed("events")
            yield self.framed("why")
            yield self.framed("metrics")

    def fit_panes(self, nodes: int) -> None:
        """The matrix gets the columns it can use: two per node up to sixteen nodes, one each beyond."""
        wanted = 2 * nodes + 12 if nodes <= 16 else nodes + 10
        room = self.size.width
        self.query_one("#phi").styles.width = "1fr" if self.single else min(max(wanted, 34), max(34, room * 3 // 10))
