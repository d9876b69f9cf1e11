"""A sweep that is ended: after Ctrl-C what was played until then is told, failures are written; no player is ever left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.e2e.fronts import environment

pytestmark = [pytest.mark.processes]

INTERRUPTED = 130
ENVIRONMENT = 4
WITHIN_S = 45.0
ENDINGS = {
    "killed": (signal.SIGKILL,),
    "interrupted twice": (signal.SIGINT, signal.SIGINT),
}


def _interrupted(runtime: Path, folder: Path, *arguments: str) -> tuple[int, dict[str, object], str]:
    """A sweep that has found something, interrupted as a terminal does it: with all of its processes."""
    command = [sys.executable, "-P", "-m", "tui", "sim", "--json", "--stop", "0", "--seeds", "0..9999999", *arguments]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, cwd=folder, env=environment(runtime), stdout=pipe, stderr=pipe, text=True, start_new_session=True
    ) as sweep:
        assert sweep.stderr is not None
        assert "seeds," in sweep.stderr.readline()  # the first line of progress
        players = psutil.Process(sweep.pid).children(recursive=True)
        os.killpg(sweep.pid, signal.SIGINT)
        out, err = sweep.communicate(timeout=WITHIN_S)
    _, alive = psutil.wait_procs(players, timeout=WITHIN_S)
    assert not alive
    return sweep.returncode, json.loads(out), err


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_what_was_played_until_then_is_told(runtime: Path, tmp_path: Path, jobs: str) -> None:
    code, report, err = _interrupted(runtime, tmp_path, "--jobs", jobs)
    assert code == INTERRUPTED
    assert report["interrupted"] is True
    assert report["verdict"] == "good"
    assert isinstance(report["seeds"], int)
    assert report["seeds"] > 0
    assert err.splitlines()[-1].startswith(f"faultline: interrupted after {report['seeds']:,} of 10,000,000 seeds")
    assert "Traceback" not in err


def test_failures_found_until_then_are_written(runtime: Path, tmp_path: Path) -> None:
    code, report, _ = _interrupted(runtime, tmp_path, "--break", "credit_acks_to_wrong_follower")
    assert code == INTERRUPTED
    assert report["verdict"] == "violated"
    found = report["violations"]
    assert isinstance(found, list)
    assert len(found) > 1
    assert all((tmp_path / violation["repro"]).is_file() for violation in found)


@pytest.mark.parametrize("ending", ENDINGS)
def test_no_player_outlives_its_sweep(runtime: Path, tmp_path: Path, ending: str) -> None:
    command = [sys.executable, "-P", "-m", "tui", "sim", "--jobs", "2", "--seeds", "0..9999999"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment(runtime), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as sweep:
        assert sweep.stderr is not None
        assert "seeds," in sweep.stderr.readline()
        players = psutil.Process(sweep.pid).children(recursive=True)
        assert len(players) >= 2
        first, *more = ENDINGS[ending]
        sweep.send_signal(first)
        for another in more:
            # From here on nothing is left to do but to be rid of the players.
            assert any(line.startswith("faultline: interrupted") for line in sweep.stderr)
            sweep.send_signal(another)
        _, alive = psutil.wait_procs(players, timeout=WITHIN_S)
        for player in alive:
            player.kill()
        assert not alive


def test_a_player_that_was_killed_is_no_violation(runtime: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-P", "-m", "tui", "sim", "--json", "--jobs", "2", "--seeds", "0..9999999"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=tmp_path, env=environment(runtime), stdout=pipe, stderr=pipe, text=True) as sweep:
        assert sweep.stderr is not None
        assert "seeds," in sweep.stderr.readline()
        players = [one for one in psutil.Process(sweep.pid).children() if "--multiprocessing-fork" in one.cmdline()]
        players[0].kill()
        out, err = sweep.communicate(timeout=WITHIN_S)
    report = json.loads(out)
    assert sweep.returncode == ENVIRONMENT
    assert report["interrupted"] is True
    assert report["seeds"] > 0
    assert err.splitlines()[-1].startswith("faultline: a process that played seeds was ended from outside: interrupted after")
    assert "Traceback" not in err
    _, alive = psutil.wait_procs(players, timeout=WITHIN_S)
    assert not alive
