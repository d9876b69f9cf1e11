"""One rumour's wave: rounds are buckets of time, cells say why a node could not hear, the curve is the model's."""

from __future__ import annotations

import itertools

import pytest

from tests.tui import sample_raft_gossip as sample
from tests.tui.select.reading import line_with, lines, whole
from tui.select import wave
from tui.select.epidemic import expected, floor_rounds
from tui.state import UiState


def test_the_model_starts_with_one_and_ends_with_all() -> None:
    curve = expected(50, 3)
    assert curve[0] == 1
    assert all(before < after <= 50 for before, after in itertools.pairwise(curve))
    assert len(curve) - 1 == 3  # as measured for push-pull with fan-out 3
    assert len(expected(1000, 3)) - 1 in (5, 6)
    assert expected(1, 3) == (1.0,)


@pytest.mark.parametrize(("nodes", "fanout", "rounds"), [(1, 3, 0), (4, 3, 1), (5, 3, 2), (50, 3, 3), (65, 3, 4), (8, 1, 3)])
def test_the_floor_is_growth_by_one_plus_f(nodes: int, fanout: int, rounds: int) -> None:
    assert floor_rounds(nodes, fanout) == rounds


def test_each_round_shows_who_is_new_and_how_many_know() -> None:
    rows = lines(wave.rows(sample.stopped_wave(), UiState(), 118, 16))
    rounds = [line for line in rows if line[:4].strip().isdigit()]
    assert [line.split()[0] for line in rounds] == ["0", "1", "2", "3", "4", "5"]
    assert [line[: line.index("/")].split()[-1] for line in rounds] == ["1", "3", "6", "7", "7", "7"]
    assert rounds[1].count("◐") == 2
    assert "n3→n1 n6" in rounds[1]
    assert "n1→n2, n6→n7 n8" in rounds[2]
    assert "nobody new" in rounds[4]


def test_who_could_not_hear_is_drawn_and_said() -> None:
    rows = wave.rows(sample.stopped_wave(), UiState(), 118, 16)
    last = line_with(rows, "   5 ")
    assert (last.count("╳"), last.count("‖"), last.count("✖")) == (3, 1, 1)
    assert "Not told: n4, n9 and n10 (side B of the cut); n11 (frozen); n12 (dead)." in whole(rows)


def test_a_finished_wave_is_measured_against_the_model() -> None:
    text = whole(wave.rows(sample.full_wave(), UiState(), 118, 16))
    assert "All 50 know after 3 rounds (264 ms); expected 3, pushing alone needs 3." in text


def test_fifty_nodes_fit_into_eighty_columns_one_cell_each() -> None:
    rows = lines(wave.rows(sample.full_wave(), UiState(), 80, 16))
    assert sum(line_with(wave.rows(sample.full_wave(), UiState(), 80, 16), "   0 ").count(sign) for sign in "◉·") == 50
    assert any("50/50" in line for line in rows)


def test_a_pooled_column_is_known_only_when_all_of_it_is() -> None:
    view = sample.full_wave()
    rows = wave.rows(view, UiState(), 40, 16)
    line = line_with(rows, "   2 ")
    told = {"n3", *(f"n{number}" for number in range(1, 27))} - {"n26"}
    shown = line[7:].split("  ")[0]
    assert len(shown) < 50
    assert shown.count("·") >= (50 - len(told)) // 3


def test_rounds_without_news_are_folded_when_there_is_no_room() -> None:
    view = sample.spread(sample.healthy(), {1: [("n1", "n3")], 40: [("n2", "n1")]})
    rounds = [line.split()[0] for line in lines(wave.rows(view, UiState(), 80, 9)) if line[:4].strip().isdigit()]
    assert rounds == ["0", "1", "40"]


def test_rumours_are_picked_from_the_newest_on() -> None:
    view = sample.spread(sample.spread(sample.healthy(), {}, text="older"), {}, origin="n1", text="newer")
    assert "“newer” of n1" in whole(wave.rows(view, UiState(), 80, 12))
    assert "“older” of n3" in whole(wave.rows(view, UiState(rumour=1), 80, 12))
    assert "2 of 2" in whole(wave.rows(view, UiState(rumour=9), 80, 12))


def test_without_a_rumour_it_says_how_to_start_one() -> None:
    text = whole(wave.rows(sample.healthy(), UiState(), 120, 12))
    assert text.startswith("No rumour yet: press n to start one.")
    assert "Every 100 ms each node talks with 3 others" in text
