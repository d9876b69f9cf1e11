"""φ = −log₁₀ P(silence ≥ t) in three forms, and the silence at which each reaches a threshold.

Law 1: φ is finite, never negative, and never falls as the silence grows, at any extreme.
Law 2: decisions are whole numbers: the threshold is solved for once, rounded, and scaled by the window; a platform's libm can
shift a displayed tenth but never a verdict.

Forms: "normal" is the exact tail of Hayashibara 2004 §IV-C; "akka" the logistic fit to it that Akka and Pekko use; "cassandra" the
exponential of Cassandra's FailureDetector. The fourth verdict, "timeout", has no φ of its own: it is shown as the fraction of
its time that has passed, scaled to reach the threshold when it fires.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import erfc, exp, log, log1p, pi, sqrt

from cluster.core.types import Micros

DETECTORS = ("akka", "normal", "cassandra", "timeout")
PHI_TENTHS_MAX = 999
# Scores are in ten-thousandths of a standard deviation (akka, normal) or of a mean interval (cassandra).
SCORE_UNIT = 10_000
_SCORE_MAX = 1_000.0
_LN10 = log(10)
# Beyond this erfc comes near the smallest float; its asymptotic series is exact to ten digits from here on.
_ERFC_DIRECT_MAX = 25.0


def akka(y: float) -> float:
    """Logistic fit of the normal tail at `y` = (silence − mean − pause) / deviation."""
    y = max(-_SCORE_MAX, min(_SCORE_MAX, y))
    x = y * (1.5976 + 0.070566 * y * y)
    # −log₁₀(e/(1+e)) with e = exp(−x), written so that neither side overflows nor loses the small one.
    softplus = x + log1p(exp(-x)) if x > 0 else log1p(exp(max(x, -745.0)))
    return softplus / _LN10


def normal(y: float) -> float:
    """Exact normal tail at `y` = (silence − mean − pause) / deviation."""
    z = max(-_SCORE_MAX, min(_SCORE_MAX, y)) / sqrt(2)
    if z <= _ERFC_DIRECT_MAX:
        return max(0.0, -log(erfc(z) / 2) / _LN10)
    inverse = 1 / (2 * z * z)
    series = 1 - inverse + 3 * inverse**2 - 15 * inverse**3
    return (z * z + log(2 * z * sqrt(pi)) - log(series)) / _LN10


def cassandra(ratio: float) -> float:
    """Exponential tail at `ratio` = silence / mean."""
    return max(0.0, ratio) / _LN10


FORMS: dict[str, Callable[[float], float]] = {"akka": akka, "normal": normal, "cassandra": cassandra}


@lru_cache(maxsize=64)
def score_at(form: str, threshold: float) -> int:
    """The smallest score (in `SCORE_UNIT`) at which `form` reaches `threshold`: solved once, then only multiplied."""
    phi, low, high = FORMS[form], -10 * SCORE_UNIT, int(_SCORE_MAX) * SCORE_UNIT
    while low < high:
        middle = (low + high) // 2
        if phi(middle / SCORE_UNIT) >= threshold:
            high = middle
        else:
            low = middle + 1
    return low


def patience_us(form: str, threshold: float, mean_us: Micros, std_us: Micros, pause_us: Micros, timeout_us: Micros) -> Micros:
    """Silence at which the verdict `form` convicts, at least 1 µs. Whole-number arithmetic only (Law 2)."""
    return patiences_us(threshold, mean_us, std_us, pause_us, timeout_us)[DETECTORS.index(form)]


def patiences_us(threshold: float, mean_us: Micros, std_us: Micros, pause_us: Micros, timeout_us: Micros) -> list[Micros]:
    """The same for every verdict, in the order of `DETECTORS`. Asked for with every piece of evidence."""
    akka_score, normal_score, cassandra_score = _scores(threshold)
    learned_us = mean_us + pause_us
    return [
        max(1, learned_us - (-std_us * akka_score // SCORE_UNIT)),
        max(1, learned_us - (-std_us * normal_score // SCORE_UNIT)),
        max(1, -(-mean_us * cassandra_score // SCORE_UNIT)),
        max(1, timeout_us),
    ]


@lru_cache(maxsize=64)
def _scores(threshold: float) -> tuple[int, int, int]:
    return score_at("akka", threshold), score_at("normal", threshold), score_at("cassandra", threshold)


def phi_tenths(
    form: str, threshold: float, silence_us: Micros, mean_us: Micros, std_us: Micros, pause_us: Micros, timeout_us: Micros
) -> int:
    """φ now in whole tenths, 0…999, for screens and traces. `std_us` at least 1."""
    if form == "timeout":
        tenths = int(threshold * 10) * silence_us // max(1, timeout_us)
    elif form == "cassandra":
        tenths = int(cassandra(silence_us / max(1, mean_us)) * 10)
    else:
        tenths = int(FORMS[form]((silence_us - mean_us - pause_us) / std_us) * 10)
    return max(0, min(PHI_TENTHS_MAX, tenths))
