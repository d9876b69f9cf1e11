from __future__ import annotations

import re

import pytest

from tests.tui.sample_raft_gossip import healthy
from tui.keymap import BY_ACTION
from tui.state import Prompt, Row, UiState
from tui.widgets.footer import GROUPS, action_at, key_rows, prompt_rows, scrub_rows, status_rows


def text(row: Row) -> str:
    return "".join(part for part, _ in row)


@pytest.mark.parametrize("width", [60, 80, 100, 120, 160, 200])
@pytest.mark.parametrize("ui", [UiState(), UiState(observer=True), UiState(mode="REPLAY", observer=True)], ids=["live", "look", "tape"])
def test_the_row_of_keys_fits(width: int, ui: UiState) -> None:
    (row,) = key_rows(ui, width)
    assert len(text(row).rstrip()) <= width
    assert "? Help" in text(row)


def test_more_room_shows_more_keys() -> None:
    shown = [len(text(key_rows(UiState(), width)[0]).rstrip()) for width in (60, 80, 120, 200)]
    assert shown == sorted(set(shown))


def test_disarmed_keys_are_grey_and_repairs_are_not() -> None:
    (row,) = key_rows(UiState(armed=False), 200)
    grey = "".join(part for part, style in row if style == "disabled")
    assert "Crash" in grey
    assert "Cut" in grey
    assert "Undo" not in grey


def test_an_observer_sees_no_key_that_asks() -> None:
    written = text(key_rows(UiState(observer=True), 200)[0])
    assert "Crash" not in written
    assert "Zoom" in written


def test_the_key_of_toggles_is_there_only_where_one_can_be_turned() -> None:
    assert "t Toggle" in text(key_rows(UiState(screen="run"), 200)[0])
    assert "t Toggle" not in text(key_rows(UiState(screen="run", cold=True), 200)[0])


@pytest.mark.parametrize(
    ("ui", "keys"),
    [
        (UiState(screen="incidents"), "enter Look|b Broken|c Canonical|v Both|m By hand|tab Pane|? Help|q Quit"),
        (UiState(screen="run"), "b Broken|c Canonical|v Both|m By hand|←→ Side|t Toggle|? Help|q Quit"),
        (UiState(screen="run", going=True), "s Stop|t Toggle|g GC|x Crash|r Restart|h Go on|: Cmd|? Help|q Quit"),
    ],
    ids=["list", "over", "going"],
)
def test_on_a_small_terminal_the_keys_are_those_that_do_something_now(ui: UiState, keys: str) -> None:
    assert [key.strip() for key in re.split("  +", text(key_rows(ui, 80)[0]).strip())] == keys.split("|")


def test_a_click_on_a_key_finds_its_action() -> None:
    ui = UiState()
    (row,) = key_rows(ui, 200)
    written = text(row)
    for name in ("cut", "crash", "undo", "help"):
        action = BY_ACTION[name]
        assert action_at(ui, 200, written.index(f"{action.shown} {action.label}")) == name
    assert action_at(ui, 200, 0) == ""
    assert action_at(ui, 200, 199) == ""


def test_every_key_of_the_row_has_a_label() -> None:
    assert [name for group in GROUPS for name, _ in group if not BY_ACTION[name].label] == []


def test_the_status_names_target_last_and_undo() -> None:
    view = healthy()
    ui = UiState(cursor="n2", last="crash n1", undo="crash n1 (the processes start again)")
    written = text(status_rows(view, ui, 120)[0])
    assert "target n2" in written
    assert "last crash n1" in written
    assert "undo crash n1" in written
    assert "n4 n5 (2 marked)" in text(status_rows(view, UiState(marked=("n5", "n4")), 120)[0])


@pytest.mark.parametrize("width", [20, 60, 80])
def test_the_status_never_wraps(width: int) -> None:
    ui = UiState(last="x" * 100, undo="y" * 100, filter="z" * 100)
    assert len(text(status_rows(healthy(), ui, width)[0])) <= width


def test_the_caret_stands_on_its_sign() -> None:
    (row,) = prompt_rows(Prompt(":", ":", "cut n1", at=4), 40, 1)
    assert [part for part, style in row if style == "prompt+caret"] == ["n"]
    (row,) = prompt_rows(Prompt(":", ":", "cut"), 40, 1)
    assert [part for part, style in row if style == "prompt+caret"] == [" "]


@pytest.mark.parametrize("at", [0, 40, 119, 120])
def test_the_caret_is_in_sight_in_a_long_line(at: int) -> None:
    row = prompt_rows(Prompt(":", ":", "x" * 120, at=at), 40, 1)[0]
    column = 0
    for part, style in row:
        if style == "prompt+caret":
            break
        column += len(part)
    else:
        pytest.fail("no caret")
    assert column < 40


def test_no_side_of_a_cut_is_missing_from_the_preview() -> None:
    rows = prompt_rows(Prompt("cut", "cut", "", ("A  n1", "B  n2", "C  n3")), 60, 3)
    assert [text(row).strip() for row in rows[1:]] == ["A  n1", "B  n2   C  n3"]


def test_the_scrub_bar_goes_from_end_to_end() -> None:
    ui = UiState(mode="REPLAY", paused=True)
    bars = [text(scrub_rows(position, 10_000_000, ui, 60)[0]) for position in (0, 5_000_000, 10_000_000)]
    knobs = [bar.index("●") for bar in bars]
    assert knobs == sorted(set(knobs))
    assert {len(bar) for bar in bars} == {60}
    assert bars[1].rstrip().endswith("0:05.0 / 0:10.0")
    assert text(scrub_rows(0, 0, ui, 60)[0]), "an empty recording has a bar, too"
