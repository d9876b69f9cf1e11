"""Locks that expire, behind one interface; what they can promise differs, and that is what incidents are about.

Law 1: a token, where a lock has one, grows with every acquisition of the same name: a resource that remembers the newest can refuse
the past.
Law 2: extending and releasing compare the owner in the same step, so nobody frees what has become somebody else's.
"""

from __future__ import annotations

from typing import Protocol

from cluster.core.errors import UsageError
from scenarios.kit.kv import open_kv
from scenarios.kit.kv_lock import KvLock
from scenarios.kit.process import Process


class Lock(Protocol):
    """`owner` is a value of one acquisition, never used again."""

    async def acquire(self, name: str, owner: str, ttl_ms: int) -> int | None:
        """The token (0 from a lock that has none to give), or None while somebody holds it."""

    async def extend(self, name: str, owner: str, ttl_ms: int) -> bool:
        """False when it is not ours any more."""

    async def release(self, name: str, owner: str) -> bool:
        """False when it was not ours any more."""

    async def holder(self, name: str) -> str | None:
        """The owner just now: true when it was read, and perhaps no longer."""


async def open_lock(kind: str, process: Process) -> Lock:
    # Imported here, not above: a quarter of a second that only the processes with a Redis lock should pay.
    if kind == "redis":
        from scenarios.kit.redis_lock import RedisLock

        return await RedisLock.open(process.backends["redis"][0], process.key_prefix)
    if kind == "redlock5":
        from scenarios.kit.redlock import Redlock

        return await Redlock.open(process.backends["redlock"], process.key_prefix)
    if kind == "raft":
        return KvLock(await open_kv(process, "kv"), process.key_prefix)
    raise UsageError(f"there is no lock of the kind {kind!r}")
