"""The incident for real: three deaths, three double refunds, then none; and what is not remembered with the effect does not help."""

from __future__ import annotations

import pytest

from tests.scenarios.real_runs import RealRuns

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]

SLUG = "double-refund"


@pytest.mark.slow
def test_pair_refunds_three_twice_and_then_none(real_runs: RealRuns) -> None:
    pair = real_runs.pair(SLUG)
    broken, canonical = pair["broken"], pair["canonical"]
    assert broken["violations"]["by_rule"] == {"double_refund": 3}
    assert (broken["metrics"]["refunds"], canonical["metrics"]["refunds"]) == (43, 40)
    assert (canonical["verdict"], canonical["metrics"]["replayed"]) == ("PASS", 3)


@pytest.mark.slow
def test_what_follows_from_the_mechanism_does_follow(real_runs: RealRuns) -> None:
    cases = real_runs.cases(SLUG)
    rules = {name: case["outcome"]["violations"]["by_rule"] for name, case in cases.items()}
    assert rules["the order as the key"] == {"missing_refund": 20}
    assert rules["no retries"] == {"outcome_unknown": 3}
    assert rules["a memory that dies with the process"] == rules["a memory in a transaction of its own"] == {"double_refund": 3}
