"""`SET NX PX` with a compare-and-delete release, the way Redis's own documentation advises for one server.

Law 1: acquiring and drawing the token are one script: two holders never get the same number from one server.
"""

from __future__ import annotations

from cluster.backends.redis.client import RedisPort

ACQUIRE = """
if redis.call('set', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return redis.call('incr', KEYS[2]) end
return 0
"""
EXTEND = """
if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('pexpire', KEYS[1], ARGV[2]) end
return 0
"""
RELEASE = """
if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end
return 0
"""


class RedisLock:
    """`prefix` keeps runs on a shared server apart."""

    def __init__(self, port: RedisPort, prefix: str) -> None:
        self._port = port
        self._prefix = prefix

    @classmethod
    async def open(cls, url: str, prefix: str) -> RedisLock:
        port = RedisPort(url)
        await port.ping()
        return cls(port, prefix)

    async def acquire(self, name: str, owner: str, ttl_ms: int) -> int | None:
        token: int = await self._port.script(ACQUIRE, (self._key(name), self._key(f"{name}:token")), owner, ttl_ms)
        return token or None

    async def extend(self, name: str, owner: str, ttl_ms: int) -> bool:
        return bool(await self._port.script(EXTEND, (self._key(name),), owner, ttl_ms))

    async def release(self, name: str, owner: str) -> bool:
        return bool(await self._port.script(RELEASE, (self._key(name),), owner))

    async def holder(self, name: str) -> str | None:
        return await self._port.get(self._key(name))

    def _key(self, name: str) -> str:
        return f"{self._prefix}lock:{name}"
