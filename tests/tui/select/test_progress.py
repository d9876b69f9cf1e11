"""The leader's own table of its followers, the truth beside it."""

from __future__ import annotations

from cluster.faults import FaultPlan, LinkFault, NodeFault
from cluster.telemetry.fold import fold, fold_all
from tests.tui import sample_raft_gossip as sample
from tests.tui.select.reading import line_with, lines, style_of, whole
from tui.select import progress
from tui.state import UiState


def test_lag_is_counted_from_the_leaders_last_entry() -> None:
    rows = progress.rows(sample.mock_up(), UiState(cursor="n7"), 118, 20)
    line = line_with(rows, "▸n7")
    assert line.split()[2:5] == ["1198", "1199", "8"]
    assert "✓" not in line
    assert "✓" in line_with(rows, " n1 ")


def test_the_worst_lag_has_the_longest_bar() -> None:
    rows = progress.rows(sample.mock_up(), UiState(), 118, 12)
    cells = {node: line_with(rows, f"{node} ").count("█") for node in ("n4", "n7", "n5")}
    assert cells["n4"] == progress.BAR_CELLS_MAX
    assert cells["n4"] > cells["n7"] > cells["n5"]


def test_a_stale_leaders_table_stands_below_and_says_that_it_can_commit_nothing() -> None:
    text = lines(progress.rows(sample.mock_up(), UiState(), 118, 24))
    assert text[0].startswith("n3 leads term 8: 9 voters, quorum 5")
    below = next(line for line in text if line.startswith("n4 leads term 7"))
    assert "hears no quorum: nothing can commit" in below


def test_causes_are_the_nearest_known() -> None:
    view = sample.healthy()
    plan = FaultPlan(
        links=(
            LinkFault("n3", "n1", cut=True, lease=1),
            LinkFault("n1", "n3", cut=True, lease=1),
            LinkFault("n3", "n2", cut=True, lease=2),
            LinkFault("n4", "n3", delay_us=80_000, lease=3),
        ),
        nodes=(NodeFault("n5", disk="hang"),),
    )
    view = fold(view, sample.e.PlanChanged(view.now_us, plan, (sample.names(5),)))
    rows = progress.rows(view, UiState(), 118, 12)
    assert line_with(rows, "n1 ").endswith("cut off (#1)")
    assert line_with(rows, " n2 ").endswith("hears nothing from n3 (one-way cut #2)")
    assert line_with(rows, " n4 ").endswith("link n4→n3 slow by 80 ms (#3)")
    assert line_with(rows, " n5 ").endswith("disk hangs")


def test_the_process_is_a_nearer_cause_than_the_link() -> None:
    view = sample.healthy()
    later = view.now_us + 3 * sample.SECOND
    events = [
        *sample.cut(view.now_us, 1, ("n1",), ("n2", "n3", "n4", "n5")),
        sample.e.ProcessChanged(view.now_us, "n1", "down", 1, 1, "SIGKILL"),
        sample.e.Heartbeat(later, 1),
    ]
    assert line_with(progress.rows(fold_all(view, events), UiState(), 118, 12), "n1 ").endswith("dead for 3.0 s")


def test_an_old_answer_is_shown_as_bad() -> None:
    view = sample.healthy()
    state = view.nodes["n3"].state
    assert state is not None
    old = sample.replace(state, progress=sample.progress({"n1": 1204, "n2": 1204}, 1204, ack_age_us=2 * sample.SECOND))
    assert style_of(progress.rows(fold(view, old), UiState(), 118, 12), "2.0 s") == "bad"


def test_without_a_leader_nobody_replicates() -> None:
    assert whole(progress.rows(sample.no_leader(), UiState(), 80, 9)) == "Nobody leads, so nobody replicates."
