"""The runs of one incident beside each other: its own picture of both, their course with the faults, toggles, and the verdict."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal

from tui.playbill import SIDES, Playbill
from tui.screens.lab import LabScreen
from tui.screens.painting import Pane, View
from tui.select.acts import telling
from tui.state import Row, UiState
from tui.widgets.footer import act_rows

FRAME_LINES = 6  # of every screen: title, pulse, narrator, status, keys
COURSE_FRAME = 4  # its frame, the axis and the window
COURSE_LINES_MAX, COURSE_LINES_MAX_WIDE, COURSE_LINES_MAX_STACKED = 11, 16, 8
BELOW_LINES, BELOW_LINES_WIDE = 6, 12
PICTURE_LINES_MIN = 7


class RunScreen(LabScreen):
    PANES = (
        Pane("broken", "BROKEN"),
        Pane("canonical", "CANONICAL"),
        Pane("course", "PROCESSES AND FAULTS"),
        Pane("switches", "TOGGLES"),
        Pane("findings", "VERDICT  from the files"),
    )
    TITLE, PULSE, NARRATOR = "marquee", "cast", "commentary"

    def body(self) -> ComposeResult:
        with Horizontal(id="above"):
            yield self.framed("broken")
            yield self.framed("canonical")
        yield self.framed("course")
        with Horizontal(id="below"):
            yield self.framed("switches")
            yield self.framed("findings")

    def crowd(self, view: View) -> int:
        """The lanes of the course: processes and faults."""
        assert isinstance(view, Playbill)
        return max((len(scene.players) + min(3, len(scene.faults)) for scene in view.scenes.values()), default=0)

    def beside(self, pane: str, view: View) -> Row:
        """Whether a side's run was there before, and the toggles that make it what it is."""
        assert isinstance(view, Playbill)
        if pane not in SIDES:
            return ()
        told = tuple((f"  {name}={value}", style) for name, value, style in telling(view, pane))
        return (("  earlier run", "warn"), *told) if view.earlier(pane) else told

    def status(self, view: View, ui: UiState, width: int) -> list[Row]:
        assert isinstance(view, Playbill)
        return act_rows(view, ui, width)

    def companions(self, chosen: str, nodes: int) -> tuple[str, ...]:
        """On a small terminal a picture has the course below it, and toggles the verdict."""
        room = self.size.height - FRAME_LINES - COURSE_LINES_MAX_STACKED
        pairs = {"switches": ("findings",), "findings": ("switches",)}
        if chosen in ("broken", "canonical"):
            return ("course",) if room >= PICTURE_LINES_MIN else ()
        return pairs.get(chosen, ())

    def fit_panes(self, nodes: int, *, stacked: bool) -> None:
        """The course takes what its lanes need, the pictures get the rest."""
        course, below = self.query_one("#course").styles, self.query_one("#below").styles
        if not self.single:
            course.height = self._course_lines(nodes)
            below.height = BELOW_LINES_WIDE if self.has_class("-wide") else BELOW_LINES
        else:
            course.height = min(COURSE_LINES_MAX_STACKED, self._course_lines(nodes)) if stacked else "1fr"
            below.height = "1fr"

    def _course_lines(self, lanes: int) -> int:
        most = COURSE_LINES_MAX_WIDE if self.has_class("-wide") else COURSE_LINES_MAX
        return min(most, COURSE_FRAME + max(1, lanes))
