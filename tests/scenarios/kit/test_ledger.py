"""What a ledger writes, the records read back whole; a line is durable before its writer goes on."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from scenarios.kit.ledger import Ledger
from scenarios.records import Records


class Over(Exception):
    pass


async def test_lines_are_chained_and_there_when_append_returns(tmp_path: Path) -> None:
    with pytest.RaisesGroup(Over):
        async with asyncio.TaskGroup() as tasks:
            ledger = Ledger.open(tmp_path / "ledger" / "payd.jsonl", tasks)
            await ledger.append("charged", order="a")
            assert [line["order"] for line in Records(tmp_path).ledger("payd")] == ["a"]
            await asyncio.gather(*(ledger.append("charged", order=name) for name in "bcd"))
            raise Over
    lines = Records(tmp_path).ledger("payd")
    assert [(line["seq"], line["kind"], line["order"]) for line in lines] == [(i, "charged", name) for i, name in enumerate("abcd")]


async def test_a_second_life_goes_on_where_the_book_ends(tmp_path: Path) -> None:
    path = tmp_path / "ledger" / "payd.jsonl"
    for order in ("a", "b"):
        with pytest.RaisesGroup(Over):
            async with asyncio.TaskGroup() as tasks:
                await Ledger.open(path, tasks).append("charged", order=order)
                raise Over
        with path.open("ab") as book:
            book.write(b'{"half": "a li')
    with pytest.RaisesGroup(Over):
        async with asyncio.TaskGroup() as tasks:
            await Ledger.open(path, tasks).append("charged", order="c")
            raise Over
    assert [(line["seq"], line["order"]) for line in Records(tmp_path).ledger("payd")] == [(0, "a"), (1, "b"), (2, "c")]
