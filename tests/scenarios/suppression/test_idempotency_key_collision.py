"""The incident for real: 25 payments are reported and never made, then none; and a broad key loses in its own way."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenarios.judging import verify
from scenarios.records import Records
from tests.scenarios.faultline_runs import faultline

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]

SLUG = "idempotency-key-collision"


@pytest.mark.slow
def test_pair_loses_twenty_five_payments_and_then_none(tmp_path: Path) -> None:
    code, pair = faultline("pair", SLUG, "--seed", "5", "--runs", tmp_path)
    assert code == 0, pair
    broken, canonical = pair["broken"], pair["canonical"]
    assert all(broken["coverage"].values())
    assert all(canonical["coverage"].values())
    assert pair["same_faults"]
    assert Records(Path(broken["run_dir"])).truth() == Records(Path(canonical["run_dir"])).truth()
    for outcome in (broken, canonical):
        assert verify(Path(outcome["run_dir"])).verdict == outcome["verdict"]
    assert broken["violations"]["by_rule"] == {"silently_lost": 25}
    assert (broken["metrics"]["told_ok"], broken["metrics"]["missing_cents"], broken["metrics"]["replays"]) == (45, 5_700_00, 31)
    assert (canonical["verdict"], canonical["metrics"]["charges"], canonical["metrics"]["replays"]) == ("PASS", 45, 6)


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
    assert rules["user, amount and recipient"] == {"silently_lost": 5}
    assert rules["fingerprints with the broad key"] == {"silently_lost": 5, "loudly_refused": 20}
    assert rules["no memory at all"] == rules["a key that is forgotten too soon"] == {"double_charge": 6}
