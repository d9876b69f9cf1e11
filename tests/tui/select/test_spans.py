from __future__ import annotations

import pytest

from tui.select.spans import bar, clip, clock, count, duration, fit, listed, width_of, window_around, wrapped


def test_a_clipped_row_says_that_something_is_missing() -> None:
    row = (("leader", "leader"), (" n3 of term 8", ""))
    assert clip(row, 19) == row
    assert clip(row, 9) == (("leader", "leader"), (" n…", ""))
    assert clip(row, 6) == (("leade…", "leader"),)
    assert clip(row, 0) == ()


def test_fit_cuts_both_ways_and_can_do_without_unicode() -> None:
    rows = [[("★ n3 ┃ φ…", "leader")], [("second", "")], [("third", "")]]
    assert fit(rows, 5, 2) == [(("★ n3…", "leader"),), (("seco…", ""),)]
    assert fit(rows, 20, 1, ascii=True) == [(("* n3 | p.", "leader"),)]


def test_wrapped_text_stands_under_itself_and_ends_openly() -> None:
    rows = wrapped("one two three four five six seven", 14, "good", lead="why ", lines_max=2)
    assert ["".join(text for text, _ in row) for row in rows] == ["why one two", "    three …"]
    assert all(width_of(row) <= 14 for row in rows)


@pytest.mark.parametrize(
    ("span_us", "text"),
    [(0, "0 ms"), (-5, "0 ms"), (420_000, "420 ms"), (999_999, "999 ms"), (3_240_000, "3.2 s"), (99_999_999, "99.9 s"),
     (100_000_000, "1:40"), (7_390_000_000, "2:03:10")],
)  # fmt: skip
def test_durations(span_us: int, text: str) -> None:
    assert duration(span_us) == text


def test_the_clock_counts_from_the_opening() -> None:
    assert clock(166_380_000, 5_000_000) == "02:41.3"
    assert clock(4_000_000, 5_000_000) == "00:00.0"


def test_lists_and_counts_are_english() -> None:
    assert listed([]) == ""
    assert listed(["n1"]) == "n1"
    assert listed(["n1", "n2", "n3"]) == "n1, n2 and n3"
    assert listed([f"n{i}" for i in range(1, 9)], 4) == "n1, n2, n3 and 5 more"
    assert count(1, "entry", "entries") == "1 entry"
    assert count(2, "entry", "entries") == "2 entries"


def test_a_bar_shows_that_something_is_not_nothing() -> None:
    assert bar(0, 4) == "    "
    assert bar(0.001, 4) == "▏   "
    assert bar(0.5, 4) == "██  "
    assert bar(7, 4) == "████"
    assert bar(0.5, 4, ascii=True) == "##  "


def test_the_window_holds_its_focus() -> None:
    assert list(window_around(3, 1, 5)) == [0, 1, 2]
    for focus in range(20):
        shown = window_around(20, focus, 6)
        assert len(shown) == 6
        assert focus in shown
    assert list(window_around(20, 3, 0)) == []
