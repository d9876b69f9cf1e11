"""The stock sells to whoever asks, writes it all down, and says when a unit went while somebody took it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from scenarios.kit.calls import OK
from scenarios.kit.inventory import GONE, Inventory
from scenarios.kit.ledger import Ledger
from scenarios.records import Records


class Over(Exception):
    pass


async def test_what_it_is_told_is_in_the_book_and_what_is_sold_is_not_offered(tmp_path: Path) -> None:
    with pytest.RaisesGroup(Over):
        async with asyncio.TaskGroup() as tasks:
            stock = Inventory(1, 2, Ledger.open(tmp_path / "ledger" / "inventory.jsonl", tasks))
            mine = {"unit": "sku1.u1", "owner": "w1/1/1", "purchase": "p-1"}
            assert (await stock.held(mine))[0] == OK
            assert (await stock.stock({"sku": "sku1"}))[1] == {"units": ["sku1.u1", "sku1.u2"]}
            assert (await stock.sell(mine))[0] == OK
            assert (await stock.stock({"sku": "sku1"}))[1] == {"units": ["sku1.u2"]}
            assert (await stock.held({**mine, "owner": "w2/2/1"}))[0] == GONE
            assert (await stock.sell({**mine, "owner": "w2/2/1"}))[0] == OK
            await stock.refuse({"sku": "sku1", "purchase": "p-2"})
            with pytest.raises(AssertionError):
                await stock.end({**mine, "how": "forgotten"})
            raise Over
    assert [line["kind"] for line in Records(tmp_path).ledger("inventory")] == ["held", "sold", "sold", "refused"]
