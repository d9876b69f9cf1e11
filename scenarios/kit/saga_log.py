"""Where an orchestrator writes down its sagas: a key each in a replicated store, one transaction a step.

Law 1: a state is written only over the version before it: of two orchestrators one is refused (`Overtaken`) and stops there.
Law 2: a write whose outcome is not known is read back before anything follows from it.
"""

from __future__ import annotations

import asyncio

import msgspec

from cluster.backends.etcd.port import Compare, Kv, Put, Refused
from cluster.core.errors import FaultlineError, Undecided
from scenarios.kit.saga import OVER, Saga

_RETRY_S = 0.05


class Overtaken(FaultlineError):
    """Somebody else has gone on with this saga."""


class SagaLog:
    """`prefix` keeps runs on a shared store apart. The key's version is the saga's, plus one for its beginning."""

    def __init__(self, kv: Kv, prefix: str) -> None:
        self._kv = kv
        self._prefix = f"{prefix}saga/"

    async def begin(self, saga: Saga) -> bool:
        """Whether it is new: a request that comes twice begins one saga."""
        assert saga.version == 0
        try:
            await self.write(saga)
        except Overtaken:
            return False
        return True

    async def write(self, saga: Saga) -> None:
        """Returns when it is durable, however long that takes."""
        key, text = self._prefix + saga.id, msgspec.json.encode(saga).decode()
        before = Compare(key, "version", "=", saga.version)
        may_be_ours = False
        while True:
            try:
                if (await self._kv.txn((before,), (Put(key, text),))).succeeded:
                    return
                held = await self._kv.get(key)
                if may_be_ours and held is not None and held.value == text:
                    return  # it was written, and we had not heard
                raise Overtaken(f"saga {saga.id} has gone on without us")
            except Refused:
                pass  # nothing happened: once more
            except Undecided:
                may_be_ours = True
            await asyncio.sleep(_RETRY_S)

    async def unfinished(self) -> list[Saga]:
        """What a new life has to go on with."""
        while True:
            try:
                held = await self._kv.prefix(self._prefix)
            except Refused:
                await asyncio.sleep(_RETRY_S)
            else:
                sagas = (msgspec.json.decode(item.value, type=Saga) for item in held)
                return [saga for saga in sagas if saga.phase not in OVER]
