"""The incident for real: fifteen customers are charged twice, then none; each part of the cure is needed."""

from __future__ import annotations

import pytest

from tests.scenarios.real_runs import RealRuns

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]

SLUG = "retry-double-charge"


@pytest.mark.slow
def test_pair_charges_fifteen_twice_and_then_none(real_runs: RealRuns) -> None:
    pair = real_runs.pair(SLUG)
    broken, canonical = pair["broken"], pair["canonical"]
    assert broken["violations"]["by_rule"] == {"double_charge": 15}
    assert (broken["metrics"]["charges"], canonical["metrics"]["charges"]) == (55, 40)
    assert (canonical["verdict"], canonical["metrics"]["replayed"], canonical["metrics"]["told_busy"]) == ("PASS", 15, 5)


@pytest.mark.slow
def test_what_follows_from_the_mechanism_does_follow(real_runs: RealRuns) -> None:
    cases = real_runs.cases(SLUG)
    rules = {name: case["outcome"]["violations"]["by_rule"] for name, case in cases.items()}
    assert rules["look, then write"] == rules["a unique key in another transaction"] == {"double_charge": 5}
    assert rules["no retries"] == {"outcome_unknown": 15}
