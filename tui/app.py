"""The dashboard: one session's events on the screen, one person's keys to the session.

Law 1: data flows one way: session → store → frame clock → selectors → panes; keys flow back as commands through the hand.
Law 2: whatever fails here fails on this side only: the cluster goes on, the terminal is restored, and the complaint is told at the end.
Law 3: only what can be seen is computed.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Container, Iterable
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from msgspec.structs import replace
from textual import events
from textual.app import App, SystemCommand
from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.screen import Screen

from cluster.core.errors import FaultlineError, UsageError
from cluster.core.types import NodeId
from cluster.telemetry.events import (
    CommandDone,
    Event,
    FaultBegan,
    FaultEnded,
    FreezeChanged,
    PlanChanged,
    ProcessChanged,
    RumourLearned,
)
from cluster.telemetry.session import Session
from cluster.telemetry.view import ClusterView
from tui import reduce as r
from tui.director import Director
from tui.frame import FrameClock
from tui.hand import Hand
from tui.keymap import Action, offered
from tui.palette import THEMES, Sheet
from tui.screens.faults import FaultsScreen
from tui.screens.gossip import GossipScreen
from tui.screens.incidents import IncidentsScreen
from tui.screens.lab import LabScreen
from tui.screens.live import LiveScreen
from tui.screens.over import ConfirmScreen, HelpScreen, InspectorScreen, RecordsScreen, Sheaf
from tui.screens.painting import Painter, Selector
from tui.screens.raft import RaftScreen
from tui.screens.run import RunScreen
from tui.select.nodes import order
from tui.state import UiState
from tui.store import Store
from tui.theatre import Settings, Theatre
from tui.widgets.footer import action_at
from tui.widgets.rows import RowPane
from tui.winder import Tape

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

DEFAULT_THEME = "faultline"
SCRUB_PERIOD_S = 0.25
TOAST_S = 4.0
# What keys bring about, in the supervisor's own words: whoever pressed one waits for these.
AWAITED = (CommandDone, FaultBegan, FaultEnded, FreezeChanged, PlanChanged, ProcessChanged)
SCREEN_TYPES: dict[str, type[LabScreen]] = {
    "live": LiveScreen, "raft": RaftScreen, "gossip": GossipScreen, "faults": FaultsScreen, "incidents": IncidentsScreen,
    "run": RunScreen,
}  # fmt: skip


class Staging(NamedTuple):
    """Where incident runs are kept and what goes to each of them; `begin(app)` is called when the dashboard is up."""

    runs: Path = Path(".")
    settings: Settings = Settings()
    begin: Callable[[FaultlineApp], None] | None = None


class Actions(Provider):
    """The palette's lines: every action of the keymap that this seat has."""

    def _hits(self) -> Iterable[tuple[Action, Callable[[], None]]]:
        app = self.app
        assert isinstance(app, FaultlineApp)
        return ((action, partial(app.hand.do, action.name)) for action in offered(app.store.ui) if action.name != "palette")

    async def discover(self) -> Hits:
        for action, deed in self._hits():
            yield DiscoveryHit(_titled(action), deed, help=action.help)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for action, deed in self._hits():
            score = max(matcher.match(_titled(action)), 0.7 * matcher.match(action.help))
            if score > 0:
                yield Hit(score, matcher.highlight(_titled(action)), deed, help=action.help)


def awaited(event: Event) -> bool:
    """Whether somebody who has just pressed a key may wait for this; a rumour only where it begins, not fifty times."""
    return isinstance(event, AWAITED) or (isinstance(event, RumourLearned) and event.node == event.origin)


def node_near(text: str, column: int, nodes: Container[NodeId]) -> NodeId:
    """The node named nearest to a column of a row; "" when the row names none."""
    named = [(abs(match.start() - column), match.group()) for match in re.finditer(r"\bn[1-9]\d*\b", text)]
    known = [pair for pair in named if pair[1] in nodes]
    return min(known)[1] if known else ""


def _titled(action: Action) -> str:
    return f"{action.name.replace('-', ' ')}  ({action.shown})"


