"""Real labs for tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.cluster.supervisor.labs import Labs


@pytest.fixture
async def labs() -> AsyncIterator[Labs]:
    labs = Labs()
    yield labs
    await labs.close()
