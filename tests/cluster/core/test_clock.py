"""A node's clock under skew and drift, and its sense for its own freezes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cluster.core.clock import FreezeWatch, NodeClock
from cluster.core.types import MS, SECOND

T0 = 1_000 * SECOND


def test_without_faults_it_is_the_true_clock() -> None:
    clock = NodeClock(T0)
    assert clock.now(T0 + 5) == T0 + 5
    assert clock.offset_us(T0 + 5) == 0


def test_a_skew_steps_it_ahead() -> None:
    clock = NodeClock(T0)
    clock.set_fault(500 * MS, 1.0, T0)
    assert clock.offset_us(T0) == 500 * MS


def test_it_stands_still_when_the_skew_is_taken_away() -> None:
    clock = NodeClock(T0)
    clock.set_fault(500 * MS, 1.0, T0)
    ahead = clock.now(T0)
    clock.set_fault(0, 1.0, T0)
    assert clock.now(T0 + 400 * MS) == ahead
    assert clock.now(T0 + 600 * MS) == T0 + 600 * MS


def test_a_deadline_during_standstill_waits_for_true_time() -> None:
    clock = NodeClock(T0)
    clock.set_fault(500 * MS, 1.0, T0)
    ahead = clock.now(T0)
    clock.set_fault(0, 1.0, T0)
    wait = clock.until(ahead + 10 * MS, T0)
    assert 510 * MS <= wait <= 510 * MS + 2
    assert clock.until(ahead, T0) == 0


def test_a_drifting_clock_runs_fast_and_keeps_what_it_gained() -> None:
    clock = NodeClock(T0)
    clock.set_fault(0, 1.5, T0)
    assert clock.now(T0 + 2 * SECOND) == T0 + 3 * SECOND
    assert clock.until(T0 + 6 * SECOND, T0 + 2 * SECOND) == 2 * SECOND + 1
    clock.set_fault(0, 1.0, T0 + 2 * SECOND)
    assert clock.offset_us(T0 + 9 * SECOND) == 1 * SECOND


def test_a_nonsensical_drift_is_bounded() -> None:
    clock = NodeClock(T0)
    clock.set_fault(0, -3.0, T0)
    assert clock.now(T0 + SECOND) >= T0
    assert clock.until(T0 + SECOND, T0) > 0


@given(
    st.lists(
        st.tuples(st.integers(0, SECOND), st.integers(-2 * SECOND, 2 * SECOND), st.sampled_from([0.5, 0.98, 1.0, 1.02, 3.0])),
        max_size=20,
    )
)
def test_protocol_time_never_falls(steps: list[tuple[int, int, float]]) -> None:
    clock, true, last = NodeClock(T0), T0, T0
    for wait, skew, drift in steps:
        true += wait
        assert clock.now(true) >= last
        clock.set_fault(skew, drift, true)
        last = clock.now(true)
        deadline = last + 77 * MS
        assert clock.now(true + clock.until(deadline, true)) >= deadline


def test_a_long_gap_is_a_freeze_and_a_busy_machine_is_not() -> None:
    watch = FreezeWatch(100 * MS, T0)
    assert watch.turn(T0 + watch.interval_us + 60 * MS) == 0
    last = T0 + watch.interval_us + 60 * MS
    assert watch.gap_us(last + 2 * SECOND) == 2 * SECOND
    assert watch.turn(last + 2 * SECOND) == 2 * SECOND
    assert watch.turn(last + 2 * SECOND + 1) == 0
