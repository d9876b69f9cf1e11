"""The incident for real: five units are stranded and shoppers refused, then none."""

from __future__ import annotations

import pytest

from tests.scenarios.real_runs import RealRuns

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]

SLUG = "lock-leak-crash"


@pytest.mark.slow
def test_pair_strands_five_units_and_then_none(real_runs: RealRuns) -> None:
    pair = real_runs.pair(SLUG)
    broken, canonical = pair["broken"], pair["canonical"]
    assert (broken["verdict"], canonical["verdict"], canonical["violations"]["count"]) == ("FAIL", "PASS", 0)
    assert broken["violations"]["by_rule"].keys() == {"stranded_unit", "refused_for_a_stranded_unit"}
    assert broken["violations"]["by_rule"]["stranded_unit"] == 5
    assert broken["violations"]["by_rule"]["refused_for_a_stranded_unit"] >= 10
    assert canonical["metrics"]["sold"] == broken["metrics"]["sold"] + 5


@pytest.mark.slow
def test_what_follows_from_the_mechanism_does_follow(real_runs: RealRuns) -> None:
    cases = real_runs.cases(SLUG)
    rules = {name: case["outcome"]["violations"]["by_rule"] for name, case in cases.items()}
    assert rules["a life for every hold, and nothing that prolongs it"] == {"sold_twice": 1, "held_twice": 1}
    assert rules["the same, and a hold that was lost is noticed"] == {"held_twice": 1}
    assert rules["SETNX, and EXPIRE in a second call"] == {"stranded_unit": 5}
