"""Mistakes made on purpose turn the lights red from one end to the other: real processes, real clients, the exit code of the run.

Law: each script is also run without the mistake, and then everything is green: the red is the mistake's, not the script's.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

pytestmark = [pytest.mark.processes, pytest.mark.timeout(120)]

ROOT = Path(__file__).resolve().parents[2]
WITHIN_S = 90.0
GOOD, VIOLATION = 0, 1

# The leader's own disk stands still, and it acknowledges all the same, for less than the time after which it would give up.
LOST_DISKS = "at 0.5 disk all hang\nat 0.9 crash all\nat 1.5 heal\n"
# What a leader on the wrong side of a cut does is undone when the cut ends.
# `minority` begins with the leader, and means somebody even while there is none.
# Three times, because clients turn to other keys now and then, and one cut might fall together with that.
CUTS = "".join(f"at {at_s} cut minority | rest for 1s\n" for at_s in (0.5, 2.5, 4.5))


class Run(msgspec.Struct, frozen=True):
    code: int
    report: dict[str, Any]
    said: str


def headless(script: str, *mistakes: str) -> Run:
    breaks = [argument for mistake in mistakes for argument in ("--break", mistake)]
    done = subprocess.run(
        [sys.executable, "-P", "-m", "tui", "live", "--headless", "--json", "--for", "5s", "--rate", "100", "--script", "-", *breaks],
        input=script, capture_output=True, text=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=WITHIN_S, check=False,
    )  # fmt: skip
    assert done.stdout, done.stderr
    return Run(done.returncode, json.loads(done.stdout), done.stderr)


def _states(report: dict[str, Any]) -> set[str]:
    return set(report["invariants"]["states"].values())


@pytest.mark.parametrize("script", [LOST_DISKS, CUTS], ids=["lost disks", "cuts"])
def test_without_a_mistake_the_same_faults_leave_every_light_green(script: str) -> None:
    run = headless(script)
    assert run.code == GOOD, run.said
    assert (run.report["acked_lost"], run.report["linearizable"], _states(run.report)) == (0, True, {"ok"})
    assert run.report["acked"] > 0
    assert run.report["clean_exit"]


def test_acknowledging_before_the_disk_has_it_loses_acknowledged_writes() -> None:
    run = headless(LOST_DISKS, "ack_before_fsync")
    assert run.code == VIOLATION
    assert run.report["acked_lost"] > 0
    assert run.report["mistakes"] == ["ack_before_fsync"]
    assert run.report["clean_exit"]  # the cluster was wrong; the laboratory was not


def test_a_leader_that_asks_nobody_makes_a_history_that_nothing_explains() -> None:
    """It never notices that it is alone, answers writes at once and reads from its own state; then the others' log replaces its own."""
    run = headless(CUTS, "apply_before_commit", "serve_reads_locally", "check_quorum")
    assert run.code == VIOLATION
    assert run.report["linearizable"] is False
    assert run.report["acked_lost"] > 0
    violations = run.report["invariants"]["violations"]
    assert violations
    assert len({(found["light"], found["evidence"]) for found in violations}) == len(violations)  # each is told once
    assert run.report["clean_exit"]
