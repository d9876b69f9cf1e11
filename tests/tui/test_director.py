"""Keys before incidents: what they choose, what they ask of the theatre, and what is refused in one line."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from cluster.core.errors import UsageError
from cluster.telemetry.view import EMPTY
from scenarios.scene import Player
from tests.tui.golden.acts import bill_at
from tui.director import Director
from tui.hand import Hand
from tui.keymap import ACTIONS, Action
from tui.playbill import SIDES, Playbill
from tui.screens.incidents import IncidentsScreen
from tui.screens.run import RunScreen
from tui.state import UiState
from tui.store import Store

PANES = {"incidents": IncidentsScreen.PANES, "run": RunScreen.PANES}


class FakeTheatre:
    """Records what it is asked; its bill is whatever the test wants."""

    def __init__(self, bill: Playbill) -> None:
        self.bill = bill
        self.asked: list[tuple[object, ...]] = []

    async def load(self) -> None:
        self.asked.append(("load",))

    async def look(self, slug: str) -> None:
        self.asked.append(("look", slug))

    async def show(self, run_dir: Path) -> None:
        self.asked.append(("show", run_dir.name))

    async def perform(self, sides: tuple[str, ...], *, by_hand: bool = False) -> None:
        self.asked.append(("perform", *sides, *(["by hand"] if by_hand else [])))

    async def end(self) -> None:
        self.asked.append(("end",))

    def ask(self, side: str, text: str) -> None:
        self.asked.append((side, text))

    def choose(self, side: str, toggle: str, value: str) -> None:
        if value == "maybe":
            raise UsageError("no such value")
        self.asked.append(("choose", side, toggle, value))


class Bench:
    """A hand with its director before a pair of runs."""

    def __init__(self, bill: Playbill | None = None, **ui: object) -> None:
        chosen = {"screen": "run", "slug": "stale-lock-holder", **ui}
        self.store = Store(EMPTY, UiState(**chosen))  # type: ignore[arg-type]
        self.theatre = FakeTheatre(bill or bill_at(1.6))
        self.said: list[str] = []
        self.opened: list[str] = []
        self.left = False
        self.director = Director(self.store, self, self.theatre)
        self.hand = Hand(self.store, self, None, self.director)  # type: ignore[arg-type]
        self.director.settle()

    def press(self, *keys: str) -> Bench:
        for key in keys:
            self.hand.press(key, key if len(key) == 1 else " " if key == "space" else "")
            self.director.settle()
        return self

    @property
    def ui(self) -> UiState:
        return self.store.ui

    # ---- the dashboard's part ---------------------------------------------------------------------------------------

    def say(self, text: str, *, bad: bool = False) -> None:
        self.said.append(text)

    def begin(self, deed: Coroutine[Any, Any, None], name: str) -> None:
        asyncio.run(deed)

    def open(self, what: str) -> None:
        self.opened.append(what)

    def leave(self) -> None:
        self.left = True

    def panes(self) -> int:
        return len(PANES[self.ui.screen]) if self.ui.screen in PANES else 5

    def pane(self) -> str:
        return PANES[self.ui.screen][self.ui.pane - 1].name


@pytest.mark.parametrize(
    ("key", "asked"),
    [
        ("b", ("perform", "broken")),
        ("c", ("perform", "canonical")),
        ("v", ("perform", *SIDES)),
        ("m", ("perform", "broken", "by hand")),
        ("s", ("end",)),
        ("x", ("broken", "crash w1")),
        ("r", ("broken", "restart w1")),
        ("h", ("broken", "heal w1")),
        ("t", ("broken", "set fencing on")),
    ],
)
def test_a_key_asks_the_theatre(key: str, asked: tuple[str, ...]) -> None:
    assert Bench().press(key).theatre.asked == [asked]


@pytest.mark.parametrize("action", [a for a in ACTIONS if a.group == "incidents"], ids=lambda a: a.name)
def test_every_action_before_an_incident_is_done_by_something(action: Action) -> None:
    bench = Bench(screen="incidents" if action.place == "list" else "run")
    if action.name == "side-broken":
        bench.press("right")
    before = bench.ui
    bench.hand.do(action.name)
    assert bench.theatre.asked or bench.said or bench.opened or bench.ui != before


def test_a_pause_asks_for_how_long_and_can_be_left() -> None:
    assert Bench().press("g", "3").theatre.asked == [("broken", "pause w1 3s")]
    assert Bench().press("g", "enter").theatre.asked == [("broken", "pause w1 3s")]
    assert Bench().press("g", "escape").theatre.asked == []


def test_arrows_choose_in_the_pane_that_is_chosen() -> None:
    bench = Bench()
    assert bench.press("down").ui.player == "w2"
    assert bench.press("tab", "down").ui.player == "fraud"  # the course has the same cursor
    assert bench.press("tab", "down").ui.switch == "lock"
    bench = Bench(bill_at()).press("shift+tab", "down", "down")
    assert bench.pane() == "findings"
    assert bench.ui.finding == 2
    assert bench.press("enter").opened == ["records"]


def test_only_the_chosen_sides_picture_is_on_the_way_of_tab() -> None:
    bench = Bench()
    assert [bench.press("tab").pane() for _ in range(4)] == ["course", "switches", "findings", "broken"]
    bench.press("right")
    assert (bench.ui.side, bench.pane()) == ("canonical", "canonical")
    assert [bench.press("shift+tab").pane() for _ in range(4)] == ["findings", "switches", "course", "canonical"]


def test_a_toggle_is_turned_at_once_where_it_can_be_else_for_the_next_run() -> None:
    assert Bench().press("t").theatre.asked == [("broken", "set fencing on")]
    over = Bench(bill_at()).press("right", "t")
    assert over.theatre.asked == [("choose", "canonical", "fencing", "off")]
    assert over.ui.last == "fencing=off for the next canonical run"
    cold = Bench(switch="ttl_ms").press("t")
    assert cold.theatre.asked == []
    assert cold.said == ["ttl_ms cannot be changed while a run goes on: it is not hot"]


def test_whether_any_toggle_can_be_turned_is_known_to_the_footer() -> None:
    going, programme = bill_at(1.6), bill_at().programme
    assert programme is not None
    cold = replace(programme, switches=tuple(replace(switch, hot=False) for switch in programme.switches))
    assert not Bench(going).ui.cold
    assert Bench(replace(going, programme=cold)).ui.cold
    assert not Bench(replace(bill_at(), programme=cold)).ui.cold
    assert Bench(replace(bill_at(), programme=replace(programme, switches=()))).ui.cold


def with_a_proxy() -> Playbill:
    """A run whose card has a failpoint, and a link on which a proxy knows the calls."""
    bill = bill_at(1.6)
    scene = bill.scenes["broken"]
    assert scene.opened is not None
    players = {**scene.players, "x1": Player("x1", between=("w1", "payd")), "x2": Player("x2", between=("w1", "redis"))}
    opened = replace(scene.opened, failpoints=("pay.before_charge@w1",))
    return replace(bill, scenes={**bill.scenes, "broken": replace(scene, opened=opened, players=players)})


def typed(text: str) -> tuple[str, ...]:
    bench = Bench(with_a_proxy()).press("colon", *("space" if key == " " else key for key in text))
    assert bench.ui.prompt is not None
    return bench.ui.prompt.preview


def test_the_command_line_offers_what_the_run_has_for_answers_and_failpoints() -> None:
    assert "drop-response" in typed("dr")[0]
    assert typed("drop-response ")[0] == "w1"
    assert typed("drop-response w1 ")[0] == ">"
    assert typed("drop-response w1 > ")[0] == "payd"  # of bytes to redis nobody knows which are answers
    assert typed("arm ")[0] == "pay.before_charge@w1"
    assert typed("arm pay.before_charge@w1 ")[0] == "pause  crash  term  delay"
    assert typed("hold-response w1 > payd ")[0] == "800ms"


def test_the_command_line_says_what_will_come_of_it() -> None:
    assert typed("drop-response w1 > payd")[0] == "payd does what w1 asks, and w1 never hears of it: the next call."
    assert typed("arm pay.before_charge@w1 crash")[0].startswith("When w1 next comes to pay.before_charge, it kills itself")
    assert "!column 5: 'pay@w1' is not a failpoint of this card (pay.before_charge@w1)" in typed("arm pay@w1 crash")[-1]
    assert typed("arm")[-1].startswith("arm FAILPOINT@P pause 2s")
    bench = Bench(with_a_proxy()).press("colon", *("space" if key == " " else key for key in "hold-response w1 > payd 800ms 2"), "enter")
    assert bench.theatre.asked == [("broken", "hold-response w1 > payd 800ms 2")]


def test_the_command_line_speaks_of_the_runs_processes() -> None:
    bench = Bench().press("colon", *"pause w1 2s")
    assert bench.theatre.asked == []
    assert bench.press("enter").theatre.asked == [("broken", "pause w1 2s")]
    bench.press("colon", *"pause n1")
    prompt = bench.ui.prompt
    assert prompt is not None
    assert prompt.preview == ("!column 7: 'n1' is not a process of this run (w1, w2, fraud, payd, redis) (did you mean 'w1'?)",)
    assert bench.press("enter").said == [prompt.preview[0][1:]]


def test_tab_completes_what_there_is() -> None:
    bench = Bench().press("colon", *"cr", "tab", *"pa", "tab")
    assert bench.ui.prompt is not None
    assert bench.ui.prompt.value == "crash payd "
    bench = Bench().press("colon", *"set f", "tab", *"of", "tab", "enter")
    assert bench.theatre.asked == [("broken", "set fencing off")]


def test_the_list_is_walked_and_an_incident_opened() -> None:
    bench = Bench(screen="incidents").press("down")
    assert bench.ui.slug == "lock-leak-crash"
    assert bench.theatre.asked == [("look", "lock-leak-crash")]
    assert bench.press("enter").ui.screen == "run"
    scrolled = Bench(screen="incidents", pane=2).press("pagedown", "down", "up")
    assert scrolled.ui.scroll == 10


def test_escape_goes_from_a_run_to_the_list_to_the_lab() -> None:
    bench = Bench()
    assert bench.press("escape").ui.screen == "incidents"
    assert bench.press("escape").ui.screen == "live"
    assert bench.press("5").ui.screen == "incidents"
    assert Bench().press("1").ui.screen == "live"


def test_without_a_lab_there_is_nowhere_to_go_back_to() -> None:
    bench = Bench(lab=False)
    assert bench.press("escape", "escape").ui.screen == "incidents"
    assert bench.press("1").ui.screen == "incidents"
    assert bench.said == ["there is no lab behind this: faultline alone starts one"]


def test_a_zoom_is_left_before_the_run() -> None:
    assert Bench().press("z", "escape").ui.screen == "run"


def test_disarmed_nothing_is_harmed() -> None:
    bench = Bench(armed=False)
    assert bench.press("x", "g").theatre.asked == []
    assert bench.said == ["disarmed: ! arms the keyboard"] * 2
    assert bench.press("right", "v").theatre.asked == [("perform", *SIDES)]


def test_a_run_that_is_over_is_visited_on_its_side() -> None:
    bench = Bench(replace(bill_at(), scenes={"canonical": bill_at().scenes["canonical"]}))
    bench.director.visit(Path("/runs/one"))
    assert bench.theatre.asked == [("load",), ("show", "one")]
    assert (bench.ui.side, bench.pane()) == ("canonical", "canonical")


def test_what_is_chosen_exists() -> None:
    assert Bench(player="n1", switch="nothing").ui.player == "w1"
    gone = Bench(replace(bill_at(), scenes={}))
    assert gone.press("down", "x").theatre.asked == []
    assert gone.said  # nothing runs that could be crashed


def test_an_incident_without_toggles_has_none_chosen_and_names_that_nothing_runs() -> None:
    bench = Bench(switch="fencing", player="w1")
    bill = bench.theatre.bill
    assert bill.programme is not None
    bench.theatre.bill = replace(bill, programme=replace(bill.programme, switches=()), scenes={}, going=())
    bench.director.settle()
    assert bench.ui.switch == ""
    assert bench.ui.player == "w1"  # the next run has it again
    bench.director.ask("pause w1 1s")
    assert bench.said == ["column 7: 'w1' is not a process: nothing runs here"]
