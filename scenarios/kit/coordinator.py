"""A coordinator of transfers between two banks, alone or one of several of which one leads.

Law 1: it takes in transfers only while it leads; what it has begun it brings to its end in any case.
Law 2: while it leads, it looks again and again for what somebody began who is gone, its own earlier life included.

Args: `banks`, `protocol` (2pc, saga), `coordinator` (single, raft: several stand ready), `coord_log` (local, replicated), `lease_ms` (of
the leadership), `sweep_ms`.
"""

from __future__ import annotations

import asyncio
from typing import Any

from cluster.backends.etcd.port import Kv
from scenarios.kit.calls import OK, Caller, serve
from scenarios.kit.decisions import LocalDecisions, ReplicatedDecisions
from scenarios.kit.kv import open_kv
from scenarios.kit.leadership import Alone, Leadership, LeaseLeadership
from scenarios.kit.process import Process
from scenarios.kit.transfer_saga import LocalSagaLog, ReplicatedSagaLog, TransferSaga
from scenarios.kit.two_phase import TwoPhase

ABORTED = 409
NOT_LEADER = 421


async def main(process: Process) -> None:
    args = process.args
    kv = await open_kv(process, "kv") if (args["coordinator"], args["coord_log"]) != ("single", "local") else None
    banks = {bank: Caller(process.socket_of(bank)) for bank in args["banks"]}
    transfers = _saga(process, kv, banks) if args["protocol"] == "saga" else _two_phase(process, kv, banks)
    coordinator = Coordinator(transfers, _leadership(process, kv))
    process.tasks.create_task(coordinator.sweep_for_ever(args["sweep_ms"] / 1_000))
    await serve(process.socket_of(process.name), {"transfer": coordinator.transfer}, process.tasks)
    await process.for_ever()


def _two_phase(process: Process, kv: Kv | None, banks: dict[str, Caller]) -> TwoPhase:
    if kv is not None and process.args["coord_log"] == "replicated":
        return TwoPhase(process, ReplicatedDecisions(kv, process.key_prefix), banks)
    return TwoPhase(process, LocalDecisions(process.work / f"{process.name}.decisions"), banks)


def _saga(process: Process, kv: Kv | None, banks: dict[str, Caller]) -> TransferSaga:
    if kv is not None and process.args["coord_log"] == "replicated":
        return TransferSaga(process, ReplicatedSagaLog(kv, process.key_prefix), banks)
    return TransferSaga(process, LocalSagaLog(process.work / f"{process.name}.sagas"), banks)


def _leadership(process: Process, kv: Kv | None) -> Leadership:
    if kv is None or process.args["coordinator"] == "single":
        return Alone()
    leadership = LeaseLeadership(kv, f"{process.key_prefix}leader", process.args["lease_ms"], lambda: process.trace("coord.leads"))
    process.tasks.create_task(leadership.contend())
    return leadership


class Coordinator:
    """`transfer` is what callers may ask."""

    def __init__(self, transfers: TwoPhase | TransferSaga, leadership: Leadership) -> None:
        self._transfers = transfers
        self._leadership = leadership

    async def transfer(self, args: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """200 committed, 409 aborted, 421 ask another."""
        if not self._leadership.held:
            return NOT_LEADER, {}
        return (OK if await self._transfers.transfer(args["txn"], args["parts"]) else ABORTED), {}

    async def sweep_for_ever(self, every_s: float) -> None:
        while True:
            if self._leadership.held:
                await self._transfers.sweep()
            await asyncio.sleep(every_s)
