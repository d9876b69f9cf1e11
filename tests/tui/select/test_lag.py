"""Version lag: what the age of a report explains is no lag, and silence is never zero."""

from __future__ import annotations

from cluster.telemetry.events import Belief
from cluster.telemetry.fold import fold, fold_all
from cluster.telemetry.view import ClusterView
from tests.tui import sample_raft_gossip as sample
from tests.tui.select.reading import line_with, lines, style_of, whole
from tui.select import lag
from tui.state import UiState


def cells_of(view: ClusterView, observer: str, width: int = 80) -> list[str]:
    return row_of(view, observer, width).split()[1:]


def row_of(view: ClusterView, observer: str, width: int = 80) -> str:
    """The observer's row; the heading above names it too."""
    found = [line for line in lines(lag.rows(view, UiState(cursor=""), width, 20)) if line.lstrip().startswith(f"{observer} ")]
    return next(line for line in found if not all(word.startswith("n") for word in line.split()))


def with_beliefs(view: ClusterView, observer: str, at_us: int = 0, **changes: dict[str, int]) -> ClusterView:
    """`observer` reports again, its belief about each named node changed."""
    state = view.nodes[observer].state
    assert state is not None
    told = tuple(sample.replace(b, **changes[b.node]) if b.node in changes else b for b in state.beliefs)
    return fold(view, sample.replace(state, beliefs=told, at_us=at_us or state.at_us))


def test_the_newest_anyone_reports_is_the_measure() -> None:
    view = with_beliefs(sample.healthy(), "n1", n2={"heartbeat": 1_593}, n4={"heartbeat": 1_599})
    assert cells_of(view, "n1") == ["\\", "7", "·", "·", "·"]
    assert cells_of(view, "n5") == ["·", "·", "·", "·", "\\"]
    assert style_of(lag.rows(view, UiState(), 80, 20), "7") == "warn"


def test_an_older_life_an_unheard_node_and_old_keys_have_signs_of_their_own() -> None:
    changed = {"n2": {"generation": 0, "heartbeat": 0}, "n3": {"version": 3}}
    view = with_beliefs(sample.healthy(), "n1", **changed)
    view = with_beliefs(view, "n4", n5={"generation": 2, "heartbeat": 1})
    assert cells_of(view, "n1") == ["\\", "?", "v", "·", "G"]


def test_the_age_of_a_report_is_forgiven_up_to_a_limit() -> None:
    view = sample.healthy()
    later = view.now_us + 300 * sample.MS
    newer: dict[str, dict[str, int]] = {"n2": {"heartbeat": 1_604}}
    view = with_beliefs(view, "n3", later, **newer)
    assert cells_of(view, "n1")[1] == "·"  # four beats in the 300 ms between the reports
    far: dict[str, dict[str, int]] = {"n2": {"heartbeat": 1_640}}
    assert cells_of(with_beliefs(view, "n3", later, **far), "n1")[1] == "36"


def test_an_observer_that_cannot_report_is_hatched() -> None:
    rows = lag.rows(sample.no_leader(), UiState(cursor=""), 80, 20)
    assert "╱╱╱╱" in line_with(rows, " n5 ")
    assert "·" not in line_with(rows, " n5 ")
    assert style_of(rows, "╱╱╱╱") == "nodata"


def test_silence_of_a_running_observer_is_no_data_either() -> None:
    view = sample.healthy()
    state = view.nodes["n2"].state
    assert state is not None
    others = [node.state for node in view.nodes.values() if node.node != "n2" and node.state is not None]
    later = view.now_us + lag.STALE_OBSERVER_US + 1
    view = fold_all(view, [sample.replace(state, at_us=later) for state in others])
    assert "╱" in row_of(view, "n2")


def test_the_furthest_behind_is_named() -> None:
    text = whole(lag.rows(sample.fifty(split=True), UiState(), 120, 40))
    assert "Furthest behind: n1 knows n31 as it was 50 heartbeats ago (5.0 s)." in text
    assert "Everyone is up to date on everyone" in whole(lag.rows(sample.healthy(), UiState(), 120, 40))


def test_a_pooled_cell_is_the_worst_of_its_nodes_and_it_says_so() -> None:
    view = with_beliefs(sample.fifty(), "n7", n33={"heartbeat": 1_500})
    rows = lag.rows(view, UiState(), 40, 14)
    assert "Pooled" in whole(rows)
    assert sum(line.count("+") - line.split()[0].count("+") for line in lines(rows)[2:-2]) == 1


def test_an_unknown_belief_is_about_nobody_else() -> None:
    stranger = Belief("n2", -1, True, 0, 0, 0, -1)
    view = sample.healthy()
    state = view.nodes["n1"].state
    assert state is not None
    only = fold(view, sample.replace(state, beliefs=(stranger,)))
    assert cells_of(only, "n1")[1] == "?"
