"""The incident for real: ten seconds without a write, then none without one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from scenarios.commission import Asked, Commission
from scenarios.records import Records
from scenarios.seat import RunSession
from tests.scenarios.real_runs import RealRuns
from tests.scenarios.test_seat import watch

pytestmark = [pytest.mark.processes, pytest.mark.slow, pytest.mark.timeout(300)]

SLUG = "election-storm"


def test_pair_shows_ten_seconds_without_a_write_and_then_none(real_runs: RealRuns) -> None:
    pair = real_runs.pair(SLUG)
    broken, canonical = pair["broken"], pair["canonical"]
    assert set(broken["violations"]["by_rule"]) == {"no_write"}
    assert broken["violations"]["count"] >= 18
    assert broken["metrics"]["terms"] > 50
    assert (canonical["verdict"], canonical["violations"]["count"]) == ("PASS", 0)
    for outcome in (broken, canonical):
        _five_nodes_of_their_own(Path(outcome["run_dir"]))


def _five_nodes_of_their_own(run_dir: Path) -> None:
    """Processes with a number each, and none of them left."""
    pids = {line["process"]: line["pid"] for line in Records(run_dir).supervisor() if line["event"] == "started"}
    nodes = {pids[f"kv{i}"] for i in range(1, 6)}
    assert len(nodes) == 5
    assert not any(os.path.exists(f"/proc/{pid}") and b"faultline" in Path(f"/proc/{pid}/cmdline").read_bytes() for pid in nodes)


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
