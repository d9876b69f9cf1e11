"""What each variant and each half of the cure does is told apart by the rules that it breaks, not by FAIL alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cluster.backends.etcd.real import needs_etcd
from tests.scenarios.faultline_runs import faultline
from tests.scenarios.real_runs import RealRuns

pytestmark = [pytest.mark.processes, pytest.mark.slow, pytest.mark.timeout(400)]

SLUG = "2pc-in-doubt"
IN_DOUBT = 5


def test_until_the_coordinator_is_back_nobody_pays_and_few_move(real_runs: RealRuns) -> None:
    broken, canonical = (real_runs.pair(SLUG)[variant] for variant in ("broken", "canonical"))
    assert broken["violations"]["by_rule"].keys() == {"in_doubt"}
    assert broken["metrics"]["longest_in_doubt_ms"] > 8_000
    assert broken["metrics"]["turned_away"] > 100 > 0 == canonical["metrics"]["turned_away"]
    assert broken["metrics"]["gave_up_waiting"] > canonical["metrics"]["gave_up_waiting"]
    assert canonical["metrics"]["committed"] > 2 * broken["metrics"]["committed"]


def test_wrong_guesses_tear_and_keep_nobody_waiting(real_runs: RealRuns) -> None:
    rules = {name: case["outcome"]["violations"]["by_rule"] for name, case in real_runs.cases(SLUG).items()}
    assert rules["participants that give up, and guess wrong"] == {"torn": IN_DOUBT, "sum": 1}
    assert rules["a stand-in that cannot read the log, after a decision"] == {"torn": IN_DOUBT, "sum": 1}
    assert rules["one lock for a bank"] == {"in_doubt": 1}
    assert rules["a replicated log, and nobody to read it"].keys() == rules["less patience for locks"].keys() == {"in_doubt"}


@needs_etcd
def test_decisions_in_an_etcd_that_is_installed_are_found_as_soon(tmp_path: Path) -> None:
    code, outcome = faultline("run", SLUG, "--variant", "canonical", "--backend", "kv=etcd", "--runs", tmp_path)
    assert (code, outcome["verdict"]) == (0, "PASS"), outcome
    assert all(outcome["coverage"].values())
