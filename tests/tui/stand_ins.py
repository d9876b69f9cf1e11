"""Selectors that say what they were asked: the frame is tested without the panes' own contents."""

from __future__ import annotations

from cluster.telemetry.view import ClusterView
from tui.screens.painting import Selector
from tui.state import Row, UiState

PANES = (
    "title", "pulse", "narrator", "nodes", "phi", "topology", "events", "metrics", "why", "lanes", "ribbon", "progress", "wave",
    "beliefs", "lag", "bands", "faultlist", "journal", "inspector",
)  # fmt: skip


def stand_in(name: str) -> Selector:
    """Rows: the pane's name and size, the cursor, and the number of faults."""

    def rows(view: ClusterView, ui: UiState, width: int, height: int) -> list[Row]:
        lines = [f"{name} {width}x{height}", f"cursor {ui.cursor}", f"faults {len(view.faults)}", f"scroll {ui.scroll}"]
        return [((line[:width], "text"),) for line in lines[:height]]

    return rows


STAND_INS: dict[str, Selector] = {name: stand_in(name) for name in PANES}
