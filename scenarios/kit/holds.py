"""Holds on units of stock: one key each in Redis, whose value says who has it. How careful they are is for the caller to say.

Law 1: taking is one command (`SET NX PX`), unless the caller asks for the two that leave a window between them.
Law 2: with an owner given, extending and dropping compare it in the same step; without, they do what they are told to anybody's hold.
"""

from __future__ import annotations

from scenarios.kit.on_redis import EXTEND, RELEASE, OnRedis

PREFIX = "hold:"
_LIFE = "alive:"

_TAKE = "if redis.call('set', KEYS[1], ARGV[1], 'NX') then return 1 end return 0"
_TAKE_FOR = "if redis.call('set', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 1 end return 0"
_BEAT = "redis.call('set', KEYS[1], '1', 'PX', ARGV[1]) return 1"
_EXPIRE = "return redis.call('pexpire', KEYS[1], ARGV[1])"
_DROP = "return redis.call('del', KEYS[1])"


class Holds(OnRedis):
    """Units are names such as "sku3.u1"."""

    async def take(self, unit: str, owner: str, ttl_ms: int | None) -> bool:
        """False when somebody has it. Without `ttl_ms` it is held until it is dropped."""
        if ttl_ms is None:
            return bool(await self._port.script(_TAKE, (self._key(unit),), owner))
        return bool(await self._port.script(_TAKE_FOR, (self._key(unit),), owner, ttl_ms))

    async def extend(self, unit: str, ttl_ms: int, owner: str | None) -> bool:
        """Let it live so long from now. False when there is nothing of that kind to extend."""
        script, more = (_EXPIRE, ()) if owner is None else (EXTEND, (owner,))
        return bool(await self._port.script(script, (self._key(unit),), *more, ttl_ms))

    async def drop(self, unit: str, owner: str | None) -> bool:
        """False when there was nothing of that kind to drop."""
        script, more = (_DROP, ()) if owner is None else (RELEASE, (owner,))
        return bool(await self._port.script(script, (self._key(unit),), *more))

    async def owner_of(self, unit: str) -> str | None:
        return await self._port.get(self._key(unit))

    async def held(self) -> list[str]:
        """All units that somebody has."""
        before = len(self._key(""))
        return [key[before:] for key in await self._port.keys(self._key(""))]

    async def beat(self, life: str, ttl_ms: int) -> None:
        """A process says that it lives, for so long."""
        await self._port.script(_BEAT, (f"{self._prefix}{_LIFE}{life}",), ttl_ms)

    async def lives(self, life: str) -> bool:
        return await self._port.get(f"{self._prefix}{_LIFE}{life}") is not None

    def _key(self, unit: str) -> str:
        return f"{self._prefix}{PREFIX}{unit}"
