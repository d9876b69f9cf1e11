"""Seeds on the workers of a real scheduler: the same outcomes as here, whoever dies on the way."""

from __future__ import annotations

import os
import queue
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from distributed import Client

from cluster.core.errors import EnvironmentFailed, UsageError
from cluster.farm import SCHEME, machines
from cluster.sim.setup import Setup
from cluster.sweep import Totals, sweep
from tests.architecture.source import CHECKOUT

SEEDS = 120
SMALL = Setup(seed=0, steps=1_500)
DEADLINE_S = 40
_SCHEDULER = ("distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--no-show")
_WORKER = ("distributed.cli.dask_worker", "--host", "127.0.0.1", "--nthreads", "1", "--no-nanny", "--no-dashboard")


class Farm:
    """A scheduler and workers, each a process of its own."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        self._stack, self._folder = stack, folder
        self.workers: dict[str, subprocess.Popen[str]] = {}  # by name
        _, self.tcp = self._start(_SCHEDULER, r"Scheduler at:\s+(tcp://\S+)")
        self.address = self.tcp.replace("tcp://", SCHEME)

    def add_worker(self, name: str) -> None:
        options = ("--name", name, "--local-directory", str(self._folder))
        self.workers[name], _ = self._start((*_WORKER, *options, self.tcp), r"Registered to:\s+(tcp://\S+)")

    def _start(self, command: tuple[str, ...], sign: str) -> tuple[subprocess.Popen[str], str]:
        """A process, and what it says when it is ready."""
        environ = {**os.environ, "PYTHONPATH": str(CHECKOUT), "DASK_CONFIG": str(self._folder)}
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", *command], env=environ, cwd=CHECKOUT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        self._stack.callback(_end, process)
        found: queue.Queue[str] = queue.Queue()
        reader = threading.Thread(target=_listen, args=(process, re.compile(sign), found))
        self._stack.callback(reader.join)
        reader.start()
        self._stack.callback(process.kill)
        return process, found.get(timeout=DEADLINE_S)


def _listen(process: subprocess.Popen[str], sign: re.Pattern[str], found: queue.Queue[str]) -> None:
    """Read to the end: a full pipe would stop the process."""
    assert process.stdout is not None
    for line in process.stdout:
        if match := sign.search(line):
            found.put(match[1])


def _end(process: subprocess.Popen[str]) -> None:
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


@contextmanager
def farm(folder: Path, *workers: str) -> Iterator[Farm]:
    with ExitStack() as stack:
        it = Farm(stack, folder)
        for name in workers:
            it.add_worker(name)
        yield it


def killer_of_one_at_work(here: Farm, after_seeds: int) -> tuple[Callable[[Totals], None], list[int]]:
    """A progress call that kills a worker, by SIGKILL, while it has chunks to play; and how many it had."""
    had: list[int] = []

    def progress(totals: Totals) -> None:
        if had or totals.seeds < after_seeds:
            return
        with Client(here.tcp, set_as_default=False) as client:
            names = {address: worker["name"] for address, worker in client.scheduler_info()["workers"].items()}
            chunks, address = max((len(keys), address) for address, keys in client.processing().items())
        victim = here.workers[names[address]]
        victim.kill()
        victim.wait(DEADLINE_S)
        had.append(chunks)

    return progress, had


@pytest.mark.processes
@pytest.mark.timeout(120)
def test_a_killed_worker_loses_no_seed(tmp_path: Path) -> None:
    with farm(tmp_path, "one", "two") as here:
        progress, had = killer_of_one_at_work(here, after_seeds=8)
        far = sweep(SMALL, 0, SEEDS - 1, machines(here.address), progress=progress)
    assert had
    assert had[0] > 0
    near = sweep(SMALL, 0, SEEDS - 1)
    assert far.seeds == near.seeds == SEEDS
    assert far.trace_hash == near.trace_hash
    assert far.exercised == near.exercised


@pytest.mark.processes
@pytest.mark.timeout(120)
def test_when_no_worker_is_left_the_sweep_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cluster.farm.LONELY_S", 0.2)
    with farm(tmp_path, "only") as here:
        progress, had = killer_of_one_at_work(here, after_seeds=8)
        totals = sweep(SMALL, 0, SEEDS - 1, machines(here.address), progress=progress)
    assert had
    assert "no worker is left" in totals.trouble
    assert totals.interrupted
    assert 8 <= totals.seeds < SEEDS  # what was played before is not lost


@pytest.mark.parametrize("address", ["dask://", "dask://127.0.0.1", "dask://:8786", "dask://127.0.0.1:port", "tcp://127.0.0.1:8786"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(UsageError, match="HOST:PORT"):
        machines(address)


def test_without_a_scheduler_the_reason_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cluster.farm.PATIENCE_S", 0.2)
    with pytest.raises(EnvironmentFailed, match="no scheduler"):
        sweep(SMALL, 0, 3, machines("dask://127.0.0.1:1"))


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(EnvironmentFailed, match="extra `sweep`"):
        sweep(SMALL, 0, 3, machines("dask://127.0.0.1:8786"))
