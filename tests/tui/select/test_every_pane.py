"""Laws that hold for every pane of the Raft, Gossip and Faults screens, whatever the view and the size."""

from __future__ import annotations

import importlib
from collections.abc import Callable

import pytest
from msgspec.structs import replace
from rich.cells import cell_len

from cluster.telemetry.view import EMPTY, ClusterView
from tests.tui import sample_raft_gossip as sample
from tui.keymap import entries
from tui.palette import THEMES, Sheet
from tui.select import help as help_pane
from tui.state import Row, UiState

VIEWS = {
    "empty": EMPTY,
    "fresh": sample.fresh(),
    "healthy": sample.healthy(),
    "one node": sample.healthy(1, 1),
    "mock-up": sample.mock_up(),
    "no leader": sample.no_leader(),
    "fifty": sample.fifty(50, split=True),
    "stopped wave": sample.stopped_wave(),
    "full wave": sample.full_wave(),
    "closed": replace(sample.healthy(), closed="the operator left"),
    "frozen": replace(sample.mock_up(), frozen=True),
    "mended": sample.mended(),
}
PANES = ("lanes", "ribbon", "progress", "why", "wave", "lag", "beliefs", "bands", "faultlist", "journal", "inspector", "help")
SIZES = ((200, 50), (120, 36), (80, 24), (60, 18), (40, 6), (20, 3), (7, 2), (1, 1), (80, 0))
UIS = {
    "plain": UiState(),
    "ascii": UiState(ascii=True),
    "scrolled": UiState(cursor="n4", order="commit", scroll=9, follow=False, filter="n", rumour=3, fault=17, marked=("n1",)),
    "lost": UiState(cursor="n99", order="id", scroll=100_000, follow=False, filter="no such line", fault=99),
}
Pane = Callable[[ClusterView, UiState, int, int], list[Row]]


def pane_of(name: str) -> Pane:
    if name == "help":
        return lambda view, ui, width, height: help_pane.rows(entries(ui), ui, width, height)
    rows: Pane = importlib.import_module(f"tui.select.{name}").rows
    return rows


@pytest.mark.parametrize("name", PANES)
def test_rows_fit_their_pane_and_can_be_keys(name: str) -> None:
    sheets = [Sheet(theme) for theme in THEMES]
    for seen, view in VIEWS.items():
        for kind, ui in UIS.items():
            for width, height in SIZES:
                rows = pane_of(name)(view, ui, width, height)
                where = (name, seen, kind, width, height)
                assert len(rows) <= height, where
                for row in rows:
                    text = "".join(span[0] for span in row)
                    hash(row)
                    assert cell_len(text) == len(text) <= width, (*where, text)
                    assert "\n" not in text, where
                    assert not ui.ascii or text.isascii(), (*where, text)
                    assert all(sheet.known(style) for _, style in row for sheet in sheets), (*where, row)


@pytest.mark.parametrize("name", PANES)
def test_rows_are_a_function_of_their_arguments(name: str) -> None:
    for view in VIEWS.values():
        assert pane_of(name)(view, UiState(), 100, 30) == pane_of(name)(view, UiState(), 100, 30)


@pytest.mark.parametrize("name", PANES)
def test_no_pane_is_ever_empty(name: str) -> None:
    for seen, view in VIEWS.items():
        rows = pane_of(name)(view, UiState(), 80, 10)
        assert any(text.strip() for row in rows for text, _ in row), (name, seen)
