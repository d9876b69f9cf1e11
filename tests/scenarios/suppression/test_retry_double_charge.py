"""The incident for real: fifteen customers are charged twice, then none; each part of the cure is needed."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenarios.judging import verify
from scenarios.records import Records
from tests.scenarios.faultline_runs import faultline

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]

SLUG = "retry-double-charge"


@pytest.mark.slow
def test_pair_charges_fifteen_twice_and_then_none(tmp_path: Path) -> None:
    code, pair = faultline("pair", SLUG, "--seed", "5", "--runs", tmp_path)
    assert code == 0, pair
    broken, canonical = pair["broken"], pair["canonical"]
    assert all(broken["coverage"].values())
    assert all(canonical["coverage"].values())
    assert pair["same_faults"]
    assert Records(Path(broken["run_dir"])).truth() == Records(Path(canonical["run_dir"])).truth()
    for outcome in (broken, canonical):
        assert verify(Path(outcome["run_dir"])).verdict == outcome["verdict"]
    assert broken["violations"]["by_rule"] == {"double_charge": 15}
    assert (broken["metrics"]["charges"], canonical["metrics"]["charges"]) == (55, 40)
    assert (canonical["verdict"], canonical["metrics"]["replayed"], canonical["metrics"]["told_busy"]) == ("PASS", 15, 5)


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
    assert rules["look, then write"] == {"double_charge": 5}
    assert rules["no retries"] == {"outcome_unknown": 15}
