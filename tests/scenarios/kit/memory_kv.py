"""The replicated store's interface over the real state machine in this process: one member, no log, no network.

`lost_answers`: so many writes have their effect, and their answer is `Undecided`.
"""

from __future__ import annotations

from cluster.backends.etcd.port import Deleted, Page, Txned, Wrote
from cluster.core.errors import Undecided
from cluster.core.kv import span
from cluster.core.kv.ops import Branch, Command, Compare, Delete, KeyValue, Put, Range, Reply, Txn, TxnStep, encode_write
from cluster.core.kv.store import COMMAND, Store


class MemoryKv:
    def __init__(self) -> None:
        self._store = Store()
        self.lost_answers = 0

    async def get(self, key: str) -> KeyValue | None:
        return self._store.find(key)

    async def range(self, first: str, end: str | None, limit: int = 1_000) -> tuple[KeyValue, ...]:
        body = self._store.page(Range(first, end, limit), 1_000_000).body
        assert isinstance(body, Page)
        return body.items

    async def prefix(self, prefix: str, limit: int = 1_000) -> tuple[KeyValue, ...]:
        return await self.range(*span.of_prefix(prefix), limit)

    async def put(self, key: str, value: str, lease: int = 0) -> int:
        return self._write(Put(key, value, lease)).revision

    async def delete(self, key: str) -> bool:
        there = self._store.find(key) is not None
        self._write(Delete(key))
        return there

    async def txn(self, compares: tuple[Compare, ...], then: tuple[TxnStep, ...], otherwise: tuple[TxnStep, ...] = ()) -> Txned:
        body = self._write(Txn(compares, then, otherwise)).body
        assert isinstance(body, Branch)
        return Txned(body.succeeded, tuple(_step(reply) for reply in body.replies))

    async def grant(self, ttl_ms: float) -> int:
        raise NotImplementedError

    async def keep_alive(self, lease: int) -> bool:
        raise NotImplementedError

    async def revoke(self, lease: int) -> bool:
        raise NotImplementedError

    async def close(self) -> None: ...

    def _write(self, command: Command) -> Reply:
        reply = self._store.apply(self._store.applied + 1, 1, COMMAND, encode_write(command))
        assert reply.outcome == "ok", reply.error
        if self.lost_answers:
            self.lost_answers -= 1
            raise Undecided("the answer was lost")
        return reply


def _step(reply: Reply) -> Wrote | Deleted | Page:
    return reply.body if isinstance(reply.body, Deleted | Page) else Wrote(reply.revision)
