"""A run directory, a supervisor's ear, and nodes."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.cluster.node.lab import Nodes, Processes, Supervisor, specs


@pytest.fixture
def run_dir() -> Iterator[Path]:
    """Short, because the path of a Unix socket must be."""
    with tempfile.TemporaryDirectory(prefix="fl-", dir="/tmp") as name:
        yield Path(name)


@pytest.fixture
async def supervisor(run_dir: Path) -> AsyncIterator[Supervisor]:
    supervisor = Supervisor(run_dir / "s")
    await supervisor.open()
    yield supervisor
    await supervisor.close()


@pytest.fixture
async def trio(run_dir: Path, supervisor: Supervisor) -> AsyncIterator[Nodes]:
    """Three voters in this process, started."""
    nodes = Nodes(specs(run_dir, 3))
    for name in nodes.specs:
        nodes.start(name)
    yield nodes
    for name in list(nodes.runs):
        await nodes.stop(name)


@pytest.fixture
def processes(run_dir: Path) -> Iterator[Processes]:
    processes = Processes(run_dir)
    yield processes
    processes.end()
