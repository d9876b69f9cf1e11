"""Help is made from the entries handed in, and explains every sign."""

from __future__ import annotations

from tests.tui.select.reading import line_with, lines, style_of, whole
from tui.keymap import entries
from tui.select import help as help_pane
from tui.select.signs import SHAPES
from tui.state import UiState

ENTRIES = (
    ("p", "cut A | B", "Separate sides.", "reversible", "the links carry messages again", "break"),
    ("x", "crash T", "Kill the processes.", "residue", "they start again", "break"),
    ("R", "reset", "A clean cluster.", "data", "", "repair"),
    ("q", "quit", "Leave.", "none", "", "tool"),
)


def test_each_entry_has_its_key_command_help_undo_and_warning() -> None:
    rows = help_pane.rows(ENTRIES, UiState(), 100, 60)
    assert line_with(rows, "cut A | B").split()[0] == "p"
    assert "Separate sides. Undo: the links carry messages again." in whole(rows)
    assert "Kill the processes. Undo: they start again. What is in memory is lost." in whole(rows)
    assert "A clean cluster. This can lose data." in whole(rows)
    assert style_of(rows, "A clean cluster") == "warn"
    assert line_with(rows, "Leave").endswith("Leave.")


def test_groups_stand_in_the_order_of_the_entries() -> None:
    titles = [line for line in lines(help_pane.rows(ENTRIES, UiState(), 100, 60)) if line.isupper()]
    assert titles == ["BREAK", "REPAIR", "TOOL", "HOW TO READ"]


def test_every_shape_is_explained_in_both_sets() -> None:
    for ascii in (False, True):
        rows = help_pane.rows((), UiState(ascii=ascii), 80, 60)
        for shape, plain, letter in SHAPES.values():
            assert any((plain if ascii else shape) in line for line in lines(rows))
            assert ascii or any(letter in line for line in lines(rows))


def test_wide_screens_have_two_columns_and_lose_nothing() -> None:
    given = entries(UiState())
    narrow = whole(help_pane.rows(given, UiState(), 100, 400))
    wide = help_pane.rows(given, UiState(), 200, 400)
    assert len(wide) < len(help_pane.rows(given, UiState(), 100, 400))
    for key, text, *_ in given:
        assert any(key in line and text in line for line in lines(wide)), text
        assert text in narrow


def test_what_does_not_fit_can_be_scrolled_to() -> None:
    given = entries(UiState())
    seen: set[str] = set()
    for scroll in range(0, 200, 5):
        rows = lines(help_pane.rows(given, UiState(scroll=scroll), 80, 12))
        assert len(rows) == 12
        seen.update(rows)
    everything = set(lines(help_pane.rows(given, UiState(), 80, 400)))
    assert everything <= seen
