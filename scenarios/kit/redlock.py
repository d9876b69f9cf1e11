"""Redlock: the same value set on a majority of independent servers, within a fraction of its life.

Law 1: it is held only if a majority agreed and what is left of its life, less the clocks' drift, is more than nothing.
Law 2: it has no token to give: what one server counts the others do not, so no number grows with every holder. A resource has nothing
to compare, which is what this lock is here to show.

Source: "Distributed Locks with Redis", the algorithm for N servers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable

from scenarios.kit.redis_lock import RedisLock
from scenarios.lines import now_ns

NO_TOKEN = 0
_DRIFT_SHARE = 0.01
_DRIFT_MS = 2


class Redlock:
    """`servers`: an odd number that share nothing."""

    def __init__(self, servers: Iterable[RedisLock]) -> None:
        self._servers = tuple(servers)
        self._majority = len(self._servers) // 2 + 1

    @classmethod
    async def open(cls, urls: Iterable[str], prefix: str) -> Redlock:
        return cls([await RedisLock.open(url, prefix) for url in urls])

    async def acquire(self, name: str, owner: str, ttl_ms: int) -> int | None:
        began_ns = now_ns()
        tokens = await asyncio.gather(*(server.acquire(name, owner, ttl_ms) for server in self._servers))
        left_ms = ttl_ms - (now_ns() - began_ns) / 1e6 - ttl_ms * _DRIFT_SHARE - _DRIFT_MS
        if sum(token is not None for token in tokens) >= self._majority and left_ms > 0:
            return NO_TOKEN
        await self.release(name, owner)
        return None

    async def extend(self, name: str, owner: str, ttl_ms: int) -> bool:
        return await self._most(server.extend(name, owner, ttl_ms) for server in self._servers)

    async def release(self, name: str, owner: str) -> bool:
        return await self._most(server.release(name, owner) for server in self._servers)

    async def holder(self, name: str) -> str | None:
        """The owner that a majority names."""
        named = await asyncio.gather(*(server.holder(name) for server in self._servers))
        return next((owner for owner in named if owner is not None and named.count(owner) >= self._majority), None)

    async def _most(self, asked: Iterable[Awaitable[bool]]) -> bool:
        return sum(await asyncio.gather(*asked)) >= self._majority
