"""`faultline compile`, for real: a C compiler makes the hot path, and what runs then plays what the sources play."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from cluster import native

EACH_THIRD = True  # of the slow tests: what is compiled must not drift away from what is tried every day
pytestmark = [
    pytest.mark.slow,
    pytest.mark.processes,
    pytest.mark.timeout(900),
    pytest.mark.xdist_group("compile"),  # it is compiled once
    pytest.mark.skipif(shutil.which("cc") is None and shutil.which("gcc") is None, reason="no C compiler"),
    pytest.mark.skipif(not (Path(sysconfig.get_path("include")) / "Python.h").is_file(), reason="no headers of Python"),
]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compiled here, once for these tests."""
    place = tmp_path_factory.mktemp("native") / "made"
    done = faultline(place, "compile", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["modules"] == len(native.MODULES)
    assert report["path"] == str(place)
    left = {path.name for path in place.parent.iterdir()}
    assert left == {"made", "tools", "tools.lock"}  # and nothing of the work
    return place


def faultline(place: Path | str, *args: str, cwd: Path = native.ROOT) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, native.SWITCH: str(place), "PYTHONPATH": str(native.ROOT)}
    return subprocess.run([sys.executable, "-P", "-m", "tui", *args], env=environ, cwd=cwd, capture_output=True, text=True, check=False)


def sim(place: Path | str, cwd: Path, *args: str) -> Any:
    report = json.loads(faultline(place, "sim", "--json", *args, cwd=cwd).stdout)
    return {name: value for name, value in report.items() if name not in ("wall_s", "cpu_s") and not name.endswith("_per_s")}


def test_sweeps_are_the_same_compiled_or_not(place: Path, tmp_path: Path) -> None:
    compiled, sources = sim(place, tmp_path, "--seeds", "300..339"), sim("0", tmp_path, "--seeds", "300..339")
    assert compiled == sources
    assert compiled["seeds"] == 40
    assert compiled["violations"] == []


def test_mistakes_are_found_the_same_compiled_or_not(place: Path, tmp_path: Path) -> None:
    for mistake in ("ack_before_fsync", "credit_acks_to_wrong_follower"):
        asked = ("--break", mistake, "--seeds", "0..19", "--stop", "1")
        compiled, sources = sim(place, tmp_path, *asked), sim("0", tmp_path, *asked)
        assert compiled == sources
        assert compiled["violations"]


def test_a_cluster_of_processes_runs_compiled(place: Path, tmp_path: Path) -> None:
    done = faultline(place, "live", "--headless", "--for", "4s", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["linearizable"] is True
    assert report["leaders"]
    assert set(report["invariants"]["states"].values()) == {"ok"}


def test_the_machines_tests_hold_for_what_is_compiled(place: Path) -> None:
    """All but those that take the inside of a module apart."""
    environ = {**os.environ, native.SWITCH: str(place), "PYTHONPATH": str(native.ROOT)}
    command = [sys.executable, "-P", "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/cluster/core", "tests/cluster/check"]
    done = subprocess.run(command, env=environ, cwd=native.ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4_000:]


def test_a_changed_source_is_used_again_and_doctor_says_so(place: Path, tmp_path: Path) -> None:
    copy = tmp_path / "made"
    shutil.copytree(place, copy)
    manifest = copy / native.MANIFEST
    manifest.write_text(manifest.read_text().replace("source cluster.core.raft.log ", "source cluster.core.raft.log 0"))
    findings = {finding["what"]: finding for finding in json.loads(faultline(copy, "doctor", "--json").stdout)}
    assert "not used" in findings["hot path"]["detail"]
    findings = {finding["what"]: finding for finding in json.loads(faultline(place, "doctor", "--json").stdout)}
    assert findings["hot path"]["state"] == "ok"


def test_taking_it_away_leaves_the_sources(place: Path, tmp_path: Path) -> None:
    copy = tmp_path / "made"
    shutil.copytree(place, copy)
    assert faultline(copy, "compile", "--remove").returncode == 0
    assert not copy.exists()
    assert "none" in faultline(copy, "compile", "--remove").stderr
