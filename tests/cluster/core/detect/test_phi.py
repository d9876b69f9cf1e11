"""Forms of φ: known values, order, extremes, and thresholds in whole numbers."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.core.detect.phi import DETECTORS, FORMS, SCORE_UNIT, akka, cassandra, normal, patience_us, phi_tenths, score_at

S = 1_000_000


@pytest.mark.parametrize(
    ("form", "pause_us", "expected_s"),
    [("normal", 0, 1.56), ("akka", 0, 1.52), ("akka", 3 * S, 4.52), ("cassandra", 0, 18.4), ("timeout", 0, 8.0)],
)
def test_silence_until_phi_8_with_heartbeats_of_a_second(form: str, pause_us: int, expected_s: float) -> None:
    silence = patience_us(form, 8.0, mean_us=S, std_us=S // 10, pause_us=pause_us, timeout_us=8 * S)
    assert silence / S == pytest.approx(expected_s, rel=0.005)


def test_values_from_the_definitions() -> None:
    assert normal(0) == pytest.approx(math.log10(2))
    assert normal(3) == pytest.approx(-math.log10(0.0013498980316300933))
    assert akka(0) == pytest.approx(math.log10(2))
    e = math.exp(-2 * (1.5976 + 0.070566 * 4))
    assert akka(2) == pytest.approx(-math.log10(e / (1 + e)))
    assert cassandra(math.log(10) * 8) == pytest.approx(8)


def test_the_fit_follows_the_exact_tail() -> None:
    for tenth in range(-30, 60):
        assert akka(tenth / 10) == pytest.approx(normal(tenth / 10), rel=0.20)


@pytest.mark.parametrize("form", sorted(FORMS))
def test_extremes_are_finite(form: str) -> None:
    for y in (-1e308, -1e9, -40.0, -1e-300, 0.0, 1e-300, 36.0, 38.0, 1e4, 1e9, 1e300):
        assert 0 <= FORMS[form](y) < math.inf


@pytest.mark.parametrize("form", sorted(FORMS))
@given(ys=st.tuples(st.floats(-100, 100), st.floats(-100, 100)))
def test_phi_never_falls_as_silence_grows(form: str, ys: tuple[float, float]) -> None:
    assert FORMS[form](min(ys)) <= FORMS[form](max(ys))


def test_the_exact_tail_is_smooth_where_its_series_takes_over() -> None:
    seam = 25 * math.sqrt(2)
    below, above = normal(seam * (1 - 1e-12)), normal(seam * (1 + 1e-12))
    assert above == pytest.approx(below, abs=1e-7)
    assert normal(seam + 1e-4) > normal(seam) > normal(seam - 1e-4)


@pytest.mark.parametrize("form", sorted(FORMS))
@pytest.mark.parametrize("threshold", [0.5, 1.0, 5.0, 8.0, 12.0, 16.0])
def test_a_score_is_the_first_that_reaches_its_threshold(form: str, threshold: float) -> None:
    score = score_at(form, threshold)
    assert FORMS[form](score / SCORE_UNIT) >= threshold > FORMS[form]((score - 1) / SCORE_UNIT)


@pytest.mark.parametrize("form", DETECTORS)
@given(mean_us=st.integers(1, 10 * S), std_us=st.integers(1, 5 * S), pause_us=st.integers(0, 3 * S), timeout_us=st.integers(1, 10 * S))
def test_the_shown_tenths_reach_the_threshold_when_the_verdict_does(
    form: str, mean_us: int, std_us: int, pause_us: int, timeout_us: int
) -> None:
    window = (mean_us, std_us, pause_us, timeout_us)
    patience = patience_us(form, 8.0, *window)
    assert phi_tenths(form, 8.0, patience, *window) >= 80
    assert phi_tenths(form, 8.0, patience * 9 // 10, *window) <= 80
    assert phi_tenths(form, 8.0, 0, *window) >= 0
    assert phi_tenths(form, 8.0, 10**15, *window) == 999
