from __future__ import annotations

import pytest
from msgspec.structs import replace

from cluster.telemetry import events as e
from cluster.telemetry.view import ClusterView
from tests.tui.fake_session import FakeTape
from tests.tui.sample_raft_gossip import ZERO, cut, healthy, lab, mock_up, no_leader, up
from tui.hand import Hand
from tui.keymap import ACTIONS, MENUS, PAUSE_S_DEFAULT, Action
from tui.state import SCREENS, UiState
from tui.store import Store


class RecordingStage:
    """What the hand asked of the dashboard, in order."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.said: list[str] = []
        self.confirmed: list[tuple[str, str, str]] = []
        self.opened: list[str] = []
        self.left = False
        self.faults: tuple[int, ...] = ()

    def submit(self, text: str) -> None:
        self.sent.append(text)

    def confirm(self, text: str, sentence: str, typed: str) -> None:
        self.confirmed.append((text, sentence, typed))

    def say(self, text: str, *, bad: bool = False) -> None:
        self.said.append(text)

    def open(self, what: str) -> None:
        self.opened.append(what)

    def leave(self) -> None:
        self.left = True

    def panes(self) -> int:
        return 5

    def nodes_in_order(self) -> tuple[str, ...]:
        return ("n1", "n2", "n3", "n4", "n5")

    def faults_in_order(self) -> tuple[int, ...]:
        return self.faults


class Bench:
    """A hand, its store and its stage."""

    def __init__(self, view: ClusterView | None = None, **ui: object) -> None:
        self.store = Store(view or healthy(), UiState(**ui), seat="me")  # type: ignore[arg-type]
        self.stage = RecordingStage()
        self.hand = Hand(self.store, self.stage)

    def press(self, *keys: str) -> RecordingStage:
        for key in keys:
            self.hand.press(key, key if len(key) == 1 else " " if key == "space" else "")
        return self.stage

    def type(self, text: str) -> RecordingStage:
        return self.press(*("space" if sign == " " else sign for sign in text))

    @property
    def prompt(self) -> str:
        return self.store.ui.prompt.value if self.store.ui.prompt else ""

    @property
    def preview(self) -> tuple[str, ...]:
        return self.store.ui.prompt.preview if self.store.ui.prompt else ()


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        (("i",), "isolate n1"),
        (("x",), "crash n1"),
        (("down", "x"), "crash n2"),
        (("j", "j", "i"), "isolate n3"),
        (("g", "5"), "pause n1 5s"),
        (("g", "enter"), f"pause n1 {PAUSE_S_DEFAULT}s"),
        (("space", "down", "space", "x"), "crash n1,n2"),
        (("space", "down", "space", "space", "i"), "isolate n1"),
        (("p", "enter"), "cut n3,n4 | rest"),
        (("space", "p", "enter"), "cut n1 | rest"),
        (("t",), "transfer n1"),
        (("n",), "rumour"),
        (("u",), "undo"),
        (("h",), "heal n1"),
        (("H",), "heal"),
        (("r",), "restart n1"),
        (("f",), "freeze"),
        (("w",), "workload on"),
        (("d", "d", "enter"), "slow n1 80ms ±20ms"),
        (("d", "l", "enter"), "loss n1 20%"),
        (("d", "u", "enter"), "dup n1 10%"),
        (("d", "o", "enter"), "reorder n1 20%"),
        (("d", "t", "enter"), "throttle n1 64kB/s"),
        (("c", "s", "enter"), "skew n1 +500ms"),
        (("c", "d", "enter"), "drift n1 1.05"),
        (("k", "s", "enter"), "disk n1 slow 200ms"),
        (("k", "h", "enter"), "disk n1 hang"),
        (("k", "f", "enter"), "disk n1 fail"),
        (("colon", *"isolate", "space", *"leader", "enter"), "isolate leader"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else value,
)
def test_target_then_verb(keys: tuple[str, ...], text: str) -> None:
    stage = Bench().press(*keys)
    assert stage.sent == [text]
    assert stage.said == []


@pytest.mark.parametrize(("frozen", "text"), [(False, "freeze"), (True, "thaw")])
def test_the_same_key_freezes_the_world_and_lets_it_go_on(frozen: bool, text: str) -> None:
    assert Bench(replace(healthy(), frozen=frozen)).press("f").sent == [text]


@pytest.mark.parametrize(("rate", "text"), [(0, "workload on"), (40, "workload off")])
def test_the_same_key_starts_and_stops_the_workload(rate: int, text: str) -> None:
    ops = e.OpsCounted(ZERO, 1, 1, 0, 0, 900, 2_000, rate)
    assert Bench(replace(healthy(), ops=ops)).press("w").sent == [text]


# What goes back or on needs somewhere to go; each is tested where it goes.
NOWHERE_TO_GO = {"up", "scroll-down", "newest", "older-rumour", "newer-rumour", "back", "step-back", "second-back", "begin"}


# What is done before an incident's run is the director's.
ELSEWHERE = ("list", "run", "acts")


@pytest.mark.parametrize("action", [a for a in ACTIONS if a.name not in NOWHERE_TO_GO and a.place not in ELSEWHERE], ids=lambda a: a.name)
def test_every_action_of_the_keymap_is_done_by_something(action: Action) -> None:
    recording = action.who == "replay"
    bench = Bench(mode="REPLAY" if recording else "LIVE", paused=True)
    bench.hand = Hand(bench.store, bench.stage, FakeTape([lab(5, 5), *up(5)]))
    view, ui = bench.store.view, bench.store.ui
    bench.hand.do(action.name)
    stage = bench.stage
    assert (
        stage.sent or stage.said or stage.confirmed or stage.opened or stage.left
        or bench.store.ui != ui or bench.store.view is not view
    )  # fmt: skip


# ---- previews -------------------------------------------------------------------------------------------------------


def test_a_cut_is_shown_before_it_is_made() -> None:
    bench = Bench()
    assert bench.press("p").sent == []
    assert bench.preview == (
        "A  n1 n2 n5  3 of 5 voters: quorum, elects another leader",
        "B  n3★ n4  2 of 5 voters: no quorum, nothing commits there",
    )


def test_a_preview_counts_the_cuts_there_are() -> None:
    view = Bench(mock_up()).store.view
    bench = Bench(view, cursor="n1", marked=("n1", "n2"))
    bench.press("p")
    assert [line[:1] for line in bench.preview] == ["A", "B", "C"]
    assert "n3★ n5 n6 n7 n8  5 of 9 voters: quorum, goes on" in bench.preview[0] + bench.preview[1]


def test_the_dead_and_the_frozen_do_not_count_for_a_quorum() -> None:
    bench = Bench(no_leader(), marked=("n1",))
    bench.press("p")
    assert bench.preview[0] == "A  n2 n3 n4 n5  1 of 5 voters: no quorum, nothing commits there"


def test_a_proposed_cut_can_be_edited() -> None:
    bench = Bench()
    bench.press("p", "e")
    assert bench.prompt == "cut n3,n4 | rest"
    assert bench.press("enter").sent == ["cut n3,n4 | rest"]


def test_a_cut_of_everyone_is_refused_in_one_line() -> None:
    stage = Bench(marked=("n1", "n2", "n3", "n4", "n5")).press("p")
    assert stage.sent == []
    assert stage.said == ["'rest' is nobody: every node is named already"]


# ---- blast radius ---------------------------------------------------------------------------------------------------


def test_what_loses_the_quorum_is_confirmed_with_its_consequence() -> None:
    stage = Bench(marked=("n1", "n2", "n3")).press("x")
    assert stage.sent == []
    ((text, sentence, typed),) = stage.confirmed
    assert (text, typed) == ("crash n1,n2,n3", "")
    assert "2 of 5 voters" in sentence


def test_a_cut_that_leaves_a_quorum_acts_at_once() -> None:
    assert Bench().press("p", "enter").confirmed == []


def test_reset_is_confirmed() -> None:
    stage = Bench().press("R")
    assert stage.sent == []
    assert stage.confirmed[0][0] == "reset"


def test_wiping_wants_the_nodes_name() -> None:
    bench = Bench()
    bench.press("colon")
    bench.type("wipe n3")
    stage = bench.press("enter")
    assert stage.sent == []
    assert stage.confirmed[0][2] == "n3"


@pytest.mark.parametrize("keys", [("x",), ("p",), ("i",), ("g",), ("d",), ("c",), ("k",), ("R",)], ids="".join)
def test_a_disarmed_keyboard_does_no_harm(keys: tuple[str, ...]) -> None:
    bench = Bench(armed=False)
    stage = bench.press(*keys, "enter")
    assert stage.sent == []
    assert stage.confirmed == []
    assert bench.store.ui.prompt is None
    assert stage.said[0] == "disarmed: ! arms the keyboard"


def test_the_command_line_is_disarmed_too() -> None:
    bench = Bench(armed=False)
    bench.press("colon")
    stage = bench.type("crash n1").said + bench.press("enter").said
    assert bench.stage.sent == []
    assert "disarmed: ! arms the keyboard" in stage


def test_a_disarmed_keyboard_still_heals() -> None:
    assert Bench(armed=False).press("H", "u").sent == ["heal", "undo"]


def test_disarming_and_arming_again() -> None:
    assert Bench().press("exclamation_mark", "x", "exclamation_mark", "x").sent == ["crash n1"]


def test_an_observer_asks_nothing() -> None:
    bench = Bench(observer=True)
    stage = bench.press("x", "i", "p", "H", "u", "f", "exclamation_mark")
    bench.press("colon")
    bench.type("heal")
    bench.press("enter")
    assert stage.sent == []
    assert not bench.store.ui.prompt


# ---- the command line -----------------------------------------------------------------------------------------------


def test_tab_completes_the_only_offer_and_shares_what_several_share() -> None:
    bench = Bench()
    bench.press("colon", *"iso", "tab")
    assert bench.prompt == "isolate "
    bench.press(*"fo", "tab")
    assert bench.prompt == "isolate followers "


def test_a_line_is_explained_while_it_is_typed() -> None:
    bench = Bench()
    bench.press("colon")
    bench.type("crash all")
    assert bench.preview[0].startswith("!No side keeps a quorum")
    bench.press("ctrl+u")
    bench.type("crash n9")
    assert any("there is no n9 here" in line for line in bench.preview)


def test_a_bad_line_is_one_line_on_the_screen() -> None:
    bench = Bench()
    bench.press("colon")
    bench.type("explode n1")
    stage = bench.press("enter")
    assert stage.sent == []
    assert len(stage.said) == 1
    assert stage.said[0].startswith("column 1: there is no verb 'explode'")


def test_the_arrows_recall_earlier_lines() -> None:
    bench = Bench()
    for line in ("isolate n1", "crash n2"):
        bench.press("colon")
        bench.type(line)
        bench.press("enter")
    bench.press("colon", "up")
    assert bench.prompt == "crash n2"
    bench.press("up", "up")
    assert bench.prompt == "isolate n1"
    bench.press("down", "down")
    assert bench.prompt == ""


def test_a_dot_gives_the_last_command_again() -> None:
    assert Bench().press("i", "down", "full_stop").sent == ["isolate n1", "isolate n1"]


def test_a_dot_before_any_command_says_so() -> None:
    stage = Bench().press("full_stop")
    assert stage.sent == []
    assert len(stage.said) == 1


@pytest.mark.parametrize("keys", [("p",), ("g",), *((menu_key,) for menu_key in "dck"), ("colon",), ("slash",)], ids="".join)
def test_escape_leaves_every_prompt_without_a_trace(keys: tuple[str, ...]) -> None:
    bench = Bench()
    before = bench.store.ui
    stage = bench.press(*keys)
    assert bench.store.ui.prompt is not None
    bench.press("escape")
    assert bench.store.ui == before
    assert stage.sent == []


@pytest.mark.parametrize("menu", MENUS)
def test_a_menu_waits_for_a_key_it_knows(menu: str) -> None:
    bench = Bench()
    bench.hand.do(menu)
    bench.press("z")
    assert bench.store.ui.prompt is not None
    assert bench.store.ui.prompt.verb == menu


def test_a_filter_stays_after_enter_and_goes_with_escape() -> None:
    bench = Bench()
    bench.press("slash", *"n3", "enter")
    assert bench.store.ui.filter == "n3"
    bench.press("slash", "escape")
    assert bench.store.ui.filter == ""


# ---- faults, screens ------------------------------------------------------------------------------------------------


def test_on_the_list_of_faults_the_arrows_choose_one_and_h_heals_it() -> None:
    bench = Bench(screen="faults")
    bench.store.feed((*cut(ZERO, 1, ("n1",), ("n2", "n3", "n4", "n5")), *cut(ZERO, 2, ("n2",), ("n1", "n3", "n4", "n5"))))
    bench.stage.faults = (2, 1)
    assert bench.press("h", "down", "h", "down", "h").sent == ["heal 2", "heal 1", "heal 1"]


def test_each_digit_opens_its_screen() -> None:
    bench = Bench(screen="raft")
    seen = {}
    for digit in SCREENS:
        bench.press(digit)
        seen[digit] = bench.store.ui.screen
    assert seen == {**SCREENS, "5": "gossip"}  # without a director the one before stays, and says so
    assert bench.stage.said == ["there are no incidents here"]


def test_a_key_that_means_nothing_says_so_to_its_caller() -> None:
    bench = Bench()
    assert not bench.hand.press("f12")
    assert bench.hand.press("q")
    assert bench.stage.left
