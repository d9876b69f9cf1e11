"""What a key does: from the keymap's table to a command that is asked, a prompt that opens, or a screen that changes.

Law 1: nothing on the screen claims what was only asked: a command goes to the session, and the view changes when an event says so.
Law 2: safety is by blast radius: what would lose the quorum or data is confirmed, with its computed consequence; all else acts at once.
Law 3: an error of the person at the keyboard is one line on the screen.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol

from msgspec.structs import replace

from cluster.commands import BY_NAME, Command, Roster, complete, consequence, parse
from cluster.commands.model import Wipe
from cluster.core.errors import UsageError
from cluster.core.types import NodeId
from tui import reduce as r
from tui.director import Director
from tui.keymap import BY_ACTION, MENUS, PAUSE_S_DEFAULT, SAFE, Action, choice_for, for_key
from tui.select.proposal import cut_text, preview, targets
from tui.state import SCREENS, Prompt
from tui.store import Store, roster_of
from tui.winder import Tape, Winder

PAGE_LINES = 10
FILTER_HINT = "Lines and nodes that contain this; enter keeps it, esc drops it."


class Stage(Protocol):
    """What the hand needs of the dashboard."""

    def submit(self, text: str) -> None:
        """Send a command; its answer will be heard."""

    def confirm(self, text: str, sentence: str, typed: str) -> None:
        """Ask whether it is really meant; `typed`: what must be written out ("": a button is enough)."""

    def say(self, text: str, *, bad: bool = False) -> None: ...

    def open(self, what: str) -> None:
        """ "help" | "inspect" | "palette"."""

    def leave(self) -> None: ...

    def panes(self) -> int:
        """How many panes the screen shown has."""

    def nodes_in_order(self) -> tuple[NodeId, ...]: ...

    def faults_in_order(self) -> tuple[int, ...]:
        """The faults in force as listed, when the list is what the arrows move in; else empty."""


class Hand:
    """Turns keys and named actions into deeds."""

    def __init__(self, store: Store, stage: Stage, tape: Tape | None = None, director: Director | None = None) -> None:
        self._store = store
        self._stage = stage
        self._director = director  # of the incident screens
        self._winder = Winder(store, tape) if tape is not None else None
        self._last = ""  # what `.` gives once more
        self._looks = self._looking()
        self._recalled = 0  # how far back the command line has gone

    # ---- keys -------------------------------------------------------------------------------------------------------

    def press(self, key: str, character: str = "") -> bool:
        """One key; returns whether it meant anything."""
        if self._store.ui.prompt is not None:
            self._answer(self._store.ui.prompt, key, character)
            return True
        action = for_key(key, self._store.ui)
        if action is not None:
            self.do(action.name)
        return action is not None

    def do(self, name: str) -> None:
        """One action of the keymap, by a key, the palette or a click."""
        action = BY_ACTION[name]
        if not action.allowed(self._store.ui):
            self._stage.say(self._refusal(), bad=True)
        elif action.who == "replay":
            assert self._winder is not None, "replay keys exist only over a recording"
            self._winder.wind(name)
        elif action.place in ("list", "run", "acts"):
            assert self._director is not None, "keys of incidents exist only on their screens"
            self._director.do(action)
        elif action.who == "operator":
            self._operate(action)
        else:
            self._look(name)

    def _refusal(self) -> str:
        return "this seat observes: it gives no commands" if self._store.ui.observer else "disarmed: ! arms the keyboard"

    # ---- asking something of the cluster ----------------------------------------------------------------------------

    def _operate(self, action: Action) -> None:
        ui, view = self._store.ui, self._store.view
        hit = ",".join(targets(view, ui))
        match action.name:
            case "cut":
                self._propose_cut()
            case "pause":
                label = f"pause {hit.replace(',', ' ')} for how long?  1–9 seconds · enter {PAUSE_S_DEFAULT} s · esc back"
                self._open(Prompt("pause", label, hit))
            case "degrade" | "clock" | "disk":
                hint = "A key chooses; the command can then be edited. Esc backs out."
                self._open(Prompt(action.name, f"{action.name} {hit.replace(',', ' ')}:", hit, (hint,)))
            case "repeat":
                if self._last:
                    self.ask(self._last)
                else:
                    self._stage.say("nothing was asked yet: there is nothing to repeat", bad=True)
            case "heal" if ui.screen == "faults" and self._stage.faults_in_order():
                self.ask(f"heal {self._chosen_fault()}")
            case "command":
                self._open_line()
            case "arm":
                self._arm()
            case "workload":
                running = view.ops is not None and view.ops.rate > 0
                self.ask(f"workload {'off' if running else 'on'}")
            case "freeze":
                self.ask("thaw" if view.frozen else "freeze")
            case _:
                self.ask(action.text.format(T=hit))

    def _chosen_fault(self) -> int:
        listed = self._stage.faults_in_order()
        return self._store.ui.fault if self._store.ui.fault in listed else listed[0]

    def _propose_cut(self) -> None:
        roster = roster_of(self._store.view)
        try:
            text = cut_text(self._store.ui, roster)
            sides = preview(text, roster)
        except UsageError as error:
            self._stage.say(str(error), bad=True)
            return
        self._open(Prompt("cut", f"{text}   enter applies · e edits · esc backs out", text, sides))

    def ask(self, text: str) -> None:
        """Give one command: at once, or after a confirmation (law 2)."""
        try:
            command = parse(text)
            sentence = consequence(command, roster_of(self._store.view))
        except UsageError as error:
            self._stage.say(str(error), bad=True)
            return
        ui = self._store.ui
        danger = BY_NAME[text.split()[0]].danger
        if ui.observer or (not ui.armed and danger != SAFE):
            self._stage.say(self._refusal(), bad=True)
        elif sentence is not None:
            self._stage.confirm(text, sentence, _to_be_typed(command))
        else:
            self.send(text)

    def send(self, text: str) -> None:
        """Give a command that needs no more questions."""
        self._last = text
        self._stage.submit(text)

    # ---- prompts ----------------------------------------------------------------------------------------------------

    def _open(self, prompt: Prompt) -> None:
        self._store.act(r.Asked(prompt))

    def _close(self) -> None:
        self._store.act(r.Closed())

    def _answer(self, prompt: Prompt, key: str, character: str) -> None:
        if key == "escape":
            self._close()
            if prompt.verb == "/":
                self._store.act(r.Filtered(""))
            return
        if self._director is not None and self._director.answers(prompt):
            self._director.answer(prompt, key, character)
            return
        match prompt.verb:
            case ":":
                self._edit_command(prompt, key, character)
            case "/":
                if key == "enter":
                    self._close()
                else:
                    self._store.act(r.Typed(key, character))
            case "cut":
                self._answer_cut(prompt, key)
            case "pause":
                self._answer_pause(prompt, key, character)
            case menu if menu in MENUS:
                self._answer_menu(prompt, key)

    def _answer_cut(self, prompt: Prompt, key: str) -> None:
        if key == "enter":
            self._close()
            self.ask(prompt.value)
        elif key == "e":
            self._open_line(prompt.value)

    def _answer_pause(self, prompt: Prompt, key: str, character: str) -> None:
        seconds = PAUSE_S_DEFAULT if key == "enter" else int(character) if character in set("123456789") else 0
        if seconds:
            self._close()
            self.ask(f"pause {prompt.value} {seconds}s")

    def _answer_menu(self, prompt: Prompt, key: str) -> None:
        choice = choice_for(prompt.verb, key)
        if choice is not None:
            self._open_line(choice.text.format(T=prompt.value))

    def _open_line(self, text: str = "") -> None:
        self._recalled = 0
        self._open(self._explained(Prompt(":", ":", text)))

    def _edit_command(self, prompt: Prompt, key: str, character: str) -> None:
        match key:
            case "enter":
                self._close()
                self._give(prompt.value.strip())
            case "tab":
                self._complete(prompt)
            case "up" | "down":
                self._recall(1 if key == "up" else -1)
            case _:
                self._store.act(r.Typed(key, character))
                typed = self._store.ui.prompt
                if typed is not None:
                    self._open(self._explained(typed))

    def _give(self, line: str) -> None:
        """A whole line: what other command lines call leaving and help is understood here, too."""
        if line in ("q", "quit", "exit"):
            self._stage.leave()
        elif line in ("help", "?", "h"):
            self._stage.open("help")
        elif line:
            self._store.act(r.Given(line))
            self.ask(line)

    def _complete(self, prompt: Prompt) -> None:
        """The only offer as a whole, or as much as all offers share."""
        offers = complete(prompt.value, roster_of(self._store.view))
        if offers:
            shared = _common_start(offers)
            value = offers[0] + " " if len(offers) == 1 else max(shared, prompt.value, key=len)
            self._open(self._explained(replace(prompt, value=value, at=-1)))

    def _recall(self, by: int) -> None:
        past = self._store.ui.past
        self._recalled = min(max(0, self._recalled + by), len(past))
        line = past[-self._recalled] if self._recalled else ""
        self._open(self._explained(Prompt(":", ":", line)))

    def _explained(self, prompt: Prompt) -> Prompt:
        """The line with what could stand next, and what would come of it as it stands."""
        roster = roster_of(self._store.view)
        offers = [line[len(prompt.value) - len(_last_word(prompt.value)) :] for line in complete(prompt.value, roster)]
        lines = ["  ".join(offers)] if offers else []
        verb = BY_NAME.get(prompt.value.split(" ", 1)[0])
        if verb is not None:
            lines.append(f"{verb.usage} — {verb.help}")
            try:
                command = parse(prompt.value)
                sentence = consequence(command, roster)
                lines = [f"!{sentence}", *lines] if sentence else [*_cut_preview(prompt.value, verb.verb, roster), *lines]
            except UsageError as error:
                if " " in prompt.value.strip():
                    lines.append(f"!{error}")
        return replace(prompt, preview=tuple(lines))

    def rest_at_end(self) -> None:
        """A recording that has run to its end stands there."""
        if self._winder is not None:
            self._winder.rest_at_end()

    # ---- the screen alone -------------------------------------------------------------------------------------------

    def _look(self, name: str) -> None:
        assert name in self._looks, f"the keymap names an action that nothing does: {name}"
        self._looks[name]()

    def _looking(self) -> dict[str, Callable[[], None]]:
        """What each action that only changes the screen does."""
        act, stage, store = self._store.act, self._stage, self._store
        return {
            "up": lambda: self._move(-1),
            "down": lambda: self._move(1),
            "mark": lambda: act(r.Marked()),
            "filter": lambda: self._open(Prompt("/", "/", store.ui.filter, (FILTER_HINT,))),
            "inspect": lambda: stage.open("inspect"),
            "next-pane": partial(self._turn, 1),
            "last-pane": partial(self._turn, -1),
            "zoom": lambda: act(r.Turned("zoom")),
            "order": lambda: act(r.Turned("order")),
            "layout": lambda: act(r.Turned("layout")),
            # Events are scrolled back from their end, a card on from its beginning.
            "scroll-up": lambda: act(r.Scrolled(PAGE_LINES if store.ui.place == "lab" else -PAGE_LINES)),
            "scroll-down": lambda: act(r.Scrolled(-PAGE_LINES if store.ui.place == "lab" else PAGE_LINES)),
            "newest": lambda: act(r.Scrolled(end=True)),
            "older-rumour": lambda: act(r.RumourChosen(1, len(store.view.rumours))),
            "newer-rumour": lambda: act(r.RumourChosen(-1, len(store.view.rumours))),
            "palette": lambda: stage.open("palette"),
            "help": lambda: stage.open("help"),
            "back": self._back,
            "quit": stage.leave,
            **{screen: partial(self._go, screen) for screen in SCREENS.values()},
        }

    def _go(self, screen: str) -> None:
        if screen == "incidents":
            if self._director is not None:
                self._director.enter()
            else:
                self._stage.say("there are no incidents here", bad=True)
            return
        if not self._store.ui.lab:
            self._stage.say("there is no lab behind this: faultline alone starts one", bad=True)
            return
        self._store.act(r.ScreenChosen(screen, self._stage.panes()))

    def _turn(self, by: int) -> None:
        if self._store.ui.place != "lab" and self._director is not None:
            self._director.turn(by)
        else:
            self._store.act(r.PaneChosen(self._stage.panes(), by=by))

    def _back(self) -> None:
        ui = self._store.ui
        if ui.place == "lab" or ui.prompt is not None or ui.zoom or self._director is None or not self._director.back():
            self._store.act(r.Backed())

    def _move(self, by: int) -> None:
        if self._store.ui.place != "lab" and self._director is not None:
            self._director.move(by)
            return
        listed = self._stage.faults_in_order()
        if listed:
            place = listed.index(self._chosen_fault()) + by
            self._store.act(r.FaultChosen(listed[min(max(0, place), len(listed) - 1)]))
        else:
            self._store.act(r.Moved(by, self._stage.nodes_in_order()))

    def _arm(self) -> None:
        self._store.act(r.Turned("armed"))
        self._stage.say("armed" if self._store.ui.armed else "disarmed: no key can harm now, ! arms again")


def _to_be_typed(command: Command) -> str:
    """Wiping wants the name written out; everything else a button."""
    return ",".join(command.targets) if isinstance(command, Wipe) else ""


def _common_start(lines: list[str]) -> str:
    first, last = min(lines), max(lines)
    same = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
    return first[:same]


def _last_word(text: str) -> str:
    return text.replace(",", " ").rsplit(" ", 1)[-1]


def _cut_preview(text: str, verb: str, roster: Roster) -> tuple[str, ...]:
    return preview(text, roster) if verb in ("cut", "isolate") else ()
