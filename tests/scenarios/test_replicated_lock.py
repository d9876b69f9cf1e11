"""A replica that follows its primary through a proxy: told apart, waited for, cut off by a fault, and gone with the run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from scenarios.judging import read_verdict
from scenarios.links import Link, proxied
from scenarios.records import Records

ROOT = Path(__file__).resolve().parents[2]


def test_a_replica_has_one_proxy_to_each_other_server() -> None:
    (one,) = proxied([Link("redis2", "redis")], {"redis": ("redis1", "redis2")})
    assert (one.name, one.src, one.dst, one.rank) == ("x1", "redis2", "redis1", 0)


@pytest.mark.processes
@pytest.mark.timeout(120)
def test_the_replica_follows_through_the_proxy_and_the_cut_lands_on_it(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "tests.scenarios.replicated_lock", str(tmp_path)],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    run_dir = Path(done.stdout)
    assert read_verdict(run_dir).outcome.verdict == "FAIL"
    records = Records(run_dir)
    started = [line["process"] for line in records.supervisor() if line["event"] == "started"]
    assert started[:3] == ["x1", "redis1", "redis2"]
    cut = [line["phase"] for line in records.faults() if line["do"] == "cut"]
    assert cut == ["landed", "ended"]
    # By the servers' own logs: what the replica connects to is the proxy, not the port that the primary listens at.
    primary, replica = ((run_dir / "log" / f"redis{i}.log").read_text() for i in (1, 2))
    (own,) = re.findall(r"Running mode=standalone, port=(\d+)", primary)
    followed = set(re.findall(r"Connecting to (?:PRIMARY|MASTER) 127\.0\.0\.1:(\d+)", replica))
    assert len(followed) == 1
    assert own not in followed
