"""`SET NX PX` with a compare-and-delete release, the way Redis's own documentation advises for one server.

Law 1: acquiring and drawing the token are one script: two holders never get the same number from one server.
"""

from __future__ import annotations

from scenarios.kit.on_redis import EXTEND, RELEASE, OnRedis

ACQUIRE = """
if redis.call('set', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return redis.call('incr', KEYS[2]) end
return 0
"""


class RedisLock(OnRedis):
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
