"""The leader ribbon never hides a gap, and the bill below it adds up."""

from __future__ import annotations

from cluster.telemetry.fold import fold, fold_all
from cluster.telemetry.view import EMPTY, ClusterView
from tests.tui import sample_raft_gossip as sample
from tests.tui.select.reading import line_with, lines
from tui.select import ribbon
from tui.state import UiState

MS, SECOND, ZERO = sample.MS, sample.SECOND, sample.ZERO


def reigned(*spans: tuple[str, int, int]) -> ClusterView:
    """(node, from, to) in ms after the opening; to = 0: it still leads. One minute has passed."""
    events: list[sample.e.Event] = [sample.lab(5, 5), *sample.up(5)]
    for term, (node, began, ended) in enumerate(spans, 1):
        events.append(sample.reigned(ZERO + began * MS, node, term))
        if ended:
            events.append(sample.e.RoleTaken(node, ZERO + ended * MS, "follower", term, None, "higher term"))
    return fold_all(EMPTY, [*events, sample.e.Heartbeat(ZERO + 60 * SECOND, 1)])


def test_gaps_lie_between_reigns_before_the_first_and_after_the_last() -> None:
    view = reigned(("n1", 400, 10_000), ("n2", 11_500, 30_000))
    spans = [(gap.began_us - ZERO, gap.ended_us and gap.ended_us - ZERO, gap.before) for gap in ribbon.gaps_of(view)]
    assert spans == [(0, 400 * MS, 1), (10 * SECOND, 11_500 * MS, 2), (30 * SECOND, 0, 0)]


def test_the_bill_adds_the_gaps_up() -> None:
    rows = ribbon.rows(reigned(("n1", 400, 10_000), ("n2", 11_500, 0)), UiState(), 100, 10)
    assert "2 reigns, 2 gaps: 1.9 s without a leader in all, longest 1.5 s" in lines(rows)[2]
    open_gap = ribbon.rows(reigned(("n1", 400, 58_000)), UiState(), 100, 10)
    assert lines(open_gap)[2].startswith("No leader for 2.0 s")


def test_the_shortest_gap_takes_a_cell() -> None:
    rows = lines(ribbon.rows(reigned(("n1", 0, 30_000), ("n2", 30_010, 0)), UiState(), 80, 4))
    assert rows[0].count("▒") == 1
    never = lines(ribbon.rows(reigned(("n1", 0, 30_000), ("n2", 30_000, 0)), UiState(), 80, 4))
    assert "▒" not in never[0]
    assert "never without a leader" in never[2]


def test_reigns_carry_term_and_name_in_proportion_to_time() -> None:
    row = lines(ribbon.rows(reigned(("n1", 0, 30_000), ("n2", 30_000, 0)), UiState(), 80, 4))[0]
    assert "1 n1 ━" in row
    bar = row[len("leader ") : -len("▶ now")]
    assert abs(bar.index("2 n2") - len(bar) // 2) <= 1


def test_a_frozen_leader_reigns_in_its_own_mind_only() -> None:
    view = reigned(("n1", 0, 0))
    frozen = fold(view, sample.e.ProcessChanged(ZERO + 45 * SECOND, "n1", "paused", 1, 1, "SIGSTOP"))
    rows = ribbon.rows(frozen, UiState(), 80, 10)
    bar = lines(rows)[0][len("leader ") : -len("▶ now")]
    assert abs(bar.count("╍") - len(bar) // 4) <= 1
    assert "frozen since 15.0 s" in line_with(rows, "term 1")


def test_each_reign_says_how_long_and_after_what() -> None:
    rows = ribbon.rows(reigned(("n1", 400, 10_000), ("n2", 11_500, 0)), UiState(), 100, 10)
    assert "the first leader came after 400 ms" in line_with(rows, "term 1")
    assert "leads for 48.5 s · after 1.5 s without a leader" in line_with(rows, "term 2")


def test_without_any_leader_yet() -> None:
    assert lines(ribbon.rows(reigned(), UiState(), 80, 6))[2] == "No leader yet, 60.0 s after the lab opened"
