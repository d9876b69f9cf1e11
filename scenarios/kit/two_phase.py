"""Two-phase commit over two banks: ask both for their votes, decide, tell both.

Law 1: the decision is durable before the first bank hears of it; what stands is told, also when it is not what was wanted.
Law 2: once decided, it tells until each bank has answered.
Law 3: a transfer that a bank is in doubt about and that nobody here is busy with belongs to a coordinator that is gone: `sweep` decides
to abort it, finds out what stands, and tells that.

Source: Gray and Lamport, "Consensus on Transaction Commit" (2006), §2, for the protocol and where it blocks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from scenarios.kit.bankbook import Outcome
from scenarios.kit.calls import OK, Caller, Undecided, Unreached
from scenarios.kit.decisions import Decisions
from scenarios.kit.process import Process


class TwoPhase:
    """`banks`: name -> the bank, in the order in which they are told."""

    def __init__(self, process: Process, decisions: Decisions, banks: Mapping[str, Caller]) -> None:
        self._process = process
        self._decisions = decisions
        self._banks = banks
        self._busy: set[str] = set()

    async def transfer(self, txn: str, parts: dict[str, dict[str, Any]]) -> bool:
        """Bank -> account and cents. True when it was committed."""
        self._busy.add(txn)
        try:
            votes = await asyncio.gather(*(self._vote(bank, txn, part) for bank, part in parts.items()))
            if all(votes):
                await self._process.failpoint("txn.all_votes_yes", txn=txn)
            stands = await self._decisions.decide(txn, "commit" if all(votes) else "abort")
            await self._tell(txn, stands)
        finally:
            self._busy.discard(txn)
        return stands == "commit"

    async def sweep(self) -> None:
        """Law 3, once."""
        answers = await asyncio.gather(*(bank.insist("in_doubt") for bank in self._banks.values()))
        orphans = {txn for answer in answers for txn in answer.body["txns"]} - self._busy
        await asyncio.gather(*map(self._settle, sorted(orphans)))

    async def _settle(self, txn: str) -> None:
        stands = await self._decisions.decide(txn, "abort")
        self._process.trace("txn.settled", txn=txn, outcome=stands)
        await self._tell(txn, stands)

    async def _vote(self, bank: str, txn: str, part: dict[str, Any]) -> bool:
        """No answer is no vote: the bank may be in doubt then, and is told like any other."""
        try:
            return (await self._banks[bank].call("prepare", txn=txn, **part)).status == OK
        except (Unreached, Undecided):
            return False

    async def _tell(self, txn: str, stands: Outcome) -> None:
        """One after the other: between the two, one bank knows and the other does not."""
        for number, bank in enumerate(self._banks.values()):
            if number and stands == "commit":
                await self._process.failpoint("txn.first_bank_told", txn=txn)
            answer = await bank.insist("resolve", txn=txn, outcome=stands, caller=self._process.name)
            if answer.status != OK:
                self._process.trace("txn.contradicted", txn=txn, outcome=stands, **answer.body)
