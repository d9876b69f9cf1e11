"""The narrator says the most important thing that is true, with its reason."""

from __future__ import annotations

import pytest

from cluster.telemetry.view import ClusterView
from tests.tui import sample_views as views
from tests.tui.select.reading import lines
from tui.select import narrator
from tui.state import UiState


@pytest.mark.parametrize(
    ("view", "said", "style"),
    [
        (views.red_light(), "The clients' history is not linearizable: k3", "bad"),
        (views.frozen_world(), "The whole world stands still", "warn"),
        (views.fresh(), "The nodes are starting", "dim"),
        (views.quorum_lost(), "nothing can commit until one more is back", "bad"),
        (views.no_leader(), "Nobody leads: the voters wait out their election timeouts", "warn"),
        (views.mock_up(), "n4 (side B) still believes it leads term 7. It reaches 3 of 12 voters and needs 7", "warn"),
        (views.build(views.Stage(paused=("n3",))), "stands still: without its heartbeats the others elect another", "warn"),
        (views.crashed_follower(), "is down. 4 of 5 voters run: 1 more may be lost before writes stop. r restarts from disk.", "warn"),
        (views.gray_disk(), "does not answer: it can promise nothing", "warn"),
        (views.one_way(), "n3 leads term 8 but reaches only 1 of 5 voters: it cannot commit", "warn"),
        (views.build(views.Stage(one_way=(("n1", "n2"),))), "Nothing that n1 says reaches n2 directly", "warn"),
        (views.healed(), "n3 leads term 8", "good"),
        (views.healthy(), "All is well: n3 leads term 8, and every write it acknowledges is on 3 disks.", "good"),
    ],
    ids=[
        "red", "frozen", "fresh", "quorum lost", "no leader", "stale leader", "paused leader", "crashed follower", "gray disk",
        "mute leader", "one way", "healed", "healthy",
    ],
)  # fmt: skip
def test_the_most_important_truth_is_said(view: ClusterView, said: str, style: str) -> None:
    text, loud = narrator.sentence(view)
    assert said in text
    assert loud == style


def test_a_cut_names_the_side_that_can_commit_and_the_one_that_cannot() -> None:
    text, _ = narrator.sentence(views.build(views.Stage(sides=(("n1", "n2", "n3"), ("n4", "n5")))))
    assert text == (
        "The network is cut. n3 leads term 8: it reaches 3 voters, so writes commit there. n4 and n5 can elect nobody and commit nothing."
    )


def test_a_leader_on_the_small_side_is_told_that_it_cannot_commit() -> None:
    text, _ = narrator.sentence(views.build(views.Stage(sides=(("n3", "n1"), ("n2", "n4", "n5")))))
    assert text.startswith("n3 leads term 8 but reaches only 2 of 5 voters: it cannot commit")


@pytest.mark.parametrize("kind", narrator.SPOILS)
def test_each_fault_that_spoils_says_what_to_watch(kind: str) -> None:
    text, _ = narrator.sentence(views.build(views.Stage(faults=(views.fault(4, kind, f"{kind} n1", ("n1",)),))))
    assert text.startswith(f"In force: {kind} n1. ")
    assert text.count(".") == 2


def test_a_follower_far_behind_is_named_once_nothing_is_broken() -> None:
    text, style = narrator.sentence(views.build(views.Stage(behind={"n2": 400, "n4": 20})))
    assert text == "Nothing is broken now. n2 catches up: 400 entries behind n3, which leads term 8."
    assert style == "good"


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_it_takes_at_most_two_rows(width: int) -> None:
    for view in (views.mock_up(), views.fifty(), views.three_sides(), views.ring_cut(), views.isolated_leader(), views.crashed_leader()):
        said = lines(narrator.rows(view, UiState(), width, 2))
        assert 1 <= len(said) <= 2
        assert all(len(line) <= width for line in said)
