"""The incident for real: ten seconds without a write, then none without one; and without its faults or its writers it proves nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from scenarios.commission import Asked, Commission
from scenarios.judging import verify
from scenarios.records import Records
from scenarios.seat import RunSession
from tests.scenarios.faultline_runs import faultline
from tests.scenarios.test_seat import watch

pytestmark = [pytest.mark.processes, pytest.mark.slow, pytest.mark.timeout(300)]

SLUG = "election-storm"


def test_pair_shows_ten_seconds_without_a_write_and_then_none(tmp_path: Path) -> None:
    code, pair = faultline("pair", SLUG, "--seed", "5", "--runs", tmp_path)
    assert code == 0, pair
    broken, canonical = pair["broken"], pair["canonical"]
    assert set(broken["violations"]["by_rule"]) == {"no_write"}
    assert broken["violations"]["count"] >= 18
    assert broken["metrics"]["terms"] > 50
    assert (canonical["verdict"], canonical["violations"]["count"]) == ("PASS", 0)
    assert all(broken["coverage"].values())
    assert all(canonical["coverage"].values())
    assert pair["same_faults"]
    for outcome in (broken, canonical):
        assert verify(Path(outcome["run_dir"])).verdict == outcome["verdict"]
        _five_nodes_of_their_own(Path(outcome["run_dir"]))


def _five_nodes_of_their_own(run_dir: Path) -> None:
    """Processes with a number each, and none of them left."""
    pids = {line["process"]: line["pid"] for line in Records(run_dir).supervisor() if line["event"] == "started"}
    nodes = {pids[f"kv{i}"] for i in range(1, 6)}
    assert len(nodes) == 5
    assert not any(os.path.exists(f"/proc/{pid}") and b"faultline" in Path(f"/proc/{pid}/cmdline").read_bytes() for pid in nodes)


@pytest.mark.parametrize(("variant", "without"), [("canonical", "faults"), ("broken", "workload")])
def test_for_nothing_it_proves_nothing(tmp_path: Path, variant: str, without: str) -> None:
    code, outcome = faultline("run", SLUG, "--variant", variant, "--without", without, "--runs", tmp_path)
    assert (code, outcome["verdict"]) == (3, "VACUOUS")


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


def test_what_follows_from_the_mechanism_does_follow(tmp_path: Path) -> None:
    code, document = faultline("meta", SLUG, "--runs", tmp_path)
    assert code == 0, document
    assert all(case["good"] for case in document["cases"])
