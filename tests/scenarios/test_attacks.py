"""What somebody may do to a run from outside: each time it answers with one clear line, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.supervisor.labs import Watched, children_of
from tests.scenarios.faultline_runs import ROOT

pytestmark = [pytest.mark.processes, pytest.mark.timeout(120)]

GARBAGE = (b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 64, b"\x7f\xff\xff\xff", b"\x00\x00\x00\x02\x92\xa5", b"")


class Run:
    """A run that goes on: w1 stands still. `pid` is the runner's; below it the zygote, and below that the rest, by their command."""

    def __init__(self, process: subprocess.Popen[str], base: Path) -> None:
        self.process = process
        self.pid = process.pid
        (self.zygote,) = children_of(process.pid)
        self.below = children_of(self.zygote)
        (self.work,) = (base / f"faultline-{os.getuid()}-incidents").iterdir()
        self._family = Watched([self.zygote, *self.below])

    def server(self) -> int:
        return next(pid for pid in self.below if "valkey" in Path(f"/proc/{pid}/cmdline").read_text())

    def ends(self) -> tuple[int, Any]:
        """Exit code and document; nothing is left of it, not even its private directory."""
        with closing(self._family) as family:
            said, _ = self.process.communicate()
            assert family.still_there() == []
        assert not self.work.exists()
        return self.process.returncode, json.loads(said)


@contextmanager
def running(runs: Path, *more: str) -> Iterator[subprocess.Popen[str]]:
    with tempfile.TemporaryDirectory(prefix="fl-", dir="/tmp") as base:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": base}
        environment.pop("XDG_RUNTIME_DIR", None)
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "tests.scenarios.until_stopped", str(runs), *more],
            cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            yield process
        finally:
            process.kill()
            process.communicate()


@contextmanager
def standing(runs: Path) -> Iterator[Run]:
    """A run in which w1 stands still."""
    with running(runs) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "w1\n"
        args = Path(f"/proc/{process.pid}/environ").read_bytes().split(b"\0")
        base = next(part for part in args if part.startswith(b"TMPDIR=")).decode().partition("=")[2]
        yield Run(process, Path(base))


def test_a_killed_zygote_is_told_and_takes_all_with_it(tmp_path: Path) -> None:
    with standing(tmp_path) as run:
        os.kill(run.zygote, signal.SIGKILL)
        code, outcome = run.ends()
    assert (code, outcome["verdict"], outcome["why"]) == (4, "ERROR", "the zygote is gone")


def test_a_killed_server_is_told_by_name_and_signal(tmp_path: Path) -> None:
    with standing(tmp_path) as run:
        os.kill(run.server(), signal.SIGKILL)
        code, outcome = run.ends()
    assert (code, outcome["verdict"]) == (4, "ERROR")
    assert outcome["why"] == "redis was ended by SIGKILL, and no fault asked for it"


@pytest.mark.slow
def test_a_zygote_that_stands_still_does_not_hold_up_the_end(tmp_path: Path) -> None:
    with standing(tmp_path) as run:
        os.kill(run.zygote, signal.SIGSTOP)
        code, outcome = run.ends()
    assert (code, outcome["verdict"], outcome["why"]) == (4, "ERROR", "a process of the run did not leave when it was told to")


@pytest.mark.slow
def test_a_runner_that_stood_still_goes_on(tmp_path: Path) -> None:
    with standing(tmp_path) as run:
        os.kill(run.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, run.pid, os.WSTOPPED | os.WNOWAIT)
        os.kill(run.pid, signal.SIGCONT)
        code, outcome = run.ends()
    assert (code, outcome["verdict"], outcome["violations"]["count"]) == (1, "FAIL", 10)


@pytest.mark.slow
def test_garbage_on_its_sockets_is_nobodys_word(tmp_path: Path) -> None:
    with standing(tmp_path) as run:
        for name in ("control.sock", "seat.sock"):
            for garbage in GARBAGE:
                with socket.socket(socket.AF_UNIX) as stranger:
                    stranger.connect(str(run.work / name))
                    stranger.sendall(garbage)
        code, outcome = run.ends()
    assert (code, outcome["verdict"], outcome["violations"]["count"]) == (1, "FAIL", 10)


@pytest.mark.slow
def test_two_at_once_keep_out_of_each_others_way(tmp_path: Path) -> None:
    with standing(tmp_path) as one, standing(tmp_path) as other:
        ended = [run.ends() for run in (one, other)]
    assert [(code, outcome["violations"]["count"]) for code, outcome in ended] == [(1, 10), (1, 10)]
    assert len({outcome["run_dir"] for _, outcome in ended}) == 2


@pytest.mark.parametrize(
    ("log", "after"),
    [
        ("phases", 2),
        ("faults", 0),
        pytest.param("supervisor", 7, marks=pytest.mark.slow),
        pytest.param("phases", 3, marks=pytest.mark.slow),
    ],
)
def test_a_disk_that_is_full_ends_the_run_in_order(tmp_path: Path, log: str, after: int) -> None:
    """The runner's own records: at the start, in a callback that nobody waits for, and at the very end."""
    with running(tmp_path, log, str(after)) as process:
        said, complained = process.communicate()
    assert (process.returncode, complained) == (4, ""), said
    outcome = json.loads(said[said.index("{") :])
    assert outcome["verdict"] == "ERROR"
    assert outcome["why"] == f"cannot write {outcome['run_dir']}/{log}.jsonl: No space left on device"


def test_records_that_have_no_place_are_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with running(tmp_path / "file" / "runs") as process:
        said, complained = process.communicate()
    assert (process.returncode, said) == (4, "")
    assert complained == f"faultline: {tmp_path / 'file' / 'runs'}: Not a directory\n"


@pytest.mark.slow
def test_records_that_somebody_removes_are_missed(tmp_path: Path) -> None:
    with standing(tmp_path) as run:
        (run_dir,) = tmp_path.iterdir()
        shutil.rmtree(run_dir)
        said, complained = run.process.communicate()
    assert (run.process.returncode, said) == (4, "")
    assert complained.splitlines()[-1] == f"faultline: {run_dir}/params.json: is missing"


def test_an_interrupted_run_cannot_be_verified(tmp_path: Path) -> None:
    with standing(tmp_path) as run:
        run.process.send_signal(signal.SIGINT)
        said, complained = run.process.communicate()
        assert (run.process.returncode, said, complained.strip()) == (130, "", "")
    (run_dir,) = tmp_path.iterdir()
    done = subprocess.run(
        [sys.executable, "-P", "-m", "tui", "verify", str(run_dir)],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"faultline: {run_dir} is not the directory of a finished run: it has no verdict.json\n"
