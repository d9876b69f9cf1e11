"""Results kept in Redis, beside a database of business rows: two systems, and nothing that makes them one."""

from __future__ import annotations

import msgspec

from cluster.backends.redis.client import RedisPort
from scenarios.kit.idempotency import Kept

_KEEP = "return redis.call('set', KEYS[1], ARGV[1], 'PX', ARGV[2])"
_decode = msgspec.json.Decoder(Kept).decode
_encode = msgspec.json.Encoder().encode


class RedisStore:
    """`prefix` keeps runs on a shared server apart."""

    def __init__(self, port: RedisPort, prefix: str, ttl_ms: float) -> None:
        self._port = port
        self._prefix = prefix
        self._ttl_ms = round(ttl_ms)

    @classmethod
    async def open(cls, url: str, prefix: str, ttl_ms: float) -> RedisStore:
        port = RedisPort(url)
        await port.ping()
        return cls(port, prefix, ttl_ms)

    async def find(self, key: str) -> Kept | None:
        text = await self._port.get(f"{self._prefix}idem:{key}")
        return None if text is None else _decode(text)

    async def keep(self, key: str, kept: Kept) -> None:
        await self._port.script(_KEEP, (f"{self._prefix}idem:{key}",), _encode(kept).decode(), self._ttl_ms)

    async def forget(self, key: str) -> None:
        """The server does, at the key's time."""
