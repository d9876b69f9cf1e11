"""A bench that is killed takes its servers with it, and the next one removes its directory."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tui.bench.rivals.household import Household

_BENCH = """
import time
from tui.bench.rivals.household import Household
house = Household("one", 1)
server = house.spawn("s", ["sleep", "600"])
print(server.pid, house.path, flush=True)
time.sleep(600)
"""


@pytest.fixture(autouse=True)
def _own_base(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with tempfile.TemporaryDirectory(prefix="fl-") as short:  # `tmp_path` is too long for a Unix socket
        monkeypatch.setenv("TMPDIR", short)
        monkeypatch.setattr("tempfile.tempdir", None)
        yield


@pytest.mark.processes
@pytest.mark.skipif(sys.platform != "linux", reason="the death signal is Linux's")
def test_a_killed_bench_leaves_no_server_and_the_next_one_no_directory() -> None:
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    bench = subprocess.Popen([sys.executable, "-P", "-c", _BENCH], stdout=subprocess.PIPE, text=True, env=environment)
    assert bench.stdout is not None
    pid, left = bench.stdout.readline().split()
    server = psutil.Process(int(pid))
    bench.send_signal(signal.SIGKILL)
    bench.wait()
    bench.stdout.close()
    psutil.wait_procs([server], timeout=10)
    assert not server.is_running() or server.status() == psutil.STATUS_ZOMBIE
    assert Path(left).is_dir()
    Household("two", 1).close()
    assert not Path(left).exists()


@pytest.mark.processes
def test_what_was_started_ends_with_the_household() -> None:
    house = Household("one", 1)
    server = house.spawn("s", ["sleep", "600"])
    house.close()
    assert server.returncode is not None
    assert not house.path.exists()
