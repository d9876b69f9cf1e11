"""Real labs and run directories for tests from end to end."""

from __future__ import annotations

import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.cluster.supervisor.labs import Labs


@pytest.fixture
async def labs() -> AsyncIterator[Labs]:
    labs = Labs()
    yield labs
    await labs.close()


@pytest.fixture
def runtime() -> Iterator[Path]:
    """Where this test's run directories go: short, for the sake of Unix sockets."""
    path = Path(tempfile.mkdtemp(prefix="fl-", dir="/tmp"))
    yield path
    shutil.rmtree(path)


def pytest_configure() -> None:
    """Under nohup SIGHUP is ignored, and whatever is started here would inherit that: a closed terminal could not be tried."""
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
