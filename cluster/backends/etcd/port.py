"""A key-value store of etcd's shape, as much of it as incidents use. Two adapters: our own Raft group, and etcd through aetcd.

Law 1: an error is definite or it is not. `Refused`: it has not happened and never will. `Undecided`: it may have, or may yet.
Law 2: reads are linearizable, and have no effect: one without an answer is `Refused`.
Law 3: nothing is sent twice behind the caller's back, but for what certainly had no effect.
"""

from __future__ import annotations

from typing import Protocol

import msgspec

from cluster.core.errors import FaultlineError
from cluster.core.kv.ops import Compare, Delete, Deleted, DeleteRange, KeyValue, Page, Put, Range, TxnStep

__all__ = ["Compare", "Delete", "DeleteRange", "Deleted", "KeyValue", "Kv", "Page", "Put", "Range", "Refused", "TxnStep", "Txned", "Wrote"]


class Refused(FaultlineError):
    """The operation certainly had no effect; the text says why."""


class Wrote(msgspec.Struct, frozen=True):
    """A `Put` inside a transaction, and the revision that it made."""

    revision: int


class Txned(msgspec.Struct, frozen=True):
    """`succeeded`: all comparisons held. `steps`: what each step of the branch that was taken came to, in order."""

    succeeded: bool
    steps: tuple[Wrote | Deleted | Page, ...]


class Kv(Protocol):
    """Keys and values are text. All but `close` raise `Refused` or (writes) `Undecided`."""

    async def get(self, key: str) -> KeyValue | None: ...

    async def range(self, first: str, end: str | None, limit: int = 1_000) -> tuple[KeyValue, ...]:
        """Keys in `[first, end)`, in order; `end=None` is to the last key."""

    async def prefix(self, prefix: str, limit: int = 1_000) -> tuple[KeyValue, ...]: ...

    async def put(self, key: str, value: str, lease: int = 0) -> int:
        """The revision that it made. With a lease, the key goes when the lease does."""

    async def delete(self, key: str) -> bool:
        """Whether it was there."""

    async def txn(self, compares: tuple[Compare, ...], then: tuple[TxnStep, ...], otherwise: tuple[TxnStep, ...] = ()) -> Txned:
        """If all of `compares` hold, `then`, else `otherwise`: at once, under one revision."""

    async def grant(self, ttl_ms: float) -> int:
        """A new lease, for at least so long (etcd counts whole seconds, and has a least number of them)."""

    async def keep_alive(self, lease: int) -> bool:
        """False when there is no such lease any more."""

    async def revoke(self, lease: int) -> bool:
        """End it and its keys. False when there was no such lease any more."""

    async def close(self) -> None: ...
