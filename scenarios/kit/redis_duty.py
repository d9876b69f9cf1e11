"""Duty on a Redis primary with a replica, as many do it: `SET NX PX` there, wherever the primary is just now.

Law 1: the primary is whoever says of itself that it is one. Of two that say so, each client takes the one that it reaches.
Law 2: what the primary has written is not yet on its replica, unless `replicated` waits for it (`WAIT`). Even then the primary has it,
and the only way back is to delete it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar, cast

from redis.exceptions import RedisError

from cluster.backends.redis.client import RedisPort
from cluster.core.errors import FaultlineError
from scenarios.kit.duty import NAME
from scenarios.kit.on_redis import EXTEND, RELEASE
from scenarios.kit.redis_lock import ACQUIRE

# Of one server. Long enough for a busy machine, short against the lock's life.
PATIENCE_S = 0.5
WAIT_MS = 100
_RECORD = "return redis.call('sadd', KEYS[1], ARGV[1])"
_RECORDED = "return redis.call('smembers', KEYS[1])"
T = TypeVar("T")


class NoPrimary(FaultlineError):
    """None of the servers answers that it is one, or the one that was did not finish what it was asked."""


class RedisDuty:
    def __init__(self, urls: Iterable[str], prefix: str, *, replicated: bool) -> None:
        self._ports = [RedisPort(url) for url in urls]  # whoever was the primary last comes first
        self._keys = (f"{prefix}lock:{NAME}", f"{prefix}lock:{NAME}:token")
        self._book = f"{prefix}done"
        self._replicated = replicated

    async def acquire(self, owner: str, ttl_ms: int) -> int | None:
        token, safe = await self._write(ACQUIRE, self._keys, owner, ttl_ms)
        if token and not safe:
            await self.release(owner)
            return None
        return cast(int, token) or None

    async def extend(self, owner: str, ttl_ms: int) -> bool:
        done, safe = await self._write(EXTEND, self._keys[:1], owner, ttl_ms)
        return bool(done) and safe

    async def release(self, owner: str) -> bool:
        done, _ = await self._write(RELEASE, self._keys[:1], owner)
        return bool(done)

    async def holder(self) -> str | None:
        return await self._ask(lambda port: port.get(self._keys[0]))

    async def record(self, entry: str) -> None:
        await self._write(_RECORD, (self._book,), entry)

    async def recorded(self) -> set[str]:
        return set(await self._ask(lambda port: port.script(_RECORDED, (self._book,))))

    async def close(self) -> None:
        for port in self._ports:
            await port.close()

    async def _write(self, script: str, keys: tuple[str, ...], *values: str | int) -> tuple[Any, bool]:
        """What the script returned, and whether that much is safe as is asked for."""

        async def write(port: RedisPort) -> tuple[Any, bool]:
            if not self._replicated:
                return await port.script(script, keys, *values), True
            result, replicas = await port.script_on_replicas(script, keys, *values, replicas=1, timeout_ms=WAIT_MS)
            return result, replicas >= 1

        return await self._ask(write)

    async def _ask(self, do: Callable[[RedisPort], Awaitable[T]]) -> T:
        """Do it at the primary. It is asked every time whether it is one: a promotion tells nobody."""
        for port in tuple(self._ports):
            try:
                async with asyncio.timeout(PATIENCE_S):
                    if not await port.primary():
                        continue
                    result = await do(port)
            except (RedisError, OSError, TimeoutError):
                continue
            self._ports.sort(key=lambda other: other is not port)
            return result
        raise NoPrimary("no Redis says that it is the primary, and does what it is asked")
