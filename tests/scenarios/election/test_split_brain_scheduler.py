"""The incident for real: a campaign reaches everybody twice, then once."""

from __future__ import annotations

import pytest

from tests.scenarios.real_runs import RealRuns

pytestmark = [pytest.mark.processes, pytest.mark.slow, pytest.mark.timeout(400)]

SLUG = "split-brain-scheduler"


def test_pair_mails_the_campaign_twice_and_then_once(real_runs: RealRuns) -> None:
    pair = real_runs.pair(SLUG)
    broken, canonical = pair["broken"], pair["canonical"]
    assert (broken["verdict"], canonical["verdict"], canonical["violations"]["count"]) == ("FAIL", "PASS", 0)
    assert broken["violations"]["by_rule"]["mailed_twice"] >= 2_000
    assert canonical["metrics"]["mails"] == 2_019
    assert canonical["metrics"]["rejections"] >= 1


def test_what_follows_from_the_mechanism_does_follow(real_runs: RealRuns) -> None:
    cases = real_runs.cases(SLUG)
    rules = {name: case["outcome"]["violations"]["by_rule"] for name, case in cases.items()}
    assert rules["a quorum without fencing"] == {"mailed_twice": 1}
    assert rules["a lock that the replica must confirm"] == {"mailed_twice": 1}
    assert rules["a quorum and fencing, without a look at what was done"] == {"mailed_twice": 1}
