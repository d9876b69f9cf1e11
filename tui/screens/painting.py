"""From a pane's name to its rows: the selector of that name, asked only while the pane can be seen.

Law 1: a selector is `tui.select.<name>.rows(view, ui, width, height)`, pure; the same arguments are never asked twice in a row.
Law 2: a selector that fails costs one line in its own pane and one complaint; the rest of the screen lives on.
"""

from __future__ import annotations

import importlib
import traceback
from collections.abc import Callable
from typing import Any

import msgspec

from cluster.telemetry.view import ClusterView
from tui.playbill import Playbill
from tui.state import Row, UiState

# What a lab is known by, or an incident.
View = ClusterView | Playbill
Selector = Callable[[Any, UiState, int, int], list[Row]]
COMPLAINTS_MAX = 20


class Pane(msgspec.Struct, frozen=True):
    """`name` is the widget's id and the selector's module; `title` stands in the frame."""

    name: str
    title: str


class Painter:
    """Rows of panes, with the complaints of those that failed."""

    def __init__(self, selectors: dict[str, Selector] | None = None) -> None:
        self._selectors = dict(selectors or {})
        self._last: dict[str, tuple[tuple[Any, ...], list[Row]]] = {}
        self.complaints: dict[str, str] = {}

    def rows(self, name: str, view: View, ui: UiState, width: int, height: int) -> list[Row]:
        """The rows of one pane, at most `height` of them."""
        if width <= 0 or height <= 0:
            return []
        asked = (view, ui, width, height)
        known = self._last.get(name)
        if known is not None and known[0][0] is view and known[0][1] is ui and known[0][2:] == asked[2:]:
            return known[1]
        rows = self._ask(name, asked)
        self._last[name] = (asked, rows)
        return rows

    def _ask(self, name: str, asked: tuple[View, UiState, int, int]) -> list[Row]:
        try:
            if name not in self._selectors:
                self._selectors[name] = importlib.import_module(f"tui.select.{name}").rows
            return list(self._selectors[name](*asked))
        except Exception as error:  # noqa: BLE001 - law 2: whatever a selector does, the cluster and the screen go on
            if name not in self.complaints and len(self.complaints) < COMPLAINTS_MAX:
                self.complaints[name] = "".join(traceback.format_exception(error))
            return [((f" {name} cannot be drawn: {type(error).__name__}: {error}"[: asked[2]], "bad"),)]
