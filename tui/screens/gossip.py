"""Screen 3: one rumour's way through the cluster, and who believes what of whom."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal

from tui.screens.lab import LabScreen
from tui.screens.painting import Pane

FRAME_LINES = 6  # title, pulse, narrator, status and keys
WAVE_LINES_STACKED = 12
BELIEFS_LINES_MIN = 5


class GossipScreen(LabScreen):
    PANES = (
        Pane("wave", "GOSSIP  infection wave"),
        Pane("beliefs", "BELIEFS  who thinks what of whom"),
        Pane("lag", "LAG  versions behind"),
        Pane("bands", "MEMBERSHIP  live sets"),
    )

    def body(self) -> ComposeResult:
        yield self.framed("wave")
        with Horizontal(id="below"):
            yield self.framed("beliefs")
            yield self.framed("lag")
            yield self.framed("bands")

    def companions(self, chosen: str, nodes: int) -> tuple[str, ...]:
        """On a small terminal the wave leaves room for the beliefs."""
        room = self.size.height - FRAME_LINES - WAVE_LINES_STACKED
        pair = {"wave": ("beliefs",), "beliefs": ("wave",)}
        return pair.get(chosen, ()) if room >= BELIEFS_LINES_MIN else ()

    def fit_panes(self, nodes: int, *, stacked: bool) -> None:
        """Beside another pane the wave takes what it can use."""
        wave = self.query_one("#wave").styles
        if stacked:
            wave.height = WAVE_LINES_STACKED
        else:
            wave.clear_rule("height")
