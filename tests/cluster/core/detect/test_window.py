"""The arrival window against the statistics of the textbook."""

from __future__ import annotations

from statistics import fmean, pstdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.core.detect.window import ABSURD_FIRST_ESTIMATES, Window


def test_the_first_estimate_is_the_interval_plus_minus_a_quarter() -> None:
    window = Window(1_000, 100_000)
    assert (window.mean_us, window.std_us, len(window)) == (100_000, 25_000, 2)


@given(st.lists(st.integers(0, ABSURD_FIRST_ESTIMATES * 1_000), max_size=60), st.integers(2, 20))
def test_mean_and_deviation_over_the_newest(intervals: list[int], size: int) -> None:
    window = Window(size, 1_000)
    for interval in intervals:
        window.add(interval)
    kept = ([750, 1_250, *intervals])[-size:]
    assert len(window) == len(kept)
    assert window.mean_us == pytest.approx(fmean(kept), abs=1)
    assert window.std_us == pytest.approx(pstdev(kept), abs=2)


@pytest.mark.parametrize("absurd", [-1, ABSURD_FIRST_ESTIMATES * 1_000 + 1, 10**15])
def test_an_absurd_interval_is_dropped_and_counted(absurd: int) -> None:
    window = Window(10, 1_000)
    before = (window.mean_us, window.std_us, len(window))
    window.add(absurd)
    assert (window.mean_us, window.std_us, len(window), window.dropped) == (*before, 1)


def test_equal_intervals_leave_no_deviation_however_many() -> None:
    window = Window(100, 1_000)
    for _ in range(10_000):
        window.add(999)
    assert (window.mean_us, window.std_us) == (999, 0)
