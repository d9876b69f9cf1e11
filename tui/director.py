"""The hand at an incident: what keys and command lines do on the list and before the runs.

Law 1: as for the lab's hand: nothing is claimed that was only asked; what a run answers is told when it does.
Law 2: what is chosen (side, process, toggle, violation) exists, or the first that does takes its place.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from cluster.commands import BY_NAME, parse
from cluster.commands.dialect import Dialect, of_run
from cluster.commands.run_grammar import ACTIONS, RUN_BY_NAME, foretold
from cluster.core.errors import UsageError
from tui import reduce as r
from tui.keymap import PAUSE_S_DEFAULT, Action
from tui.playbill import SIDES, Playbill, Switch
from tui.select.course import players_in_order
from tui.state import Prompt
from tui.store import Store

PAUSE_VERB = "act-pause"
LINE_VERB = "act:"
VERBS = ("pause", "crash", "restart", "heal", "set", "cut", "isolate", "slow", "loss", *RUN_BY_NAME)


class Scenery(Protocol):
    """What the director needs of the theatre (`tui.theatre`)."""

    @property
    def bill(self) -> Playbill: ...

    async def load(self) -> None: ...
    async def look(self, slug: str) -> None: ...
    async def show(self, run_dir: Path) -> None: ...
    async def perform(self, sides: tuple[str, ...], *, by_hand: bool = False) -> None: ...
    async def end(self) -> None: ...
    def ask(self, side: str, text: str) -> None: ...
    def choose(self, side: str, toggle: str, value: str) -> None: ...


class Stage(Protocol):
    """What it needs of the dashboard."""

    def say(self, text: str, *, bad: bool = False) -> None: ...

    def begin(self, deed: Coroutine[Any, Any, None], name: str) -> None:
        """In the background; what it raises of ours is said."""

    def open(self, what: str) -> None: ...
    def panes(self) -> int: ...

    def pane(self) -> str:
        """The name of the chosen pane."""


class Director:
    """`do(action)` for the actions of the incident screens; `move`, `ask` and prompts for what they share with the lab's."""

    def __init__(self, store: Store, stage: Stage, theatre: Scenery) -> None:
        self._store = store
        self._stage = stage
        self._theatre = theatre

    # ---- coming and going -------------------------------------------------------------------------------------------

    def enter(self) -> None:
        """The list; from a run, back to it."""
        self._go("incidents")
        self._stage.begin(self._load(), "list")

    def watch(self, side: str, settings: tuple[str, ...], *, by_hand: bool) -> None:
        """The dashboard was opened for this run: it begins at once."""

        async def begin() -> None:
            await self._load()
            for setting in settings:
                toggle, _, value = setting.partition("=")
                self._theatre.choose(side, toggle, value)
            await self._theatre.perform((side,), by_hand=by_hand)

        self._stage.begin(begin(), "watch")

    def visit(self, run_dir: Path) -> None:
        """The dashboard was opened for a run that is over."""

        async def come() -> None:
            await self._theatre.load()
            await self._theatre.show(run_dir)
            self._store.act(r.Chose("side", next(iter(self._theatre.bill.scenes))))
            self._side(self._store.ui.side)

        self._stage.begin(come(), "visit")

    async def _load(self) -> None:
        await self._theatre.load()
        listed = self._theatre.bill.listed
        if self._store.ui.slug not in {line.slug for line in listed}:
            built = next((line.slug for line in listed if line.built), listed[0].slug)
            self._store.act(r.Chose("slug", built))
        await self._theatre.look(self._store.ui.slug)

    def back(self) -> bool:
        """Escape: from a run to the list, from there to the lab if there is one. Returns whether it meant anything."""
        if self._store.ui.screen == "run":
            self.enter()
            return True
        if self._store.ui.screen == "incidents" and self._store.ui.lab:
            self._go("live")
            return True
        return False

    def _go(self, screen: str) -> None:
        if self._store.ui.screen != screen:
            self._store.act(r.ScreenChosen(screen, 1))

    # ---- choosing ---------------------------------------------------------------------------------------------------

    def move(self, by: int) -> None:
        """The cursor of the list, of the processes, of the toggles or of the violations, whatever pane is chosen."""
        ui, bill = self._store.ui, self._theatre.bill
        if ui.screen == "incidents":
            if self._stage.pane() == "programme":
                self._store.act(r.Scrolled(by))
            else:
                self._choose("slug", tuple(line.slug for line in bill.listed), by)
                self._stage.begin(self._theatre.look(self._store.ui.slug), "look")
        elif self._stage.pane() == "switches":
            self._choose("switch", tuple(switch.name for switch in bill.switches), by)
        elif self._stage.pane() == "findings":
            outcome = bill.scenes[ui.side].outcome if ui.side in bill.scenes else None
            count = len(outcome.violations.evidence) if outcome is not None else 0
            self._store.act(r.Chose("finding", min(max(0, ui.finding + by), max(0, count - 1))))
        else:
            self._choose("player", self._players(), by)

    def turn(self, by: int) -> None:
        """Another pane; of the two pictures only that of the chosen side is on the way."""
        count, place = self._stage.panes(), self._store.ui.pane
        for _ in range(count):
            place = (place - 1 + by) % max(1, count) + 1
            if self._store.ui.screen != "run" or place > len(SIDES) or SIDES[place - 1] == self._store.ui.side:
                break
        self._store.act(r.PaneChosen(count, to=place))

    def _choose(self, what: str, among: tuple[str, ...], by: int) -> None:
        now = getattr(self._store.ui, what)
        if among:
            place = among.index(now) + by if now in among else 0
            self._store.act(r.Chose(what, among[min(max(0, place), len(among) - 1)]))

    def _players(self) -> tuple[str, ...]:
        scene = self._theatre.bill.scenes.get(self._store.ui.side)
        return players_in_order(scene) if scene is not None else ()

    def settle(self) -> None:
        """Law 2."""
        bill = self._theatre.bill
        if self._store.ui.screen == "run" and self._stage.pane() in SIDES and self._stage.pane() != self._store.ui.side:
            self._store.act(r.Chose("side", self._stage.pane()))
        ui = self._store.ui
        players, switches = self._players(), tuple(switch.name for switch in bill.switches)
        if players and ui.player not in players:  # between two runs there are none, and the choice stands
            self._store.act(r.Chose("player", players[0]))
        if ui.switch not in (switches or ("",)):
            self._store.act(r.Chose("switch", switches[0] if switches else ""))
        turnable = [switch for switch in bill.switches if switch.hot or ui.side not in bill.going]
        if self._store.ui.cold != (not turnable):
            self._store.act(r.Chose("cold", not turnable))
        if self._store.ui.going != bool(bill.going or bill.waiting):
            self._store.act(r.Chose("going", bool(bill.going or bill.waiting)))

    # ---- doing ------------------------------------------------------------------------------------------------------

    def do(self, action: Action) -> None:
        """One action of the group "incidents"."""
        self._deeds()[action.name]()

    def _deeds(self) -> dict[str, Callable[[], None]]:
        return {
            "open": self._open,
            "run-broken": partial(self.run, ("broken",)),
            "run-canonical": partial(self.run, ("canonical",)),
            "run-both": partial(self.run, SIDES),
            "run-by-hand": partial(self.run, ("broken",), by_hand=True),
            "end-run": lambda: self._stage.begin(self._theatre.end(), "end"),
            "side-broken": partial(self._side, "broken"),
            "side-canonical": partial(self._side, "canonical"),
            "flip": self._flip,
            "records": lambda: self._stage.open("records"),
            "act-pause": self._propose_pause,
            "act-crash": partial(self._on_player, "crash"),
            "act-restart": partial(self._on_player, "restart"),
            "act-heal": partial(self._on_player, "heal"),
            "act-command": lambda: self._line(""),
        }

    def _open(self) -> None:
        self._go("run")

    def run(self, sides: tuple[str, ...], *, by_hand: bool = False) -> None:
        self._go("run")
        self._side(sides[0] if self._store.ui.side not in sides else self._store.ui.side)
        self._stage.begin(self._theatre.perform(sides, by_hand=by_hand), "perform")

    def _side(self, side: str) -> None:
        """Keys and panes are about this run now; where its picture is one of the panes that change places, it comes up."""
        self._store.act(r.Chose("side", side))
        if self._stage.pane() in SIDES:
            self._store.act(r.PaneChosen(self._stage.panes(), to=1 + SIDES.index(side)))

    def _flip(self) -> None:
        ui, bill = self._store.ui, self._theatre.bill
        switch = next((one for one in bill.switches if one.name == ui.switch), None)
        if switch is None:
            self._stage.say("there is no toggle to turn", bad=True)
            return
        if ui.side in bill.going and not switch.hot:
            self._stage.say(f"{switch.name} cannot be changed while a run goes on: it is not hot", bad=True)
            return
        after = _next(switch, bill.toggles(ui.side).get(switch.name, switch.broken))
        self.ask(f"set {switch.name} {after}")

    def _on_player(self, verb: str) -> None:
        self.ask(f"{verb} {self._store.ui.player}")

    def _propose_pause(self) -> None:
        name = self._store.ui.player
        label = f"pause {name} for how long?  1–9 seconds · enter {PAUSE_S_DEFAULT} s · esc back"
        self._store.act(r.Asked(Prompt(PAUSE_VERB, label, name)))

    def ask(self, text: str) -> None:
        """One line of the grammar, for the chosen run; a toggle for the next run where none goes on."""
        ui, bill = self._store.ui, self._theatre.bill
        try:
            words = text.split()
            if ui.side not in bill.going and words[:1] == ["set"] and len(words) == 3:
                self._theatre.choose(ui.side, words[1], words[2])
                self._store.note(last=f"{words[1]}={words[2]} for the next {ui.side} run")
                return
            parse(text, self._dialect())
            self._theatre.ask(ui.side, text)
            self._store.note(last=f"{text} ({ui.side})")
        except UsageError as error:
            self._stage.say(str(error), bad=True)

    def _dialect(self) -> Dialect:
        bill = self._theatre.bill
        hot = {switch.name: switch.values for switch in bill.switches if switch.hot}
        return of_run(self._players(), hot, self._failpoints())

    def _ways(self, words: list[str]) -> tuple[str, ...]:
        """What may follow in `drop-response A > B`: those whose link has a proxy that knows calls."""
        scene = self._theatre.bill.scenes.get(self._store.ui.side)
        clients = {member.name for member in scene.opened.cast} if scene is not None and scene.opened is not None else set()
        ways = [player.between for player in scene.players.values() if set(player.between) <= clients] if scene is not None else []
        ways = [way for way in ways if way]
        match words[1:]:
            case []:
                return tuple(dict.fromkeys(way[0] for way in ways))
            case [_]:
                return (">",)
            case [caller, ">"]:
                return tuple(way[1] for way in ways if way[0] == caller)
        return ("800ms",) if words[0] == "hold-response" and len(words) == 4 else ()

    def _failpoints(self) -> tuple[str, ...]:
        scene = self._theatre.bill.scenes.get(self._store.ui.side)
        return scene.opened.failpoints if scene is not None and scene.opened is not None else ()

    # ---- prompts ----------------------------------------------------------------------------------------------------

    def answers(self, prompt: Prompt) -> bool:
        """Whether the prompt is one of this hand's."""
        return prompt.verb in (PAUSE_VERB, LINE_VERB)

    def answer(self, prompt: Prompt, key: str, character: str) -> None:
        """A key in it; escape is everybody's."""
        if prompt.verb == PAUSE_VERB:
            seconds = PAUSE_S_DEFAULT if key == "enter" else int(character) if character in set("123456789") else 0
            if seconds:
                self._store.act(r.Closed())
                self.ask(f"pause {prompt.value} {seconds}s")
        elif key == "enter":
            self._store.act(r.Closed())
            if line := prompt.value.strip():
                self._store.act(r.Given(line))
                self.ask(line)
        elif key == "tab":
            offers = self._offers(prompt.value)
            if len(offers) == 1:
                self._line(offers[0] + " ")
        else:
            self._store.act(r.Typed(key, character))
            typed = self._store.ui.prompt
            if typed is not None:
                self._line(typed.value, typed.at)

    def _line(self, text: str, at: int = -1) -> None:
        self._store.act(r.Asked(Prompt(LINE_VERB, f"{self._store.ui.side}:", text, self._explained(text), at)))

    def _explained(self, text: str) -> tuple[str, ...]:
        offers = [line[len(text) - len(text.rsplit(" ", 1)[-1]) :] for line in self._offers(text)]
        lines = ["  ".join(offers)] if offers else []
        verb = (BY_NAME | RUN_BY_NAME).get(text.split(" ", 1)[0])
        if verb is not None and verb.verb in VERBS:
            lines.append(f"{verb.usage} — {verb.help}")
        if " " in text.strip():
            try:
                said = foretold(parse(text, self._dialect()))
                lines = [said, *lines] if said else lines
            except UsageError as error:
                lines = [*lines[: bool(offers)], f"!{error}"]
        return tuple(lines)

    def _offers(self, text: str) -> list[str]:
        """Whole lines that begin with what is written."""
        stem, _, begun = text.rpartition(" ")
        words = stem.split()
        switches = self._theatre.bill.switches
        if not words:
            among: tuple[str, ...] = VERBS
        elif words[0] == "set":
            named = next((switch for switch in switches if switch.name == words[-1]), None)
            among = tuple(switch.name for switch in switches) if len(words) == 1 else named.values if named is not None else ()
        elif words[0] == "arm":
            among = (self._failpoints(), ACTIONS, ("2s",))[min(len(words), 3) - 1]
        elif words[0] in RUN_BY_NAME:
            among = self._ways(words)
        else:
            among = self._players()
        lead = f"{stem} " if stem else ""
        return [lead + word for word in among if word.startswith(begun) and word != begun]


def _next(switch: Switch, now: str) -> str:
    place = switch.values.index(now) if now in switch.values else -1
    return switch.values[(place + 1) % len(switch.values)]