class FaultlineApp(App[None]):
    """`FaultlineApp(session, initial, ui).run()`: until the person leaves. The session is closed by whoever opened it.

    `selectors`: rows of panes by name, instead of those of `tui.select`. `complaints`: what failed on our side, to be told afterwards.
    """

    CSS_PATH = "theme.tcss"
    TITLE = "faultline"
    ENABLE_COMMAND_PALETTE = True
    COMMANDS: ClassVar = {Actions}
    # Toasts stand above the last rows, so that the keys stay readable.
    NOTIFICATION_TIMEOUT = TOAST_S

    def __init__(
        self,
        session: Session,
        initial: ClusterView,
        ui: UiState,
        *,
        theme: str = "",
        selectors: dict[str, Selector] | None = None,
        staging: Staging | None = None,
    ) -> None:
        super().__init__()
        if "NO_COLOR" in os.environ:
            ui = replace(ui, colour=False)
        if session.observer and not ui.observer:
            ui = replace(ui, observer=True)
        self._session = session
        self._tape: Tape | None = session if hasattr(session, "seek") else None  # type: ignore[assignment]
        self.store = Store(initial, ui, seat=getattr(session, "name", ""))
        self.painter = Painter(selectors)
        self._staging = staging or Staging()
        self.director = Director(self.store, self, self.theatre)
        self.hand = Hand(self.store, self, self._tape, self.director)
        self.lost = ""  # why the session ended, when it should not have
        for own in THEMES:
            self.register_theme(own)
        if theme and theme not in self.available_themes:
            raise UsageError(f"there is no theme {theme!r}: {', '.join(sorted(self.available_themes))}")
        self.theme = theme or DEFAULT_THEME
        self._sheet = Sheet(self.current_theme)
        self._clock: FrameClock | None = None
        self._screens: dict[str, LabScreen] = {}

    @property
    def complaints(self) -> list[str]:
        """What failed on this side: tell it once the terminal is a terminal again."""
        return [*self.painter.complaints.values(), *([self.lost] if self.lost else [])]

    @property
    def frame_due(self) -> bool:
        """Something changed that is not painted yet."""
        return self._clock is not None and self._clock.due

    # ---- life -------------------------------------------------------------------------------------------------------

    async def on_mount(self) -> None:
        loop = asyncio.get_running_loop()
        self._clock = FrameClock(self.paint, loop)
        self.store.listen(self._clock.request)
        self.theme_changed_signal.subscribe(self, lambda _: self._restyle())
        await self._show_screen()
        self.run_worker(self._hear(), name="session", exit_on_error=False)
        if self._staging.begin is not None:
            self._staging.begin(self)
        if self._tape is not None:
            self.set_interval(SCRUB_PERIOD_S, self._clock.request)

    def on_unmount(self) -> None:
        if self._clock is not None:
            self._clock.stop()
            self._clock = None  # a run that is being ended still has something to tell, and nobody paints it

    async def _hear(self) -> None:
        """Fold everything that the session tells, until it is over."""
        try:
            async for batch in self._session.events():
                answers = self.store.feed(batch)
                if self._clock is not None and any(awaited(event) for event in batch):
                    self._clock.answer()
                for answer in answers:
                    self.clear_notifications()  # what the last command said is no longer the last word
                    if not answer.ok:
                        self.say(answer.answer or f"{answer.text} was refused", bad=True)
                    elif answer.undoable:
                        self.say(f"{answer.text}   (u undoes)")
                    elif answer.asked:
                        self.say(answer.line)
        except FaultlineError as error:
            self.lost = str(error)
        closed = self.store.view.closed
        self.say(self.lost or (f"the lab is over: {closed}" if closed else "the lab is over"), bad=bool(self.lost))

    @cached_property
    def theatre(self) -> Theatre:
        """The runs of incidents."""
        return Theatre(self._staging.runs, self._changed, lambda text, bad: self.say(text, bad=bad), self._staging.settings)

    def _changed(self) -> None:
        if self._clock is not None:
            self._clock.request()

    # ---- painting ---------------------------------------------------------------------------------------------------

    def paint(self) -> None:
        """One frame: every visible pane gets its rows."""
        self.hand.rest_at_end()
        if self.store.ui.place != "lab":
            self.director.settle()
        view, ui = self.store.view, self.store.ui
        if ui.screen != self._current_name():
            self.run_worker(self._show_screen(), name="screen", exclusive=True, group="screen")
            return
        tape = (self._tape.position_us, self._tape.length_us) if self._tape is not None else None
        for screen in self.screen_stack:
            if isinstance(screen, IncidentsScreen | RunScreen):
                screen.repaint(self.theatre.bill, ui)
            elif isinstance(screen, LabScreen):
                screen.repaint(view, ui, tape)
            elif isinstance(screen, Sheaf):
                screen.repaint(view, ui)

    def _current_name(self) -> str:
        return next((name for name, screen in self._screens.items() if screen in self.screen_stack), "")

    async def _show_screen(self) -> None:
        """Bring the chosen screen up; screens are made when first seen and kept."""
        name = self.store.ui.screen
        if name not in self._screens:
            self._screens[name] = SCREEN_TYPES[name](self._sheet, self.painter)
            self.install_screen(self._screens[name], name)
        if self._current_name():
            await self.switch_screen(name)
        else:
            await self.push_screen(name)
        self._ask_frame()

    def _ask_frame(self) -> None:
        if self._clock is not None:
            self._clock.request(by_hand=True)

    def _restyle(self) -> None:
        self._sheet = Sheet(self.current_theme)
        for screen in {*self._screens.values(), *(s for s in self.screen_stack if isinstance(s, Sheaf))}:
            if isinstance(screen, LabScreen | Sheaf) and screen.is_mounted:
                screen.restyle(self._sheet)
        self._ask_frame()

    def on_app_focus(self, event: events.AppFocus) -> None:
        if self._clock is not None:
            self._clock.focus(True)

    def on_app_blur(self, event: events.AppBlur) -> None:
        if self._clock is not None:
            self._clock.focus(False)

    # ---- what screens tell ------------------------------------------------------------------------------------------

    def on_lab_screen_pressed(self, message: LabScreen.Pressed) -> None:
        if message.key == "ctrl+c":
            self.leave()
        elif self.hand.press(message.key, message.character):
            self._ask_frame()

    def on_row_pane_resized(self, message: RowPane.Resized) -> None:
        self._ask_frame()

    def on_row_pane_clicked(self, message: RowPane.Clicked) -> None:
        """A click chooses the pane and the node under it; a second one inspects; on the row of keys it is the key."""
        screen = self._screens.get(self.store.ui.screen)
        if screen is None or self.screen is not screen:
            return
        if message.pane == "keys":
            name = action_at(self.store.ui, screen.size.width, message.column)
            if name and self.store.ui.prompt is None:
                self.hand.do(name)
        else:
            places = {pane.name: place for place, pane in enumerate(screen.shown_panes(), 1)}
            if message.pane in places:
                self.store.act(r.PaneChosen(len(places), to=places[message.pane]))
            node = node_near(message.text, message.column, self.store.view.nodes) if self.store.ui.place == "lab" else ""
            if node:
                self.store.act(r.Picked(node))
                if message.times == 2:
                    self.open("inspect")
        self._ask_frame()

    def on_row_pane_wheeled(self, message: RowPane.Wheeled) -> None:
        self.store.act(r.Scrolled(message.lines))
        self._ask_frame()

    def on_sheaf_turned(self, message: Sheaf.Turned) -> None:
        if message.by:
            self.store.act(r.Moved(message.by, self.nodes_in_order()))
        self._ask_frame()

    # ---- the hand's stage -------------------------------------------------------------------------------------------

    def submit(self, text: str) -> None:
        """Send a command in the background."""
        self.run_worker(self._submit(text), name=text, group="commands", exit_on_error=False)

    async def _submit(self, text: str) -> None:
        try:
            request = await self._session.submit(text)
        except FaultlineError as error:
            self.say(str(error), bad=True)
        else:
            self.store.asked(request, text)

    def confirm(self, text: str, sentence: str, typed: str) -> None:
        """The dialog of a grave command."""

        def answered(yes: bool | None) -> None:
            if yes:
                self.hand.send(text)

        self.push_screen(ConfirmScreen(text, sentence, typed), answered)

    def say(self, text: str, *, bad: bool = False) -> None:
        """One line over the screen, for a few seconds."""
        self.notify(text, severity="error" if bad else "information", markup=False)

    def open(self, what: str) -> None:
        """Help, inspector or palette."""
        match what:
            case "palette":
                self.action_command_palette()
            case "help":
                self.push_screen(HelpScreen(self._sheet, self.painter))
            case "inspect":
                self.push_screen(InspectorScreen(self._sheet, self.painter))
            case "records":
                self._show_records()

    def _show_records(self) -> None:
        records = self.theatre.raw(self.store.ui.side, self.store.ui.finding)
        if records:
            self.push_screen(RecordsScreen(self._sheet, self.painter, records))
            self._ask_frame()
        else:
            self.say("no violation was found in this run: there are no records to show", bad=True)

    def begin(self, deed: Coroutine[Any, Any, None], name: str) -> None:
        """In the background; what it raises of ours is said."""

        async def guarded() -> None:
            try:
                await deed
            except FaultlineError as error:
                self.say(str(error), bad=True)

        self.run_worker(guarded(), name=name, group="incidents", exit_on_error=False)

    def pane(self) -> str:
        screen = self._screens.get(self.store.ui.screen)
        panes = screen.shown_panes() if screen is not None else ()
        return panes[(self.store.ui.pane - 1) % len(panes)].name if panes else ""

    def leave(self) -> None:
        """The person has seen enough."""
        self.exit()

    def panes(self) -> int:
        screen = self._screens.get(self.store.ui.screen)
        return len(screen.shown_panes()) if screen is not None else 1

    def nodes_in_order(self) -> tuple[NodeId, ...]:
        """As the node table lists them."""
        return tuple(order(self.store.view, self.store.ui))

    def faults_in_order(self) -> tuple[int, ...]:
        ui = self.store.ui
        if ui.screen != "faults" or ui.pane != 1:
            return ()
        return tuple(sorted(self.store.view.faults, reverse=True))

    # ---- Textual's own commands that make sense here ----------------------------------------------------------------

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        yield SystemCommand("Theme", "Choose the colours", self.action_change_theme)
