"""The banks' customers: transfers between the banks through whoever coordinates, and moves inside a bank at its own counter.

Law 1: each is sent once. What certainly was not taken in (nobody there, or not the leader) is tried elsewhere until `patience_ms` are over;
what was sent and not answered is unknown, and stays so.

Args: `transfers` (in order, each with `id`, `source`, `target`, `cents`), `every_ms` (between two of them), `coordinators`, `patience_ms`.
"""

from __future__ import annotations

import asyncio
from typing import Any

from scenarios.kit.bank import bank_of
from scenarios.kit.calls import OK, Answer, Caller, Undecided, Unreached
from scenarios.kit.coordinator import NOT_LEADER
from scenarios.kit.process import Process

_PAUSE_S = 0.05


async def main(process: Process) -> None:
    payer = Payer(process)
    await process.go()
    await payer.pay()


class Payer:
    def __init__(self, process: Process) -> None:
        self._process = process
        self._peers: dict[str, Caller] = {}
        self._coordinators: list[str] = list(process.args["coordinators"])  # the one that answered last comes first

    async def pay(self) -> None:
        """All of them, each at its time; until each has an outcome."""
        clock, every_s = asyncio.get_running_loop().time, self._process.args["every_ms"] / 1_000
        began_s = clock()
        async with asyncio.TaskGroup() as tasks:
            for number, transfer in enumerate(self._process.args["transfers"]):
                await asyncio.sleep(began_s + number * every_s - clock())
                tasks.create_task(self._pay(transfer))

    async def _pay(self, transfer: dict[str, Any]) -> None:
        inside = bank_of(transfer["source"]) == bank_of(transfer["target"])
        f, history = ("move" if inside else "transfer"), self._process.history
        index = history.invoke(f, transfer)
        try:
            answer = await (self._move(transfer) if inside else self._transfer(transfer))
        except Undecided as error:
            history.info(index, f, str(error))
            return
        if answer is not None and answer.status == OK:
            history.ok(index, f, transfer)
        else:
            history.fail(index, f, {**transfer, "status": answer.status if answer else None})

    async def _move(self, transfer: dict[str, Any]) -> Answer | None:
        fields = {name: transfer[name] for name in ("source", "target", "cents")}
        try:
            return await self._peer(bank_of(transfer["source"])).call("move", txn=transfer["id"], **fields)
        except Unreached:
            return None

    async def _transfer(self, transfer: dict[str, Any]) -> Answer | None:
        """None when nobody took it in."""
        source, target, cents = transfer["source"], transfer["target"], transfer["cents"]
        parts = {bank_of(account): {"account": account, "cents": change} for account, change in ((source, -cents), (target, cents))}
        clock = asyncio.get_running_loop().time
        ends_s = clock() + self._process.args["patience_ms"] / 1_000
        while clock() < ends_s:
            for name in tuple(self._coordinators):
                answer = await self._ask(name, transfer["id"], parts)
                if answer is not None:
                    return answer
            await asyncio.sleep(_PAUSE_S)
        return None

    async def _ask(self, coordinator: str, txn: str, parts: dict[str, Any]) -> Answer | None:
        """None when it certainly was not taken in there."""
        try:
            answer = await self._peer(coordinator).call("transfer", txn=txn, parts=parts)
        except Unreached:
            return None
        if answer.status == NOT_LEADER:
            return None
        self._coordinators.sort(key=lambda name: name != coordinator)
        return answer

    def _peer(self, name: str) -> Caller:
        if name not in self._peers:
            self._peers[name] = Caller(self._process.socket_of(name))
        return self._peers[name]
