"""Two real banks in this process, called directly, and a process that is none: its failpoints are functions, its trace a list."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from cluster.core.errors import Undecided
from scenarios.kit.bank import Bank
from scenarios.kit.bankbook import Bankbook
from scenarios.kit.calls import Answer
from scenarios.kit.ledger import Ledger

PARTS = {"banka": {"account": "A1", "cents": -30}, "bankb": {"account": "B1", "cents": 30}}


class Killed(Exception):
    """At a failpoint: nothing that comes after it in this coordinator happens."""


class DirectCaller:
    """A `Caller` without a connection. `deaf`: it is asked and acts, and no answer comes back."""

    def __init__(self, bank: Bank) -> None:
        self._bank = bank
        self.deaf = False

    async def call(self, method: str, **args: Any) -> Answer:
        status, body = await getattr(self._bank, method)(args)
        if self.deaf:
            raise Undecided("no answer")
        return Answer(0, status, body)

    insist = call


class SomeProcess:
    """`at`: failpoint -> what happens there."""

    name = "c1"

    def __init__(self, at: dict[str, Callable[[], Awaitable[None]]] | None = None) -> None:
        self._at = at or {}
        self.events: list[tuple[str, str]] = []

    def trace(self, event: str, *, txn: str, **_fields: Any) -> None:
        self.events.append((event, txn))

    async def failpoint(self, event: str, *, txn: str) -> None:
        self.trace(event, txn=txn)
        if event in self._at:
            await self._at[event]()


async def die() -> None:
    raise Killed


class _Over(Exception):
    pass


class Scene:
    def __init__(self, root: Path, tasks: asyncio.TaskGroup) -> None:
        self.books = {bank: Bankbook(str(root / f"{bank}.sqlite"), {f"{bank[-1].upper()}{n}": 100 for n in (1, 2)}) for bank in PARTS}
        ledgers = {bank: Ledger.open(root / "ledger" / f"{bank}.jsonl", tasks) for bank in PARTS}
        self.peers = {bank: DirectCaller(Bank(book, ledgers[bank], 30.0)) for bank, book in self.books.items()}

    def states(self, txn: str) -> tuple[str, ...]:
        return tuple(book.state(txn) for book in self.books.values())

    def balances(self) -> tuple[int | None, ...]:
        """Of A1 and B1."""
        return self.books["banka"].balance("A1"), self.books["bankb"].balance("B1")


@asynccontextmanager
async def two_banks(root: Path) -> AsyncIterator[Scene]:
    try:
        async with asyncio.TaskGroup() as tasks:
            scene = Scene(root, tasks)
            yield scene
            raise _Over
    except* _Over:
        for book in scene.books.values():
            book.close()
