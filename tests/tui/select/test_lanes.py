"""Log lanes: columns are indexes, `!` is what the present leader's log contradicts."""

from __future__ import annotations

from cluster.core.types import NodeId
from cluster.telemetry.events import NodeState, TermRun
from cluster.telemetry.fold import fold
from tests.tui import sample_raft_gossip as sample
from tests.tui.select.reading import line_with, lines, style_of
from tui.select import lanes
from tui.select.logcells import doomed_from, entry_spans, term_at
from tui.state import UiState


def log(node: NodeId, *terms: int, commit: int, term: int = 8, role: str = "follower") -> NodeState:
    """A node whose log is `terms`, one per entry, from index 1 on."""
    runs = tuple(TermRun(i, t) for i, t in enumerate(terms, 1) if i == 1 or terms[i - 2] != t)
    return sample.state(node, 0, 3, log=runs, commit=commit, last_index=len(terms), term=term, role=role)


def drawn(state: NodeState, leader: NodeState | None, first: int = 1, cells: int = 20) -> str:
    return "".join(text for text, _ in entry_spans(state, first, cells, doomed_from(state, leader)))


def test_the_term_of_an_entry_is_that_of_its_run() -> None:
    runs = (TermRun(10, 3), TermRun(20, 5))
    assert [term_at(runs, index) for index in (9, 10, 19, 20, 99)] == [None, 3, 3, 5, 5]


def test_entries_are_digits_and_the_commit_index_a_mark() -> None:
    assert drawn(log("n1", 7, 7, 8, 12, commit=3), None) == "778┃2"
    assert drawn(log("n1", 7, 7, commit=0), None) == "┃77"
    assert drawn(log("n1", 7, 7, commit=2), None) == "77┃"
    assert drawn(log("n1", 7, 7, 7, 7, commit=4), None, first=3) == "77┃"


def test_entries_before_the_oldest_run_are_unknown() -> None:
    state = sample.state("n1", 0, 3, log=(TermRun(4, 7),), commit=5, last_index=6)
    assert drawn(state, None) == "···77┃7"


def test_what_the_leader_contradicts_is_doomed_from_the_first_difference_on() -> None:
    leader = log("n3", 7, 7, 8, 8, 8, commit=4, role="leader")
    assert drawn(log("n1", 7, 7, 7, 7, commit=2, term=7), leader) == "77┃!!"
    assert doomed_from(log("n1", 7, 7, 7, 8, commit=2), leader) == 3


def test_what_the_leader_holds_too_is_not_doomed() -> None:
    leader = log("n3", 7, 7, 7, 8, 8, commit=4, role="leader")
    assert doomed_from(log("n1", 7, 7, 7, commit=1, term=7), leader) is None


def test_older_entries_beyond_the_leaders_end_are_doomed_and_its_own_are_merely_newer_than_its_report() -> None:
    leader = log("n3", 7, 8, commit=1, role="leader")
    assert doomed_from(log("n1", 7, 7, 7, commit=1, term=7), leader) == 2
    assert doomed_from(log("n1", 7, 8, 8, commit=1), leader) is None


def test_a_leader_is_never_contradicted_by_itself_nor_by_an_older_one() -> None:
    old = log("n4", 7, 7, commit=1, term=7, role="leader")
    new = log("n3", 7, 8, commit=1, term=8, role="leader")
    assert doomed_from(new, old) is None
    assert doomed_from(new, new) is None
    assert doomed_from(old, new) == 2


def test_the_cut_stands_between_the_sides_and_says_what_each_is_worth() -> None:
    rows = lanes.rows(sample.mock_up(), UiState(), 118, 20)
    text = lines(rows)
    seam = next(place for place, line in enumerate(text) if "B: 2 of 9 voters run here, needs 5" in line)
    assert all(line[2] == "A" for line in text[2:seam])
    assert [line[4:7].strip() for line in text[seam + 1 : seam + 3]] == ["n4", "n9"]
    assert "┃!!!!!" in line_with(rows, " n4 ")
    assert "EXPIRED" in line_with(rows, " n4 ")
    assert "┃!!!" in line_with(rows, " n9 ")
    assert style_of(rows, "!!!!!") == "bad"


def test_columns_are_indexes() -> None:
    rows = lines(lanes.rows(sample.mock_up(), UiState(), 118, 20))
    column = rows[0].index("1160") + 3  # the last digit stands over its entry
    assert rows[1][column] == "╷"
    leader = next(line for line in rows if " n3 " in line)
    assert leader[column : column + 3] == "778"  # term 8 begins at 1162


def test_a_new_entry_does_not_move_the_lanes() -> None:
    view = sample.healthy()
    state = view.nodes["n3"].state
    assert state is not None
    before = lines(lanes.rows(view, UiState(), 118, 20))[0]
    grown = fold(view, sample.replace(state, last_index=1205, at_us=view.now_us + 1))
    assert lines(lanes.rows(grown, UiState(), 118, 20))[0] == before


def test_scrolling_goes_back_in_the_log() -> None:
    view = sample.healthy()
    scrolled = lanes.rows(view, UiState(scroll=200), 118, 20)
    assert "┃" not in line_with(scrolled, " n1 ")
    assert "6" in line_with(scrolled, " n1 ")
    to_the_end = lanes.rows(view, UiState(scroll=10**6), 118, 20)
    assert to_the_end[0][1][0].split()[0] == "10"


def test_orders() -> None:
    def named(order: str) -> list[str]:
        rows = lines(lanes.rows(sample.mock_up(), UiState(order=order), 118, 20))
        return [line[4:7].strip() for line in rows if line[2:3] in "AB" and "┃" in line[:90] and "an entry" not in line]

    assert named("id") == ["n1", "n2", "n3", "n4", "n5", "n6", "n7", "n8", "n9"]
    assert named("side")[0] == "n3"
    assert named("commit")[0] == "n3"
    assert named("commit")[-2:] == ["n4", "n9"]


def test_the_cursor_is_kept_in_sight_and_the_rest_is_counted() -> None:
    view = sample.fifty(50)
    rows = lanes.rows(view, UiState(cursor="n41"), 118, 12)
    assert line_with(rows, "n41").startswith("▸")
    assert "41 voters not shown" in lines(rows)[-1]


def test_processes_that_do_not_run_say_since_when() -> None:
    rows = lanes.rows(sample.no_leader(), UiState(), 118, 20)
    assert "down 2.4 s" in line_with(rows, " n3 ")
    assert "frozen 2.4 s" in line_with(rows, " n5 ")
    assert "campaigns" in line_with(rows, " n2 ")
    assert "fires 120 ms" in line_with(rows, " n1 ")


def test_a_lane_that_ends_before_the_window_shows_its_end_and_what_is_doomed_of_it() -> None:
    view = sample.mock_up()
    state = view.nodes["n3"].state
    assert state is not None
    grown = fold(view, sample.replace(state, last_index=1_500, commit=1_500))
    text = line_with(lanes.rows(grown, UiState(), 118, 20), "n4 ")
    assert "← 777┃!!!!! ends at 1166" in text
