"""The dashboard's two values, what is known and what is chosen, and who is told when either changes.

Law 1: `view` changes only by folding events (or by a recording's seek), `ui` only by `reduce` and by what commands answered.
Law 2: whoever listens is told once per change, and asks for what it needs; nothing is pushed.
Law 3: an answer belongs to the seat and the request that asked; what other seats do is seen only in the view.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from cluster.commands import BY_NAME, Roster
from cluster.core.types import by_number
from cluster.telemetry.events import RECORDER, CommandDone, Event
from cluster.telemetry.fold import fold_all
from cluster.telemetry.view import ClusterView, FaultView
from tui.reduce import Action, reduce
from tui.state import UiState

# Commands whose answer has not come: more than this and the supervisor has a different trouble.
WAITING_MAX = 64


class Answer(msgspec.Struct, frozen=True):
    """What became of one of this seat's commands. `undoable`: its fault can be undone with one key. `asked`: for its answer."""

    text: str
    ok: bool
    answer: str
    undoable: bool
    asked: bool

    @property
    def line(self) -> str:
        """The command, and what the person at the keyboard would miss without its answer."""
        return f"{self.text}: {self.answer}" if self.answer and (self.asked or not self.ok) else self.text


class Store:
    """`listener()` is called after every change."""

    def __init__(self, view: ClusterView, ui: UiState, seat: str = "") -> None:
        self.view = view
        self.ui = ui
        self.seat = seat
        self._waiting: dict[int, str] = {}
        self._listeners: list[Callable[[], None]] = []
        self._settle()

    def listen(self, listener: Callable[[], None]) -> None:
        self._listeners.append(listener)

    def act(self, action: Action) -> None:
        """What the person at the keyboard did to the screen."""
        ui = reduce(self.ui, action)
        if ui is not self.ui:
            self.ui = ui
            self._tell()

    def feed(self, batch: tuple[Event, ...]) -> list[Answer]:
        """Fold a batch; returns the answers to this seat's own commands among it."""
        self.view = fold_all(self.view, batch)
        answers = [self._answered(event) for event in batch if isinstance(event, CommandDone) and self._own(event)]
        for answer in answers:
            self.ui = replace(self.ui, last=answer.line)
        if self.ui.recording and any(isinstance(event, CommandDone) and event.seat == RECORDER for event in batch):
            self.ui = replace(self.ui, recording=False)  # the sign must not outlive the recording
        self._settle()
        self._tell()
        return answers

    def jump(self, view: ClusterView) -> None:
        """A recording stands somewhere else."""
        self.view = view
        self._settle()
        self._tell()

    def note(self, **fields: object) -> None:
        """What the session told outside of events: the speed of a recording, a last word."""
        ui = replace(self.ui, **fields)
        if ui != self.ui:
            self.ui = ui
            self._tell()

    def asked(self, request: int, text: str) -> None:
        """A command was sent; its answer will carry `request`."""
        self._waiting[request] = text
        while len(self._waiting) > WAITING_MAX:
            del self._waiting[next(iter(self._waiting))]

    def _own(self, event: CommandDone) -> bool:
        return event.request in self._waiting and (not self.seat or event.seat == self.seat)

    def _answered(self, event: CommandDone) -> Answer:
        text = self._waiting.pop(event.request)
        verb = BY_NAME.get(text.split(" ", 1)[0])
        undoable = verb is not None and verb.lasts and event.ok
        return Answer(text, event.ok, event.answer, undoable, asked=verb is not None and verb.group == "data")

    def _settle(self) -> None:
        """What is chosen must exist: a cursor on no node goes to the first."""
        nodes = self.view.nodes
        ui = self.ui
        if nodes and ui.cursor not in nodes:
            ui = replace(ui, cursor=by_number(nodes)[0])
        if any(node not in nodes for node in ui.marked):
            ui = replace(ui, marked=tuple(node for node in ui.marked if node in nodes))
        undo = undo_text(self.view, self.seat)
        if undo != ui.undo:
            ui = replace(ui, undo=undo)
        self.ui = ui

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()


def newest_own(view: ClusterView, seat: str) -> FaultView | None:
    """The fault that `undo` would end: the newest in force that this seat began."""
    own = [fault for fault in view.faults.values() if not seat or fault.fault.by == seat]
    return max(own, key=lambda fault: fault.fault.id, default=None)


def undo_text(view: ClusterView, seat: str) -> str:
    """What `u` would undo, in words; "" when there is nothing."""
    newest = newest_own(view, seat)
    if newest is None:
        return ""
    verb = BY_NAME.get(newest.fault.kind)
    back = verb.undo if verb is not None else ""
    lost = ", what was in memory is lost" if verb is not None and verb.danger == "residue" else ""
    return f"{newest.fault.text}" + (f" ({back}{lost})" if back else "")


def roster_of(view: ClusterView) -> Roster:
    """Who is there now, for roles, completion and consequences: the truth about processes, the announcements about leaders."""
    nodes = tuple(by_number(view.nodes))
    return Roster(
        nodes=nodes,
        voters=view.lab.voters if view.lab else (),
        down=tuple(node for node in nodes if view.nodes[node].process in ("down", "starting")),
        paused=tuple(node for node in nodes if view.nodes[node].process == "paused"),
        leader=_leader(view),
        faults=tuple(view.faults),
        severed=tuple((link.source, link.target) for link in view.plan.links if link.cut),
        draw=view.now_us // 1_000,
    )


def _leader(view: ClusterView) -> str | None:
    """Who announced the newest term, while its process runs."""
    reigning = [reign for reign in view.reigns if not reign.ended_us and reign.node in view.nodes]
    alive = [reign for reign in reigning if view.nodes[reign.node].process == "up"]
    return max(alive, key=lambda reign: reign.term).node if alive else None
