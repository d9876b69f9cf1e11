from __future__ import annotations

import pytest

from tui.bench.screen import UNFINISHED_MAX, Screen


def shown(*texts: str, columns: int = 12, lines: int = 3) -> list[str]:
    screen = Screen(columns, lines)
    for text in texts:
        screen.feed(text)
    return [row.rstrip() for row in screen.rows]


def test_text_stands_where_the_cursor_was_put() -> None:
    assert shown("\x1b[2;4Hhere\x1b[1;1Hthere") == ["there", "   here", ""]


def test_colours_and_modes_are_read_over() -> None:
    assert shown("\x1b[?25l\x1b[1;38;2;1;2;3mbold\x1b[0m\x1b[?2026h") == ["bold", "", ""]


def test_titles_and_device_reports_leave_no_text() -> None:
    assert shown("\x1b]0;a title\x07\x1bPsome report\x1b\\\x1b(Bx") == ["x", "", ""]


def test_new_text_replaces_old_cell_by_cell() -> None:
    assert shown("\x1b[1;1Habcdef", "\x1b[1;3HXY") == ["abXYef", "", ""]


@pytest.mark.parametrize("cut", range(1, 9))
def test_a_sequence_cut_anywhere_waits_for_its_rest(cut: int) -> None:
    whole = "\x1b[2;10Hz"
    assert shown(whole[:cut], whole[cut:]) == ["", "         z", ""]


def test_erasing_the_line_and_the_screen() -> None:
    assert shown("\x1b[1;1Habcdef\x1b[1;3H\x1b[K") == ["ab", "", ""]
    assert shown("\x1b[1;1Habcdef\x1b[2J") == ["", "", ""]


def test_nothing_is_written_beyond_the_edges() -> None:
    assert shown("\x1b[1;11Hlonger\x1b[9;1Hbelow") == ["          lo", "", ""]


def test_a_sequence_that_never_ends_is_given_up() -> None:
    screen = Screen(4, 1)
    screen.feed("\x1b]0;" + "x" * UNFINISHED_MAX)
    screen.feed("\x1b[1;1Hok")
    assert screen.row(0) == "ok  "
