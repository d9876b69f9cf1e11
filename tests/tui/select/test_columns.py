"""Nodes as columns: by side, as wide as they fit, pooled when even one cell each is too much."""

from __future__ import annotations

from tests.tui import sample_raft_gossip as sample
from tui.select.columns import columns, heading, merged, pooled
from tui.select.standing import by_side


def test_columns_shrink_before_they_are_pooled() -> None:
    view = sample.fifty(split=True)
    nodes = by_side(view, view.nodes)
    for room in (300, 160, 110, 60, 51, 50, 30, 12):
        found = columns(view, nodes, room)
        assert found.width <= room
        assert [node for group in found.groups for node in group] == nodes
        assert (found.pool == 1) == (room >= 51)
        places = [place for side in pooled(found) for place in side]
        assert [node for place in places for node in place] == nodes
    assert columns(view, nodes, 300).cells == 4


def test_no_column_spans_the_cut() -> None:
    view = sample.fifty(split=True)
    for side in pooled(columns(view, by_side(view, view.nodes), 20)):
        for place in side:
            assert len({view.nodes[node].side for node in place}) == 1


def test_headings_are_as_wide_as_their_columns_and_read_downwards() -> None:
    view = sample.fifty(split=True)
    found = columns(view, by_side(view, view.nodes), 60)
    tens, units = heading(found, 5)
    assert len(tens[1][0]) == len(units[1][0]) == found.width
    place = units[1][0].index("│")
    assert tens[1][0][place + 1] + units[1][0][place + 1] == "31"
    wide = heading(columns(sample.mock_up(), by_side(sample.mock_up(), sample.mock_up().nodes), 70), 0)
    assert wide[0][1][0].split("│")[1].split() == ["n4", "n9", "n10", "n11", "n12"]


def test_neighbours_of_one_style_become_one_span() -> None:
    assert merged([("a", "x"), ("b", "x"), ("c", "y"), ("d", "x")]) == [("ab", "x"), ("c", "y"), ("d", "x")]
    assert merged([]) == []
