"""The broken run's own picture."""

from __future__ import annotations

from tui.playbill import Playbill
from tui.select.picture import rows_of
from tui.state import Row, UiState


def rows(bill: Playbill, ui: UiState, width: int, height: int) -> list[Row]:
    """See `picture`."""
    return rows_of(bill, "broken", ui, width, height)
