"""Who believes what of whom: disputes first, truth beside belief, many nodes in few sentences."""

from __future__ import annotations

from cluster.telemetry.fold import fold, fold_all
from tests.tui import sample_raft_gossip as sample
from tests.tui.select.reading import lines, style_of, whole
from tui.select import beliefs
from tui.state import UiState


def test_one_truth_is_one_line() -> None:
    text = lines(beliefs.rows(sample.healthy(), UiState(), 80, 10))
    assert text == ["One truth: all 5 running nodes believe in the same live set", "  alive for everyone: n1, n2, n3, n4 and n5"]


def test_a_cut_is_two_truths_and_few_sentences() -> None:
    rows = beliefs.rows(sample.mock_up(), UiState(cursor="n4"), 120, 20)
    text = whole(rows)
    assert text.startswith("2 different truths among 10 running nodes, 12 nodes disputed")
    assert "n1, n2, n3, n5, n6, n7 and n8 (run, side A): suspected by n4, n9 and n10, alive for the others" in text
    assert "n4, n9 and n10 (run, side B): suspected by n1, n2, n3, n5, n6, n7 and n8, alive for the others" in text
    assert next(line for line in lines(rows) if "n4, n9 and n10 (run" in line).startswith("▸")


def test_fifty_nodes_in_two_halves_are_two_sentences() -> None:
    assert len(beliefs.rows(sample.fifty(split=True), UiState(), 200, 50)) == 3


def test_a_single_node_is_told_apart_with_its_truth() -> None:
    view = sample.healthy()
    now = view.now_us
    events: list[sample.e.Event] = [sample.e.ProcessChanged(now, "n5", "down", 1, 1, "SIGKILL")]
    for node in ("n1", "n2", "n3", "n4"):
        state = view.nodes[node].state
        assert state is not None
        events.append(sample.replace(state, beliefs=sample.beliefs(node, sample.names(5), ["n5"])))
    rows = beliefs.rows(fold_all(view, events), UiState(), 80, 10)
    assert "✖ n5 (dead): suspected by all 4 who report" in whole(rows)
    assert style_of(rows, "n5 (dead)") == "warn"


def test_a_false_suspicion_is_bad_and_a_dead_node_thought_alive_too() -> None:
    view = sample.healthy()
    state = view.nodes["n1"].state
    assert state is not None
    suspicious = fold(view, sample.replace(state, beliefs=sample.beliefs("n1", sample.names(5), ["n2"])))
    rows = beliefs.rows(suspicious, UiState(), 100, 10)
    assert "n2 (runs): suspected by n1, alive for n3, n4 and n5" in whole(rows)
    assert style_of(rows, "n2 (runs)") == "bad"
    dead = fold(suspicious, sample.e.ProcessChanged(view.now_us, "n2", "down", 1, 1, "SIGKILL"))
    assert style_of(beliefs.rows(dead, UiState(), 100, 10), "n2 (dead)") == "bad"


def test_without_evidence_there_is_no_belief_in_life() -> None:
    view = sample.healthy()
    state = view.nodes["n1"].state
    assert state is not None
    unsure = tuple(sample.replace(b, phi_tenths=-1) if b.node == "n4" else b for b in state.beliefs)
    text = whole(beliefs.rows(fold(view, sample.replace(state, beliefs=unsure)), UiState(), 100, 10))
    assert "n4 (runs): unknown to n1, alive for n2, n3 and n5" in text


def test_last_words_are_no_beliefs() -> None:
    assert beliefs.observers(sample.no_leader()) == ["n1", "n2"]
    assert whole(beliefs.rows(sample.fresh(), UiState(), 80, 5)).startswith("Nobody reports")
