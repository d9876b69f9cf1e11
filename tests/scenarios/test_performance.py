"""A process that a fault kills comes back as a new one, with what the old one had on disk; the run goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from scenarios.records import Records

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.processes
@pytest.mark.timeout(120)
def test_a_killed_worker_comes_back_and_finishes(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "tests.scenarios.killed_worker", str(tmp_path)],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    records = Records(Path(done.stdout))
    lives = [line for line in records.supervisor() if line["process"] == "w1" and line["event"] in ("started", "exited")]
    assert [line["event"] for line in lives[:3]] == ["started", "exited", "started"]
    assert lives[1]["status"] == -signal.SIGKILL
    assert lives[0]["pid"] != lives[2]["pid"]
    assert [(line["do"], line["phase"]) for line in records.faults()] == [("kill", "landed"), ("kill", "ended")]
    # The locks of the dead expired, and every order was charged once, by somebody.
    charged = [line["order"] for line in records.ledger("payd") if line["kind"] == "charged"]
    assert sorted(charged) == sorted(order["id"] for order in records.truth()["workload"])
    assert {line["process"] for line in records.trace("w1", "lock.acquired")} == {"w1"}
    assert records.all_done()
