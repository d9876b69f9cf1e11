"""The incident for real, beyond what holds of every incident: a race of terms, then none; and an end of it by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenarios.commission import Asked, Commission
from scenarios.records import Records
from scenarios.seat import RunSession
from tests.scenarios.real_runs import RealRuns
from tests.scenarios.test_seat import watch

pytestmark = [pytest.mark.processes, pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.xdist_group("election-storm")]

SLUG = "election-storm"


def test_terms_race_for_ten_seconds_and_then_nobody_calls_an_election(real_runs: RealRuns) -> None:
    broken, canonical = (real_runs.outcome(SLUG, variant) for variant in ("broken", "canonical"))
    assert set(broken.violations.by_rule) == {"no_write"}
    assert broken.metrics["terms"] > 50
    assert broken.metrics["answered"] < 20
    assert canonical.metrics["terms"] <= 1
    assert canonical.metrics["answered"] > 50
    for outcome in (broken, canonical):
        started = [line for line in Records(Path(outcome.run_dir)).supervisor() if line["event"] == "started"]
        assert len({line["pid"] for line in started if line["process"] in ("kv1", "kv2", "kv3", "kv4", "kv5")}) == 5


async def test_timers_that_are_set_right_by_hand_end_the_storm(tmp_path: Path) -> None:
    """The drill's right action, while the flap goes on: other timers, node by node as each hears of them."""
    session = await RunSession.open(Commission(SLUG, Asked("broken", seed=5), str(tmp_path)))
    scene = await watch(session, lambda scene: any(fault.do == "slow" and fault.ms == 10_000 for fault in scene.faults))
    for order in ("set election_ms 300", "set spread wide", "set heartbeat T/3"):
        session.ask(order)
    scene = await watch(session, scene=scene)
    await session.close()
    assert scene.outcome is not None
    assert scene.outcome.by_hand == ("set election_ms=300", "set spread=wide", "set heartbeat=T/3")
    assert scene.outcome.metrics["no_write_s"] < 5
    assert scene.outcome.metrics["answered"] > 50
