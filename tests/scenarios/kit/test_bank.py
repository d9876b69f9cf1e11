"""A bank over its book and its ledger: who waits for whom, what a kill kept from the ledger, and what giving up does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from scenarios.kit.bank import BUSY, NO, Bank
from scenarios.kit.bankbook import Bankbook, Prepared
from scenarios.kit.calls import OK
from scenarios.kit.ledger import Ledger
from scenarios.records import Records

ACCOUNTS = {"A1": 100, "A2": 100}
SOON_S = 0.01


class Over(Exception):
    pass


@asynccontextmanager
async def a_bank(root: Path, lock_wait_s: float = 30.0) -> AsyncIterator[tuple[Bank, Bankbook]]:
    book = Bankbook(str(root / "banka.sqlite"), ACCOUNTS)
    try:
        async with asyncio.TaskGroup() as tasks:
            bank = Bank(book, Ledger.open(root / "ledger" / "banka.jsonl", tasks), lock_wait_s)
            await bank.catch_up()
            yield bank, book
            raise Over
    except* Over:
        book.close()


def prepare(txn: str, account: str = "A1", cents: int = -30) -> dict[str, object]:
    return {"txn": txn, "account": account, "cents": cents}


def kinds(root: Path) -> list[tuple[str, str | None]]:
    return [(line["kind"], line.get("txn")) for line in Records(root).ledger("banka")]


async def test_who_waits_for_an_account_gets_it_when_it_is_free(tmp_path: Path) -> None:
    async with a_bank(tmp_path) as (bank, book):
        assert (await bank.prepare(prepare("t1")))[0] == OK
        second = asyncio.create_task(bank.prepare(prepare("t2")))
        move = asyncio.create_task(bank.move({"txn": "m1", "source": "A2", "target": "A1", "cents": 5}))
        await bank.resolve({"txn": "t1", "outcome": "commit", "caller": "c1"})
        assert (await second)[0] == OK
        await bank.resolve({"txn": "t2", "outcome": "abort", "caller": "c1"})
        assert (await move)[0] == OK
        assert (book.balance("A1"), book.balance("A2")) == (75, 95)
    assert kinds(tmp_path) == [
        ("opened", None), ("prepared", "t1"), ("committed", "t1"), ("prepared", "t2"), ("aborted", "t2"), ("moved", "m1"),
    ]  # fmt: skip


async def test_who_waits_too_long_goes(tmp_path: Path) -> None:
    async with a_bank(tmp_path, SOON_S) as (bank, _):
        await bank.prepare(prepare("t1"))
        assert (await bank.prepare(prepare("t2")))[0] == NO
        assert await bank.move({"txn": "m1", "source": "A1", "target": "A2", "cents": 5}) == (BUSY, {"holder": "t1"})
        assert (await bank.prepare(prepare("t2")))[0] == NO  # asked again, it votes the same
        assert (await bank.in_doubt({}))[1] == {"txns": ["t1"]}
    assert kinds(tmp_path) == [("opened", None), ("prepared", "t1"), ("refused", "t2"), ("blocked", "m1")]


async def test_what_was_aborted_while_it_waited_is_not_promised(tmp_path: Path) -> None:
    async with a_bank(tmp_path) as (bank, book):
        await bank.prepare(prepare("t1"))
        late = asyncio.create_task(bank.prepare(prepare("t2")))
        await asyncio.sleep(0)
        await bank.resolve({"txn": "t2", "outcome": "abort", "caller": "c2"})
        await bank.resolve({"txn": "t1", "outcome": "abort", "caller": "c2"})
        assert (await late)[0] == NO
        assert book.in_doubt() == []


async def test_entries_that_a_kill_kept_from_the_ledger_follow(tmp_path: Path) -> None:
    async with a_bank(tmp_path) as (bank, book):
        await bank.prepare(prepare("t1"))
        book.resolve("t1", "commit", "c1")  # and killed before it could say so
    assert kinds(tmp_path) == [("opened", None), ("prepared", "t1")]
    async with a_bank(tmp_path) as (bank, _):
        await bank.prepare(prepare("t2"))
    assert kinds(tmp_path) == [("opened", None), ("prepared", "t1"), ("committed", "t1"), ("prepared", "t2")]


async def test_a_bank_that_gives_up_contradicts_who_decided_otherwise(tmp_path: Path) -> None:
    async with a_bank(tmp_path) as (bank, book):
        await bank.prepare(prepare("t1"))
        giving_up = asyncio.create_task(bank.give_up(SOON_S))
        # It gets the account when the bank has given up.
        assert (await bank.prepare(prepare("t2")))[0] == OK
        giving_up.cancel()
        assert await bank.resolve({"txn": "t1", "outcome": "commit", "caller": "c1"}) == (NO, {"state": "aborted"})
        assert (await bank.resolve({"txn": "t1", "outcome": "abort", "caller": "c1"}))[0] == OK
        assert book.balance("A1") == 100


async def test_a_step_that_is_asked_for_twice_answers_the_same(tmp_path: Path) -> None:
    async with a_bank(tmp_path) as (bank, book):
        part = Prepared("t1", "A1", -60)
        asked = {"txn": part.id, "account": part.account, "cents": part.cents, "step": "take"}
        assert [(await bank.step(asked))[0] for _ in range(2)] == [OK, OK]
        assert [(await bank.step({**asked, "txn": "t2"}))[0] for _ in range(2)] == [NO, NO]
        assert book.balance("A1") == 40
