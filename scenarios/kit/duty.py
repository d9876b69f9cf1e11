"""Who is on duty, and what has been done: a lock that expires, and a book beside it in the same store, as schedulers use them.

Law 1: whoever cannot be asked has said nothing: every method raises `FaultlineError` then, and an acquisition may have happened.
"""

from __future__ import annotations

from typing import Protocol

from cluster.backends.etcd.port import Kv
from scenarios.kit.kv import open_kv
from scenarios.kit.kv_lock import KvLock
from scenarios.kit.process import Process

NAME = "duty"
# What a store may take for an answer before somebody else is asked.
PATIENCE_MS = 1_000.0


class Duty(Protocol):
    """`owner` is a value of one term of office, never used again."""

    async def acquire(self, owner: str, ttl_ms: int) -> int | None:
        """The token, or None while somebody is on duty."""

    async def extend(self, owner: str, ttl_ms: int) -> bool: ...

    async def release(self, owner: str) -> bool: ...

    async def holder(self) -> str | None: ...

    async def record(self, entry: str) -> None:
        """Into the book."""

    async def recorded(self) -> set[str]:
        """All of the book."""


class KvDuty:
    """On a consensus store."""

    def __init__(self, kv: Kv, prefix: str) -> None:
        self._kv = kv
        self._lock = KvLock(kv, prefix)
        self._book = f"{prefix}done:"

    async def acquire(self, owner: str, ttl_ms: int) -> int | None:
        return await self._lock.acquire(NAME, owner, ttl_ms)

    async def extend(self, owner: str, ttl_ms: int) -> bool:
        return await self._lock.extend(NAME, owner, ttl_ms)

    async def release(self, owner: str) -> bool:
        return await self._lock.release(NAME, owner)

    async def holder(self) -> str | None:
        return await self._lock.holder(NAME)

    async def record(self, entry: str) -> None:
        await self._kv.put(f"{self._book}{entry}", "1")

    async def recorded(self) -> set[str]:
        return {held.key.removeprefix(self._book) for held in await self._kv.prefix(self._book)}


async def open_duty(process: Process, lock: str, *, replicated: bool) -> Duty:
    """`lock`: redis or raft. `replicated`: what is written to Redis counts only once a replica has it."""
    if lock == "raft":
        return KvDuty(await open_kv(process, "kv", timeout_ms=PATIENCE_MS), process.key_prefix)
    # Imported here: a quarter of a second that only the processes with a Redis should pay.
    from scenarios.kit.redis_duty import RedisDuty

    return RedisDuty(process.backends["redis"], process.key_prefix, replicated=replicated)
