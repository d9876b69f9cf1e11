"""When in a recording a picture is taken: the first moment at which the view shows what the picture is about.

Law 1: a moment is found in what happened, never set by hand: elections take another time in every run.
Law 2: a run that never shows it makes no picture; nothing is staged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from cluster.core.types import Micros
from cluster.telemetry.events import Event
from cluster.telemetry.fold import fold
from cluster.telemetry.view import EMPTY, ClusterView
from tui.select.beliefs import truths
from tui.select.signs import states_of

Wanted = Callable[[ClusterView], bool]


def view_when(events: Iterable[Event], wanted: Wanted, later_us: Micros = 0) -> ClusterView | None:
    """The view `later_us` after `wanted` first held, or the last one if the recording ends before; None: it never held."""
    view, until_us = EMPTY, -1
    for event in events:
        if until_us >= 0 and event.at_us > until_us:
            return view
        view = fold(view, event)
        if until_us < 0 and wanted(view):
            until_us = view.now_us + later_us
    return view if until_us >= 0 else None


def healthy(view: ClusterView) -> bool:
    """Everybody runs, somebody leads, and the charts have something to show."""
    states = set(states_of(view).values())
    return "leader" in states and states <= {"leader", "follower", "observer"} and len(view.series) >= 16


def stale_leader(view: ClusterView) -> bool:
    """A cut, a new leader, an old one that still believes, and a process that stands still."""
    return {"leader", "stale", "paused"} <= set(states_of(view).values())


def doomed_entries(view: ClusterView) -> bool:
    """A cut with a leader beyond it that has committed something of its own."""
    leader = max((n.state for n in view.nodes.values() if n.state and n.state.role == "leader"), key=lambda s: s.term, default=None)
    return len(view.sides) > 1 and leader is not None and leader.term > 1 and leader.log[-1].term == leader.term == _committed(leader)


def _committed(state: object) -> int:
    """The term of the newest committed entry."""
    return next((run.term for run in reversed(state.log) if run.first_index <= state.commit), 0)  # type: ignore[attr-defined]


def rumour_at_the_cut(view: ClusterView) -> bool:
    """A rumour that everybody on one side of a cut knows, and nobody beyond."""
    if len(view.sides) < 2 or not view.rumours:
        return False
    knows = {news.node for news in view.rumours[-1].learned}
    up = {name for name, node in view.nodes.items() if node.process == "up"}
    return any(knows == set(side) & up for side in view.sides)


def split_view(view: ClusterView) -> bool:
    """A cut whose sides have each agreed on who lives: as many truths as sides."""
    return len(view.sides) > 1 and truths(view) == len(view.sides)


def many_faults(view: ClusterView) -> bool:
    """Four faults at once, and two of the past."""
    return len(view.faults) >= 4 and len(view.past_faults) >= 2
