"""A bank: a participant in transfers that another bank takes part in too, and open for those that it can do alone.

Law 1: between its vote and the outcome it may do neither, and everybody else waits for the account: up to `lock_wait_ms`, then they go.
Law 2: the ledger has every entry of the bank's own log, in its order, before anybody hears of it; what a kill kept from it follows at
the next start.
Law 3: with `heuristic` it breaks law 1: what hears no outcome for so long is aborted, whatever others have done.

Args: `accounts` (how many), `cents` (in each), `lock_scope` (row, table), `lock_wait_ms`, `heuristic` (none, abort), `heuristic_ms`.
"""

from __future__ import annotations

import asyncio
from typing import Any

from scenarios.kit.bankbook import Bankbook, Entry, Outcome, Prepared
from scenarios.kit.calls import OK, serve
from scenarios.kit.ledger import Ledger
from scenarios.kit.process import Process

NO = 409  # it votes against it, or something else was the outcome before
BUSY = 423  # somebody holds the account
HEURISTIC = "heuristic"
Reply = tuple[int, dict[str, Any]]


async def main(process: Process) -> None:
    args = process.args
    accounts = {account_name(process.name, number): args["cents"] for number in range(1, args["accounts"] + 1)}
    book = Bankbook(str(process.work / f"{process.name}.sqlite"), accounts, one_lock=args["lock_scope"] == "table")
    bank = Bank(book, Ledger.open(process.ledger_path, process.tasks), args["lock_wait_ms"] / 1_000)
    await bank.catch_up()
    if args["heuristic"] == "abort":
        process.tasks.create_task(bank.give_up(args["heuristic_ms"] / 1_000))
    methods = {name: getattr(bank, name) for name in ("prepare", "resolve", "in_doubt", "move", "step")}
    await serve(process.socket_of(process.name), methods, process.tasks)
    await process.for_ever()


def account_name(bank: str, number: int) -> str:
    """`A3`: the third account of banka."""
    return f"{bank[-1].upper()}{number}"


def bank_of(account: str) -> str:
    """`banka` for `A3`."""
    return f"bank{account[0].lower()}"


class Bank:
    """Its public methods with `args` are what callers may ask."""

    def __init__(self, book: Bankbook, ledger: Ledger, lock_wait_s: float) -> None:
        self._book = book
        self._ledger = ledger
        self._lock_wait_s = lock_wait_s
        self._freed = asyncio.Event()

    async def catch_up(self) -> None:
        """Law 2."""
        for entry in self._book.entries(self._ledger.count):
            await self._publish(entry)

    async def prepare(self, args: dict[str, Any]) -> Reply:
        """The vote: 200 is yes. Asked again, it votes the same."""
        part = Prepared(args["txn"], args["account"], args["cents"])
        if self._book.state(part.id) == "":
            holder = await self._free(part.account)
            # While it waited, the transfer may have been aborted.
            if self._book.state(part.id) == "":
                await self._publish(self._book.refuse(part, "lock", holder=holder) if holder else self._book.prepare(part))
        return (OK if self._book.state(part.id) == "prepared" else NO), {}

    async def resolve(self, args: dict[str, Any]) -> Reply:
        """The outcome that the coordinator decided; 409 when this bank's was another one already."""
        outcome: Outcome = args["outcome"]
        await self._resolve(args["txn"], outcome, args["caller"])
        stands = self._book.state(args["txn"])
        return (OK if (stands == "committed") == (outcome == "commit") else NO), {"state": stands}

    async def in_doubt(self, _args: dict[str, Any]) -> Reply:
        return OK, {"txns": [part.id for part in self._book.in_doubt()]}

    async def move(self, args: dict[str, Any]) -> Reply:
        """Between two accounts of this bank."""
        holder = await self._free(args["source"], args["target"])
        if holder:
            await self._publish(self._book.gave_up(args["txn"], args["source"], holder))
            return BUSY, {"holder": holder}
        entry = self._book.move(args["txn"], args["source"], args["target"], args["cents"])
        await self._publish(entry)
        return (OK if entry.kind == "moved" else NO), {}

    async def step(self, args: dict[str, Any]) -> Reply:
        """A step of a saga. Asked again, it answers the same and does nothing."""
        part = Prepared(args["txn"], args["account"], args["cents"])
        entry = self._book.step(part, args["step"])
        if entry is not None:
            await self._publish(entry)
        return (OK if self._book.taken(part.id, args["step"]) else NO), {}

    async def give_up(self, after_s: float) -> None:
        """Law 3."""
        since: dict[str, float] = {}
        while True:
            now = asyncio.get_running_loop().time()
            since = {part.id: since.get(part.id, now) for part in self._book.in_doubt()}
            for txn in [txn for txn, began in since.items() if now - began >= after_s]:
                await self._resolve(txn, "abort", HEURISTIC)
            await asyncio.sleep(after_s / 20)

    async def _resolve(self, txn: str, outcome: Outcome, by: str) -> None:
        entry = self._book.resolve(txn, outcome, by)
        if entry is not None:
            self._freed.set()
            self._freed = asyncio.Event()
            await self._publish(entry)

    async def _free(self, *accounts: str) -> str | None:
        """Wait until nobody holds them; the holder when that took too long. What follows at once is not interrupted."""
        try:
            async with asyncio.timeout(self._lock_wait_s):
                while self._book.holder(*accounts):
                    await self._freed.wait()
        except TimeoutError:
            return self._book.holder(*accounts)
        return None

    async def _publish(self, entry: Entry) -> None:
        """No `await` between a change and this, so entries keep their order."""
        await self._ledger.append(entry.kind, **entry.fields)
