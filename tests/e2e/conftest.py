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
    """Under nohup SIGHUP is ignored, in the background of a script SIGINT; whatever is started here would inherit that, and could not be

    tried with a closed terminal or an interrupt."""
    for number, handler in ((signal.SIGHUP, signal.SIG_DFL), (signal.SIGINT, signal.default_int_handler)):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, handler)
