"""The incident for real: 25 payments are reported and never made, then none; and a broad key loses in its own way."""

from __future__ import annotations

import pytest

from tests.scenarios.real_runs import RealRuns

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]

SLUG = "idempotency-key-collision"


@pytest.mark.slow
def test_pair_loses_twenty_five_payments_and_then_none(real_runs: RealRuns) -> None:
    pair = real_runs.pair(SLUG)
    broken, canonical = pair["broken"], pair["canonical"]
    assert broken["violations"]["by_rule"] == {"silently_lost": 25}
    assert (broken["metrics"]["told_ok"], broken["metrics"]["missing_cents"], broken["metrics"]["replays"]) == (45, 5_700_00, 31)
    assert (canonical["verdict"], canonical["metrics"]["charges"], canonical["metrics"]["replays"]) == ("PASS", 45, 6)


@pytest.mark.slow
def test_what_follows_from_the_mechanism_does_follow(real_runs: RealRuns) -> None:
    cases = real_runs.cases(SLUG)
    rules = {name: case["outcome"]["violations"]["by_rule"] for name, case in cases.items()}
    assert rules["user, amount and recipient"] == {"silently_lost": 5}
    assert rules["fingerprints with the broad key"] == {"silently_lost": 5, "loudly_refused": 20}
    assert rules["no memory at all"] == rules["a key that is forgotten too soon"] == {"double_charge": 6}
