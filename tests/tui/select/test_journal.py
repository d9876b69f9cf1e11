"""The journal keeps every line readable: wrapped, filtered, scrolled."""

from __future__ import annotations

from cluster.telemetry.fold import fold, fold_all
from cluster.telemetry.view import LOG_LINES_MAX
from tests.tui import sample_raft_gossip as sample
from tests.tui.select.reading import lines, style_of, whole
from tui.select import journal
from tui.state import UiState


def test_the_newest_line_is_at_the_bottom() -> None:
    text = lines(journal.rows(sample.mock_up(), UiState(), 118, 12))
    assert text[0] == "26 lines, alike ones folded"
    assert text[-1] == "02:41.0 n12    DOWN    SIGKILL (crash #19)"
    assert len(text) == 12


def test_long_lines_are_wrapped_not_cut() -> None:
    text = whole(journal.rows(sample.mock_up(), UiState(), 60, 30))
    assert "refuses n4 its pre-vote for term 8: my log is newer: it ends at 1169 (term 7), its at 1160 (term 7)" in text


def test_all_words_of_the_filter_must_occur_in_any_order_and_case() -> None:
    view = sample.mock_up()
    text = lines(journal.rows(view, UiState(filter="REFUSES n7"), 118, 12))
    assert text[0] == "26 lines · only those with “REFUSES n7”"
    assert [line.split()[1:3] for line in text[1:]] == [["n7", "VOTE"]]
    assert "No line contains “no such thing”." in whole(journal.rows(view, UiState(filter="no such thing"), 118, 12))
    assert len(journal.rows(view, UiState(filter="#18"), 118, 12)) == 3  # heading, the fault, the pause it caused


def test_scrolling_leaves_newer_lines_below_and_says_how_many() -> None:
    view = sample.mock_up()
    rows = journal.rows(view, UiState(scroll=2, follow=False), 118, 12)
    assert "2 newer entries below" in lines(rows)[0]
    assert "crash n12" in lines(rows)[-1]
    assert journal.rows(view, UiState(scroll=2, follow=True), 118, 12) == journal.rows(view, UiState(), 118, 12)


def test_what_is_no_longer_kept_is_admitted() -> None:
    view = sample.healthy()
    many = [sample.e.NodeComplaint("n1", view.now_us, f"garbage {number}") for number in range(LOG_LINES_MAX)]
    text = lines(journal.rows(fold_all(view, many), UiState(), 80, 5))
    assert text[0] == f"{view.log_total + LOG_LINES_MAX} lines, {LOG_LINES_MAX} are kept: the newest, and what explains them"


def test_the_last_command_and_its_answer_stand_below() -> None:
    rows = journal.rows(sample.mended(), UiState(), 80, 12)
    assert lines(rows)[-1] == ": heal 2 → crash n1 is over"
    refused = fold(sample.mended(), sample.e.CommandDone(sample.ZERO, "ann", 8, "crash n9", False, "there is no n9"))
    rows = journal.rows(refused, UiState(), 80, 12)
    assert lines(rows)[-1] == ": crash n9 → there is no n9"
    assert style_of(rows, "there is no n9") == "bad"


def test_alike_lines_are_one_and_say_by_whom_how_often_and_how_long() -> None:
    view = sample.healthy()
    asked = [
        sample.e.VoteGiven(node, view.now_us + place * 150_000, "n9", 7, granted=True, pre=True, reason="")
        for place, node in enumerate(("n1", "n2", "n3") * 4)
    ]
    text = lines(journal.rows(fold_all(view, asked), UiState(), 118, 12))
    assert text[0].endswith("lines, alike ones folded")
    assert text[-1].endswith("n1+2   VOTE    grants n9 its pre-vote for term 7 ×12, for 1.6 s (also n2 and n3)")


def test_kinds_have_styles() -> None:
    rows = journal.rows(sample.mock_up(), UiState(), 118, 12)
    assert style_of(rows, "LEADER") == "leader"
    assert style_of(rows, "DOWN") == "dead"
