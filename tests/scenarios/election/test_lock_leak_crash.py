"""The incident for real: five units are stranded and shoppers refused, then none; and without the crash it proves nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenarios.judging import verify
from scenarios.records import Records
from tests.scenarios.faultline_runs import faultline

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]

SLUG = "lock-leak-crash"


@pytest.mark.slow
def test_pair_strands_five_units_and_then_none(tmp_path: Path) -> None:
    code, pair = faultline("pair", SLUG, "--seed", "5", "--runs", tmp_path)
    assert code == 0, pair
    broken, canonical = pair["broken"], pair["canonical"]
    assert (broken["verdict"], canonical["verdict"], canonical["violations"]["count"]) == ("FAIL", "PASS", 0)
    assert broken["violations"]["by_rule"].keys() == {"stranded_unit", "refused_for_a_stranded_unit"}
    assert broken["violations"]["by_rule"]["stranded_unit"] == 5
    assert broken["violations"]["by_rule"]["refused_for_a_stranded_unit"] >= 10
    assert canonical["metrics"]["sold"] == broken["metrics"]["sold"] + 5
    assert all(broken["coverage"].values())
    assert all(canonical["coverage"].values())
    assert pair["same_faults"]
    assert Records(Path(broken["run_dir"])).truth() == Records(Path(canonical["run_dir"])).truth()
    for outcome in (broken, canonical):
        assert verify(Path(outcome["run_dir"])).verdict == outcome["verdict"]


@pytest.mark.slow
@pytest.mark.parametrize(("variant", "without"), [("canonical", "faults"), ("broken", "faults"), ("broken", "workload")])
def test_for_nothing_it_proves_nothing(tmp_path: Path, variant: str, without: str) -> None:
    code, outcome = faultline("run", SLUG, "--variant", variant, "--without", without, "--runs", tmp_path)
    assert (code, outcome["verdict"]) == (3, "VACUOUS")


@pytest.mark.slow
def test_what_follows_from_the_mechanism_does_follow(tmp_path: Path) -> None:
    code, document = faultline("meta", SLUG, "--runs", tmp_path)
    assert code == 0, document
    cases = {case["name"]: case for case in document["cases"]}
    assert all(case["good"] for case in cases.values())
    rules = {name: case["outcome"]["violations"]["by_rule"] for name, case in cases.items()}
    assert rules["a life for every hold, and nothing that prolongs it"] == {"sold_twice": 1, "held_twice": 1}
    assert rules["the same, and a hold that was lost is noticed"] == {"held_twice": 1}
    assert rules["SETNX, and EXPIRE in a second call"] == {"stranded_unit": 5}
