"""Real labs and run directories for tests from end to end."""

from __future__ import annotations

import shutil
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
