"""A picture's moment is the first at which the view shows what it is about."""

from __future__ import annotations

from cluster.commands.script import parse_script
from cluster.core.types import SECOND
from cluster.telemetry import events as e
from cluster.telemetry.fold import fold, fold_all
from tests.tui import sample_raft_gossip as sample
from tui.pictures import moments
from tui.pictures.catalog import RUNS, SHOTS
from tui.pictures.moments import view_when

NOW = sample.ZERO
BEATS = [e.Heartbeat(NOW + second * SECOND, 1) for second in range(10)]


def test_the_first_moment_counts_and_later_is_counted_from_it() -> None:
    view = view_when(BEATS, lambda view: view.now_us >= NOW + 3 * SECOND, 2 * SECOND)
    assert view is not None
    assert view.now_us == NOW + 5 * SECOND


def test_a_recording_that_ends_too_early_shows_its_end_and_one_that_never_shows_it_nothing() -> None:
    view = view_when(BEATS, lambda view: view.now_us >= NOW + 8 * SECOND, 60 * SECOND)
    assert view is not None
    assert view.now_us == NOW + 9 * SECOND
    assert view_when(BEATS, lambda view: False) is None


def test_a_stale_leader_needs_a_newer_one_and_a_frozen_node() -> None:
    assert moments.stale_leader(sample.mock_up())
    assert not moments.stale_leader(sample.healthy())


def test_healthy_wants_everybody_and_charts() -> None:
    view = fold_all(sample.healthy(), [e.Heartbeat(NOW + half * SECOND // 2, 1) for half in range(400)])
    assert moments.healthy(view)
    assert not moments.healthy(sample.healthy())
    assert not moments.healthy(fold(view, e.ProcessChanged(view.now_us, "n1", "down", 1, 1, "SIGKILL")))


def test_a_split_view_has_as_many_truths_as_sides() -> None:
    assert moments.split_view(sample.mock_up())
    assert not moments.split_view(sample.healthy())


def test_doomed_entries_wait_for_the_new_leaders_own_commit() -> None:
    assert moments.doomed_entries(sample.mock_up())
    assert not moments.doomed_entries(sample.healthy())


def test_every_script_is_grammar_and_every_picture_has_a_run() -> None:
    for run in RUNS:
        assert parse_script(run.script, run.name)
    assert {shot.run for shot in SHOTS} == {run.name for run in RUNS}
