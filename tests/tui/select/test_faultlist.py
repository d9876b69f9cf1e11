"""Every fault is a lease with a number and an end; the chosen one can be told to the keys."""

from __future__ import annotations

from msgspec.structs import replace

from tests.tui import sample_raft_gossip as sample
from tests.tui.select.reading import line_with, lines, whole
from tui.select import faultlist
from tui.state import UiState


def test_the_newest_comes_first_and_is_chosen() -> None:
    rows = faultlist.rows(sample.mock_up(), UiState(), 118, 20)
    numbers = [line[1:].split()[0] for line in lines(rows) if line[1:2] == "#"]
    assert numbers == ["#19", "#18", "#17"]
    assert line_with(rows, "#19").startswith("▸")


def test_each_says_what_how_long_and_who() -> None:
    rows = faultlist.rows(sample.mock_up(), UiState(), 118, 20)
    assert "cut n1,n2,n3,n5,n6,n7,n8 | n4,n9,n10,n11,n12" in line_with(rows, "#17")
    assert "41.0 s left  3.1 s old   you" in line_with(rows, "#17")
    assert "until healed" in line_with(rows, "#19")


def test_the_time_left_is_a_bar_when_there_is_room() -> None:
    view = sample.mock_up()
    half = replace(view, now_us=sample.ZERO + 163_301 * sample.MS)
    bar = line_with(faultlist.rows(half, UiState(), 118, 20), "#18")
    assert bar.count("█") == faultlist.BAR_CELLS // 2
    assert "█" not in whole(faultlist.rows(half, UiState(), 80, 20))


def test_the_chosen_one_tells_how_it_ends() -> None:
    view = sample.mock_up()
    crash = whole(faultlist.rows(view, UiState(), 118, 20))
    assert "touches n12. It stays until it is healed (h), undone (u) or the lab ends. What was in memory stays lost." in crash
    pause = whole(faultlist.rows(view, UiState(fault=18), 118, 20))
    assert "touches n11, asked as “pause n11 5s”. It ends by itself in 4.5 s; h ends it now." in pause


def test_a_frozen_world_holds_the_deadlines() -> None:
    text = whole(faultlist.rows(replace(sample.mock_up(), frozen=True), UiState(fault=18), 118, 20))
    assert "the world is frozen: no deadline comes nearer" in text
    assert "It ends 4.5 s after the world goes on, or by h." in text


def test_choosing_moves_along_the_list_and_stops_at_its_ends() -> None:
    view = sample.mock_up()
    assert faultlist.chosen(view, UiState()) == 19
    assert faultlist.chosen(view, UiState(fault=17)) == 17
    assert faultlist.chosen(view, UiState(fault=5)) == 19
    assert [faultlist.neighbour(view, UiState(fault=18), step) for step in (-5, -1, 0, 1, 5)] == [19, 19, 18, 17, 17]
    assert faultlist.chosen(sample.healthy(), UiState(fault=3)) == 0
    assert faultlist.neighbour(sample.healthy(), UiState(), 1) == 0


def test_the_past_says_how_it_ended_and_what_is_left_of_it() -> None:
    rows = faultlist.rows(sample.mended(), UiState(), 118, 20)
    assert lines(rows)[0] == "No fault is in force."
    assert line_with(rows, "#2").endswith("healed at 02:50.0 after 5.0 s, what was in memory is lost")
    assert line_with(rows, "#1").endswith("expired at 02:44.0 after 3.0 s")
    assert [line[1:3] for line in lines(rows) if "#" in line] == ["#2", "#1"]


def test_what_does_not_fit_is_counted() -> None:
    rows = faultlist.rows(sample.mock_up(), UiState(fault=17), 80, 3)
    assert "1 not shown" in lines(rows)[0]
    assert any("#17" in line for line in lines(rows))
