"""The incident for real: broken it fails by ten, cured it passes, and it leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from scenarios.catalog import load
from tests.cluster.backends.etcd.real import etcd_running, needs_etcd
from tests.cluster.supervisor.labs import Watched, children_of, state_of
from tests.scenarios.faultline_runs import ROOT, faultline
from tests.scenarios.real_runs import RealRuns

pytestmark = [pytest.mark.processes, pytest.mark.timeout(180)]

SLUG = "stale-lock-holder"


def test_pair_shows_ten_double_charges_and_then_none(real_runs: RealRuns) -> None:
    pair = real_runs.pair(SLUG)
    broken, canonical = pair["broken"], pair["canonical"]
    assert (broken["verdict"], broken["violations"]["by_rule"]) == ("FAIL", {"duplicate_charge": 10})
    assert (canonical["verdict"], canonical["violations"]["count"]) == ("PASS", 0)
    assert canonical["metrics"]["rejections"] == 10


@pytest.mark.slow
def test_the_commands_about_several_runs_say_what_came_of_them(tmp_path: Path) -> None:
    code, pair = faultline("pair", SLUG, "--runs", tmp_path)
    assert (code, pair["good"], pair["same_faults"]) == (0, True, True)
    assert pair["broken"]["seed"] == pair["canonical"]["seed"] != 0
    code, document = faultline("meta", SLUG, "--runs", tmp_path)
    assert code == 0, document
    assert [case["name"] for case in document["cases"]] == [case.name for case in load(SLUG).play.METAMORPHIC]
    assert all(case["good"] for case in document["cases"])


@pytest.mark.slow
@needs_etcd
def test_the_lock_on_an_etcd_that_was_given_does_as_our_own_does(tmp_path: Path) -> None:
    with etcd_running(tmp_path) as url:
        for fencing, verdict, code, charges in (("off", "FAIL", 1, 20), ("on", "PASS", 0, 10)):
            settings = ("--set", "lock=raft", "--set", f"fencing={fencing}", "--set", "ttl_ms=2000")
            got, outcome = faultline("run", SLUG, *settings, "--backend", f"kv={url}", "--runs", tmp_path / "runs")
            assert (got, outcome["verdict"]) == (code, verdict), outcome
            assert outcome["metrics"]["charges"] == charges
            assert all(outcome["coverage"].values())


def test_a_server_that_does_not_answer_is_the_environments_fault(tmp_path: Path) -> None:
    code, outcome = faultline("run", SLUG, "--backend", "redis=redis://127.0.0.1:1/0", "--runs", tmp_path)
    assert (code, outcome["verdict"]) == (4, "ERROR")
    assert "does not answer" in outcome["why"]


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_runner_that_is_ended_leaves_nothing_behind(tmp_path: Path, signum: signal.Signals) -> None:
    runner = subprocess.Popen(
        [sys.executable, "-P", "-m", "tests.scenarios.until_stopped", str(tmp_path / "runs")],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert runner.stdout is not None
    with runner, closing(runner.stdout) as said:
        assert said.readline() == "w1\n"
        (zygote,) = children_of(runner.pid)
        below = children_of(zygote)
        assert len(below) >= 4  # fraud, payd, w1, the Redis server, and perhaps already w2
        assert "T" in map(state_of, below)
        with closing(Watched([zygote, *below])) as family:
            runner.send_signal(signum)
            assert family.still_there() == []
