"""The incident for real: a campaign reaches everybody twice, then once; and without the cut and the pause it proves nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenarios.judging import verify
from scenarios.records import Records
from tests.scenarios.faultline_runs import faultline

pytestmark = [pytest.mark.processes, pytest.mark.slow, pytest.mark.timeout(400)]

SLUG = "split-brain-scheduler"


def test_pair_mails_the_campaign_twice_and_then_once(tmp_path: Path) -> None:
    code, pair = faultline("pair", SLUG, "--seed", "5", "--runs", tmp_path)
    assert code == 0, pair
    broken, canonical = pair["broken"], pair["canonical"]
    assert (broken["verdict"], canonical["verdict"], canonical["violations"]["count"]) == ("FAIL", "PASS", 0)
    assert broken["violations"]["by_rule"]["mailed_twice"] >= 2_000
    assert canonical["metrics"]["mails"] == 2_019
    assert canonical["metrics"]["rejections"] >= 1
    assert all(broken["coverage"].values())
    assert all(canonical["coverage"].values())
    assert pair["same_faults"]
    assert Records(Path(broken["run_dir"])).truth() == Records(Path(canonical["run_dir"])).truth()
    for outcome in (broken, canonical):
        assert verify(Path(outcome["run_dir"])).verdict == outcome["verdict"]


@pytest.mark.parametrize(("variant", "without"), [("canonical", "faults"), ("broken", "faults"), ("broken", "workload")])
def test_for_nothing_it_proves_nothing(tmp_path: Path, variant: str, without: str) -> None:
    code, outcome = faultline("run", SLUG, "--variant", variant, "--without", without, "--runs", tmp_path)
    assert (code, outcome["verdict"]) == (3, "VACUOUS")


def test_what_follows_from_the_mechanism_does_follow(tmp_path: Path) -> None:
    code, document = faultline("meta", SLUG, "--runs", tmp_path)
    assert code == 0, document
    cases = {case["name"]: case for case in document["cases"]}
    assert all(case["good"] for case in cases.values())
    rules = {name: case["outcome"]["violations"]["by_rule"] for name, case in cases.items()}
    assert rules["a quorum without fencing"] == {"mailed_twice": 1}
    assert rules["a lock that the replica must confirm"] == {"mailed_twice": 1}
    assert rules["a quorum and fencing, without a look at what was done"] == {"mailed_twice": 1}
