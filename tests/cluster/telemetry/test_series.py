"""Half-second samples: rates between totals, and a restart is no negative rate."""

from __future__ import annotations

import pytest

from cluster.telemetry import events as e
from cluster.telemetry.fold import fold_all
from cluster.telemetry.view import EMPTY, SAMPLE_US, Sample
from tests.cluster.telemetry.happened import opened, ops, process, role, state, up

HALF = SAMPLE_US


def _series(*events: e.Event) -> tuple[Sample, ...]:
    return fold_all(EMPTY, [opened(), *up(), *events]).series


def test_one_sample_per_half_second_and_none_before() -> None:
    assert _series(ops(HALF - 1)) == ()
    assert [sample.at_us for sample in _series(ops(HALF), ops(HALF + 1), ops(2 * HALF - 1), ops(2 * HALF + 7))] == [HALF, 2 * HALF + 7]


def test_rates_are_per_second_of_the_time_that_passed() -> None:
    first, second = _series(ops(HALF, ok=10), ops(3 * HALF, ok=40))
    assert (first.ops_per_s, second.ops_per_s) == (20.0, 30.0)


def test_commits_are_the_furthest_and_gossip_the_sum() -> None:
    (sample,) = _series(
        state("n1", 10, commit=5, gossip_rounds=3, dropped=(("n2", 4),)), state("n2", 20, commit=9, gossip_rounds=2), e.Heartbeat(HALF, 0)
    )
    assert (sample.commit_per_s, sample.gossip_per_s, sample.dropped_per_s) == (18.0, 10.0, 8.0)


def test_a_process_that_starts_from_zero_makes_no_negative_rate() -> None:
    series = _series(
        state("n1", 10, commit=90, gossip_rounds=50), e.Heartbeat(HALF, 0), process("n1", "down", HALF + 5),
        process("n1", "up", HALF + 6, epoch=2), state("n1", HALF + 10, epoch=2), e.Heartbeat(2 * HALF, 0),
    )  # fmt: skip
    assert (series[-1].commit_per_s, series[-1].gossip_per_s) == (0.0, 0.0)


@pytest.mark.parametrize(("process_state", "phi"), [("up", 45), ("down", 0), ("paused", 0)])
def test_the_highest_suspicion_is_that_of_nodes_that_run(process_state: str, phi: int) -> None:
    beliefs = (e.Belief("n2", 45, True, 1, 1, 1, -1), e.Belief("n3", -1, True, 1, 1, 1, -1))
    (sample,) = _series(state("n1", 10, beliefs=beliefs), process("n1", process_state, 20), e.Heartbeat(HALF, 0))
    assert sample.phi_max_tenths == phi


def test_a_sample_knows_whether_somebody_led() -> None:
    before, after = _series(e.Heartbeat(HALF, 0), role("n1", "leader", 1, HALF + 5), e.Heartbeat(2 * HALF, 0))
    assert (before.has_leader, after.has_leader) == (False, True)
