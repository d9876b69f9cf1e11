"""Screen 3: one rumour's way through the cluster, and who believes what of whom."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal

from tui.screens.lab import LabScreen
from tui.screens.painting import Pane


class GossipScreen(LabScreen):
    PANES = (
        Pane("wave", "GOSSIP  infection wave"),
        Pane("beliefs", "BELIEFS  who thinks what of whom"),
        Pane("lag", "LAG  versions behind"),
        Pane("bands", "MEMBERSHIP  who lives in the same world"),
    )

    def body(self) -> ComposeResult:
        yield self.framed("wave")
        with Horizontal(id="below"):
            yield self.framed("beliefs")
            yield self.framed("lag")
            yield self.framed("bands")
