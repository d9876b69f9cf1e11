"""Screen 1: nodes, suspicion, topology, events, metrics; what happens now, at a glance."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal

from tui.screens.lab import LabScreen
from tui.screens.painting import Pane

FRAME_LINES = 6  # of every screen: title, pulse, narrator, status, keys
EVENTS_LINES_MIN = 6
PHI_CELLS_MIN = 38  # its verdicts in full: `n12 convicts n11: true, 343 ms late`


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

    def companions(self, chosen: str, nodes: int) -> tuple[str, ...]:
        """Five nodes leave half of a small terminal empty: what happens stands there."""
        room = self.size.height - FRAME_LINES - _table_lines(nodes)
        return ("events",) if chosen == "nodes" and room >= EVENTS_LINES_MIN else ()

    def fit_panes(self, nodes: int, *, stacked: bool) -> None:
        """The matrix gets the columns it can use: two per node up to sixteen nodes, one each beyond."""
        wanted = 2 * nodes + 12 if nodes <= 16 else nodes + 10
        room = self.size.width
        self.query_one("#phi").styles.width = "1fr" if self.single else min(max(wanted, PHI_CELLS_MIN), max(PHI_CELLS_MIN, room * 3 // 10))
        above = self.query_one("#above").styles
        if stacked:
            above.height = _table_lines(nodes)
        else:
            above.clear_rule("height")


def _table_lines(nodes: int) -> int:
    """What the node table takes: its frame, its heading, and the headings of two sides."""
    return nodes + 5
