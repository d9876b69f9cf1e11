"""Everything known of one node, its beliefs beside the truth."""

from __future__ import annotations

from cluster.faults import FaultPlan, NodeFault
from cluster.telemetry.fold import fold, fold_all
from cluster.telemetry.view import ClusterView
from tests.tui import sample_raft_gossip as sample
from tests.tui.select.reading import line_with, lines, style_of, whole
from tui.select import inspector
from tui.state import UiState


def told(view: ClusterView, node: str, width: int = 100, height: int = 400) -> str:
    return whole(inspector.rows(view, UiState(cursor=node), width, height))


def test_a_stale_leader_is_contradicted() -> None:
    text = told(sample.mock_up(), "n4")
    assert text.startswith("◆ n4 L? stale side B")
    assert "truth runs for 2:41, pid 4004" in text
    assert "reaches n4 and n9: 2 of 9 voters, 5 needed" in text
    assert "believes it leads term 7. Not so: n3 leads term 8" in text
    assert "5 entries from 1162 on will be overwritten" in text
    assert "fault #17 cut" in text


def test_a_good_leader_is_believed() -> None:
    rows = inspector.rows(sample.mock_up(), UiState(cursor="n3"), 100, 400)
    assert "it leads term 8, voted for itself" in whole(rows)
    assert style_of(rows, "it leads term 8") == "good"
    assert "2 entries not committed" in whole(rows)
    assert "a quorum answered 12 ms ago" in whole(rows)


def test_last_words_are_marked_as_such() -> None:
    view = sample.no_leader()
    text = told(view, "n5")
    assert "truth is frozen for 2.4 s, pid 4005: SIGSTOP (pause #4)" in text
    assert "(its last words, 2.4 s ago)" in text
    assert "timer stands still: the process does not run" in text
    dead = told(view, "n3")
    assert "truth is dead for 2.4 s: SIGKILL (crash #3)" in dead
    assert "pid" not in dead.split("believes")[0]


def test_peers_show_both_directions_of_suspicion() -> None:
    view = sample.mock_up()
    state = view.nodes["n4"].state
    assert state is not None
    about = tuple(sample.replace(b, phi_tenths=15) if b.node == "n9" else b for b in state.beliefs)
    rows = inspector.rows(fold(view, sample.replace(state, beliefs=about)), UiState(cursor="n4"), 100, 400)
    assert line_with(rows, "peer ").split() == ["peer", "φ", "of", "n4", "φ", "by", "n4", "convicts", "in", "rtt", "dropped"]
    assert line_with(rows, "● n9").split()[2:] == ["0.3", "1.5", "420", "ms", "0.4ms", "–"]
    assert line_with(rows, "● n1").split()[2:] == ["9.2", "9.2", "suspected", "0.4ms", "870"]
    assert line_with(rows, "✖ n12").split()[2] == "–"  # the dead have no opinion


def test_disk_clock_and_complaints_are_told_when_wrong() -> None:
    view = sample.healthy()
    state = view.nodes["n2"].state
    assert state is not None
    plan = FaultPlan(nodes=(NodeFault("n2", disk="hang", skew_us=-500_000),))
    events = [
        sample.replace(state, disk_busy_us=900_000, fsync_us=12_000, skew_us=-500_000, proposals_waiting=1),
        sample.e.PlanChanged(view.now_us, plan, (sample.names(5),)),
        sample.e.NodeComplaint("n2", view.now_us, "a wrong secret"),
        sample.e.ClockGap("n2", view.now_us, 3_000_000),
    ]
    text = told(fold_all(view, events), "n2")
    assert "disk a write waits 900 ms, fsync 12 ms (median) · disk hangs" in text
    assert "clock wrong by −500 ms, once stood still for 3.0 s" in text
    assert "complaints 1, the last: a wrong secret" in text
    assert "1 write and 0 reads wait for an answer" in text


def test_events_of_it_and_about_it_newest_first() -> None:
    rows = inspector.rows(sample.mock_up(), UiState(cursor="n4"), 200, 400)
    text = lines(rows)
    start = next(place for place, line in enumerate(text) if line.startswith("what happened to it"))
    assert [line.split()[1] for line in text[start + 1 : start + 5]] == ["VOTE", "VOTE", "LEADER", "UP"]


def test_what_does_not_fit_can_be_scrolled_to() -> None:
    view = sample.mock_up()
    rows = lines(inspector.rows(view, UiState(cursor="n4"), 80, 12))
    assert rows[-1].startswith("… ")
    below = lines(inspector.rows(view, UiState(cursor="n4", scroll=10**6), 80, 12))
    assert below[-1].endswith("started")
    assert below[0] == rows[0]


def test_an_unknown_node_is_said_to_be_unknown() -> None:
    assert told(sample.healthy(), "n77") == "There is no node n77."
    assert "nothing reported yet in this life" in told(sample.fresh(), "n1")
    assert "no vote: a gossip member" in told(sample.mock_up(), "n10")
