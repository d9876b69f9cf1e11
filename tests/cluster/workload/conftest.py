"""A shop and a client at its port."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from cluster.workload.connection import Connection
from tests.cluster.workload.shop import SECRET, Shop


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    shop = Shop()
    await shop.open()
    yield shop
    shop.close()


@pytest.fixture
async def client(shop: Shop) -> AsyncIterator[Connection]:
    client = Connection("c1", shop.port, SECRET)
    yield client
    client.close()
