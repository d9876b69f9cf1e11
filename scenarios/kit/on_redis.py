"""Keys on one Redis server that somebody owns: the value says who, and what only the owner may do is compared and done in one step."""

from __future__ import annotations

from typing import Self

from cluster.backends.redis.client import RedisPort

# Owner, then the milliseconds that it shall live from now on. 0 when it is not his.
EXTEND = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('pexpire', KEYS[1], ARGV[2]) end return 0"
# Owner. 0 when it is not his.
RELEASE = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0"


class OnRedis:
    """`prefix` keeps runs on a shared server apart."""

    def __init__(self, port: RedisPort, prefix: str) -> None:
        self._port = port
        self._prefix = prefix

    @classmethod
    async def open(cls, url: str, prefix: str) -> Self:
        port = RedisPort(url)
        await port.ping()
        return cls(port, prefix)
