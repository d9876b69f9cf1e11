from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.bench.report import Target, summarise, table


def test_quantiles_are_values_that_were_measured() -> None:
    found = summarise([float(value) for value in range(1, 101)])
    assert (found.count, found.p50, found.p90, found.p99, found.max) == (100, 50.0, 90.0, 99.0, 100.0)


def test_one_value_is_every_quantile() -> None:
    found = summarise([7.0], late=1)
    assert (found.p50, found.p99, found.max, found.late) == (7.0, 7.0, 7.0, 1)


@given(st.lists(st.integers(0, 10_000), min_size=1))
def test_quantiles_rise_and_are_among_the_values(values: list[int]) -> None:
    found = summarise([float(value) for value in values])
    quantiles = [found.p50, found.p90, found.p99, found.max]
    assert quantiles == sorted(quantiles)
    assert set(quantiles) <= {float(value) for value in values}
    assert found.max == max(values)


@pytest.mark.parametrize(("measured", "met"), [(59.9, True), (60.0, True), (60.1, False)])
def test_a_target_is_met_up_to_its_limit(measured: float, met: bool) -> None:
    target = Target("key", 60.0, measured, "ms")
    assert target.met is met
    assert target.document()["met"] is met
    assert ("✓" if met else "✗") in target.line()


def test_columns_stand_under_their_headings() -> None:
    lines = table(("", "n", "p50"), [("cursor", "5", "12.5"), ("x", "100", "3.0")])
    assert lines == ["            n   p50", "  cursor    5  12.5", "  x       100   3.0"]
