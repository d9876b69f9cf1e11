"""The client's side: scripts that run whole on the server, and plain reads. Imported only by processes that need it.

Law 1: the client gives up by nobody's clock but the caller's: a process that was stopped must not find its connections timed out.
"""

from __future__ import annotations

from typing import Any, cast

from redis.asyncio import Redis
from redis.exceptions import RedisError

from cluster.core.errors import EnvironmentFailed

CONNECT_TIMEOUT_S = 5.0
CONNECTIONS_MAX = 64


class RedisPort:
    """As much of a Redis as incidents use."""

    def __init__(self, url: str) -> None:
        self._redis = Redis.from_url(
            url,
            decode_responses=True,
            max_connections=CONNECTIONS_MAX,
            socket_timeout=None,
            socket_connect_timeout=CONNECT_TIMEOUT_S,
            retry=None,
        )

    async def ping(self) -> None:
        """Raises `EnvironmentFailed` when nobody there speaks the protocol to us."""
        try:
            await cast(Any, self._redis.ping())
        except (RedisError, OSError) as error:
            raise EnvironmentFailed(f"the Redis server does not answer: {error}") from error

    async def script(self, text: str, keys: tuple[str, ...], *values: str | int) -> Any:
        """Run a script at once and whole."""
        return await cast(Any, self._redis.eval(text, len(keys), *keys, *map(str, values)))

    async def get(self, key: str) -> str | None:
        return cast("str | None", await self._redis.get(key))

    async def keys(self, prefix: str) -> list[str]:
        """All keys that begin so, in order. SCAN, not KEYS: the server goes on answering others."""
        return sorted([key async for key in self._redis.scan_iter(match=f"{prefix}*")])

    async def remove(self, keys: list[str]) -> None:
        """Whatever they hold."""
        if keys:
            await self._redis.delete(*keys)

    async def left_ms(self, key: str) -> int:
        """PTTL: what is left of its life; -1 when it has no end, -2 when it is gone."""
        return await self._redis.pttl(key)

    # ---- replication --------------------------------------------------------------------------------------------

    async def primary(self) -> bool:
        """Whether it says of itself that it is one."""
        return cast(str, (await cast(Any, self._redis.role()))[0]) == "master"

    async def promote(self) -> None:
        """Follow nobody from now on, with what it has."""
        await cast(Any, self._redis.replicaof("NO", "ONE"))

    async def follow(self, host: str, port: int) -> None:
        """Throw away what it has, and follow."""
        await cast(Any, self._redis.replicaof(host, port))

    async def script_on_replicas(
        self, text: str, keys: tuple[str, ...], *values: str | int, replicas: int, timeout_ms: int
    ) -> tuple[Any, int]:
        """`script`, and how many replicas have what it wrote, once they are so many or the time is up (`WAIT`)."""
        pipe = self._redis.pipeline(transaction=False)  # over one connection: of what another one wrote, WAIT knows nothing
        pipe.eval(text, len(keys), *keys, *map(str, values))
        pipe.wait(replicas, timeout_ms)
        result, count = await pipe.execute()
        return result, count

    async def close(self) -> None:
        await self._redis.aclose()
