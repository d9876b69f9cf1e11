from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui import reduce as r
from tui.state import HISTORY_MAX, Prompt, UiState

AMONG = ("n3", "n1", "n2")


def line(value: str, at: int = -1) -> UiState:
    return UiState(prompt=Prompt(":", ":", value, at=at))


def typed(ui: UiState, *keys: str) -> Prompt:
    for key in keys:
        ui = r.reduce(ui, r.Typed(key, key if len(key) == 1 else " " if key == "space" else ""))
    assert ui.prompt is not None
    return ui.prompt


@pytest.mark.parametrize(
    ("start", "by", "end"),
    [("n1", 1, "n2"), ("n1", -1, "n3"), ("n2", 1, "n2"), ("n3", -1, "n3"), ("n9", 1, "n3")],
    ids=["down", "up", "at the end", "at the top", "from nowhere"],
)
def test_the_cursor_walks_along_the_rows_of_the_screen(start: str, by: int, end: str) -> None:
    assert r.reduce(UiState(cursor=start), r.Moved(by, AMONG)).cursor == end


def test_the_cursor_stays_where_there_are_no_rows() -> None:
    assert r.reduce(UiState(cursor="n1"), r.Moved(1, ())).cursor == "n1"


def test_a_mark_is_set_and_taken_away() -> None:
    ui = r.reduce(UiState(cursor="n2"), r.Marked())
    assert ui.marked == ("n2",)
    assert r.reduce(ui, r.Marked()).marked == ()


def test_another_screen_begins_at_its_first_pane_and_newest_line() -> None:
    ui = r.reduce(UiState(pane=3, scroll=40, follow=False, zoom=True), r.ScreenChosen("raft", 4))
    assert (ui.screen, ui.pane, ui.scroll, ui.follow, ui.zoom) == ("raft", 1, 0, True, False)


def test_the_digit_of_the_screen_goes_through_its_panes() -> None:
    ui = UiState(pane=2)
    ui = r.reduce(ui, r.ScreenChosen("live", 3))
    assert ui.pane == 3
    assert r.reduce(ui, r.ScreenChosen("live", 3)).pane == 1


def test_panes_go_round_both_ways() -> None:
    assert r.reduce(UiState(pane=1), r.PaneChosen(5, by=-1)).pane == 5
    assert r.reduce(UiState(pane=5), r.PaneChosen(5, by=1)).pane == 1


def test_every_switch_comes_back() -> None:
    for what, times in (("zoom", 2), ("armed", 2), ("order", len(r.ORDERS)), ("layout", len(r.LAYOUTS))):
        ui = UiState()
        for _ in range(times):
            before, ui = ui, r.reduce(ui, r.Turned(what))
            assert ui != before
        assert ui == UiState()


def test_scrolling_back_stops_following_and_the_newest_follows_again() -> None:
    ui = r.reduce(UiState(), r.Scrolled(10))
    assert (ui.scroll, ui.follow) == (10, False)
    assert r.reduce(ui, r.Scrolled(-30)) == UiState()
    assert r.reduce(ui, r.Scrolled(end=True)) == UiState()


@pytest.mark.parametrize(
    ("value", "at", "keys", "after", "caret"),
    [
        ("cut", -1, ("space", "n"), "cut n", 5),
        ("cut", 0, ("x",), "xcut", 1),
        ("cut", -1, ("backspace",), "cu", 2),
        ("cut", 1, ("delete",), "ct", 1),
        ("cut n1 | rest", -1, ("ctrl+w",), "cut n1 | ", 9),
        ("cut n1", -1, ("ctrl+u",), "", 0),
        ("cut", -1, ("left", "left", "a"), "caut", 2),
        ("cut", -1, ("home", "right", "b"), "cbut", 2),
        ("", -1, ("backspace", "delete", "left"), "", 0),
    ],
)
def test_a_line_is_edited(value: str, at: int, keys: tuple[str, ...], after: str, caret: int) -> None:
    prompt = typed(line(value, at), *keys)
    assert (prompt.value, prompt.caret) == (after, caret)


def test_what_cannot_be_written_is_not_written() -> None:
    ui = r.reduce(line("cut"), r.Typed("paste", " n1\x1b[31m\n | rest"))
    assert ui.prompt is not None
    assert ui.prompt.value == "cut n1[31m | rest"


def test_a_line_is_bounded() -> None:
    full = "x" * r.LINE_MAX
    assert typed(line(full), "y").value == full


@given(st.lists(st.sampled_from(["a", "space", "backspace", "delete", "left", "right", "home", "end", "ctrl+w", "ctrl+u"])))
def test_the_caret_is_always_within_the_line(keys: list[str]) -> None:
    prompt = typed(line("cut n1 | rest", 4), *keys)
    assert 0 <= prompt.caret <= len(prompt.value)


def test_a_filter_works_while_it_is_typed() -> None:
    ui = UiState(prompt=Prompt("/", "/"), scroll=7)
    ui = r.reduce(ui, r.Typed("n", "n"))
    assert (ui.filter, ui.scroll) == ("n", 0)


def test_lines_given_are_remembered_once_and_not_for_ever() -> None:
    ui = UiState()
    for number in range(HISTORY_MAX + 5):
        ui = r.reduce(ui, r.Given(f"pause n1 {number + 1}s"))
    assert len(ui.past) == HISTORY_MAX
    ui = r.reduce(ui, r.Given(ui.past[3]))
    assert len(set(ui.past)) == len(ui.past) == HISTORY_MAX
    assert ui.past[-1] == "pause n1 9s"


def test_escape_takes_one_thing_at_a_time() -> None:
    ui = UiState(prompt=Prompt(":", ":"), zoom=True, filter="n1", marked=("n1",), scroll=5, follow=False)
    seen = []
    while ui != (after := r.reduce(ui, r.Backed())):
        seen.append((after.prompt is None, after.zoom, after.filter, after.marked, after.scroll))
        ui = after
    assert seen == [
        (True, True, "n1", ("n1",), 5),
        (True, False, "n1", ("n1",), 5),
        (True, False, "", ("n1",), 5),
        (True, False, "", (), 5),
        (True, False, "", (), 0),
    ]
