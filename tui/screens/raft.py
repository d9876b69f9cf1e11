"""Screen 2: the logs side by side, who led when, and why things do not move.

Law 1: every voter's lane is in sight as long as the panes below keep the least they need.
"""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal

from cluster.telemetry.view import ClusterView
from tui.screens.lab import LabScreen
from tui.screens.painting import Pane, View
from tui.state import UiState

LANES_FRAME = 5  # frame, axis and legend around the lanes
RIBBON_LINES, RIBBON_LINES_STACKED, RIBBON_LINES_WIDE = 6, 7, 9
BELOW_LINES_MIN = 9


class RaftScreen(LabScreen):
    PANES = (
        Pane("lanes", "RAFT  log lanes"),
        Pane("ribbon", "LEADERS"),
        Pane("progress", "PROGRESS  as the leader sees it"),
        Pane("why", "WHY"),
        Pane("events", "EVENTS"),
    )
    WIDE_ONLY = frozenset({"events"})

    def body(self) -> ComposeResult:
        yield self.framed("lanes")
        yield self.framed("ribbon")
        with Horizontal(id="below"):
            yield self.framed("progress")
            yield self.framed("why")
            yield self.framed("events")

    def companions(self, chosen: str, nodes: int) -> tuple[str, ...]:
        """On a small terminal the ribbon of leaders stands above what has room left."""
        return ("why",) if chosen == "ribbon" else ("ribbon",) if chosen in ("progress", "why") else ()

    def fit_panes(self, nodes: int, *, stacked: bool) -> None:
        """Beside another pane the ribbon takes what it can use."""
        ribbon = self.query_one("#ribbon").styles
        if stacked:
            ribbon.height = RIBBON_LINES_STACKED
        else:
            ribbon.clear_rule("height")

    def repaint(self, view: View, ui: UiState, tape: tuple[int, int] | None = None) -> int:
        """As for every screen, once the lanes have their height: it depends on the voters and on the sides of a cut."""
        if self.is_mounted and self.size.height:
            assert isinstance(view, ClusterView)
            self._fit_lanes(len(view.lab.voters) + max(0, len(view.sides) - 1) if view.lab is not None else 0)
        return super().repaint(view, ui, tape)

    def _fit_lanes(self, lanes: int) -> None:
        body = self.query_one("#body").size.height
        ribbon = RIBBON_LINES_WIDE if self.has_class("-wide") else RIBBON_LINES
        room = body - ribbon - BELOW_LINES_MIN
        self.query_one("#lanes").styles.height = "1fr" if self.single else max(LANES_FRAME + 3, min(LANES_FRAME + lanes, room))
