"""Nodes with the same live set share a letter; those that cannot report have none."""

from __future__ import annotations

from tests.tui import sample_raft_gossip as sample
from tests.tui.select.reading import line_with, lines
from tui.select import bands
from tui.state import UiState


def test_bands_go_by_size_and_know_their_live_set() -> None:
    first, second = bands.bands(sample.mock_up())
    assert first.members == sample.SIDE_A
    assert second.members == ("n4", "n9", "n10")
    assert second.live == ("n4", "n9", "n10", "n11", "n12")


def test_the_strip_shows_letters_and_shapes_in_column() -> None:
    rows = bands.rows(sample.mock_up(), UiState(), 80, 10)
    assert lines(rows)[0] == "10 nodes report 2 different live sets: a split view"
    assert line_with(rows, "band").split() == ["band", *"aaaaaaa", "│", *"bbb", "‖", "✖"]
    assert "n4, n9 and n10 believe 5 of 12 alive, not n1, n2, n3, n5, n6 and 2 more" in line_with(rows, "b n4")


def test_one_world_is_good_news() -> None:
    rows = bands.rows(sample.healthy(), UiState(), 80, 10)
    assert rows[0] == (("5 nodes report one live set", "good"),)
    assert lines(rows)[-1].endswith("believe all 5 alive")


def test_a_lonely_node_believes_in_the_singular() -> None:
    assert lines(bands.rows(sample.healthy(1, 1), UiState(), 80, 10))[-1] == "a n1 believes all 1 alive"


def test_a_pooled_column_of_two_worlds_has_neither_letter() -> None:
    view = sample.fifty()
    state = view.nodes["n2"].state
    assert state is not None
    odd = sample.fold_all(view, [sample.replace(state, membership_digest=5)])
    strip = line_with(bands.rows(odd, UiState(), 30, 10), "band")
    assert strip.count("%") == 1
