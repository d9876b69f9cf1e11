"""Redis as a bus: streams with consumer groups, which remember what was not acknowledged, and pub/sub, which remembers nothing.

Law 1: a group has one consumer at a time, so what is pending in it belongs to whoever comes now (`claim` waits for no idle time).
Law 2: streams end by themselves an hour after their last entry: a server of somebody else's is left as it was.
"""

from __future__ import annotations

from collections import deque
from typing import Any, cast

from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from cluster.backends.redis.client import CONNECT_TIMEOUT_S
from cluster.core.errors import EnvironmentFailed

KEPT_S = 3_600
BATCH = 10
_FIELD = b"body"

Entry = tuple[str, str, bytes]  # stream, id, body


class StreamPort:
    """One client. Streams and channels are named in full."""

    def __init__(self, url: str) -> None:
        self._redis = Redis.from_url(url, socket_timeout=None, socket_connect_timeout=CONNECT_TIMEOUT_S, retry=None)
        self._channels: Any = None
        self._heard: deque[tuple[str, bytes]] = deque()

    async def ping(self) -> None:
        """Raises `EnvironmentFailed` when nobody there speaks the protocol to us."""
        try:
            await cast(Any, self._redis.ping())
        except (RedisError, OSError) as error:
            raise EnvironmentFailed(f"the Redis server does not answer: {error}") from error

    async def close(self) -> None:
        if self._channels is not None:
            await self._channels.aclose()
        await self._redis.aclose()

    # ---- streams ----------------------------------------------------------------------------------------------------

    async def append(self, stream: str, body: bytes) -> str:
        """XADD. Returns the entry's id when the server has it."""
        entry = await self._redis.xadd(stream, {_FIELD: body})
        await self._redis.expire(stream, KEPT_S)
        return _text(entry)

    async def join(self, stream: str, group: str) -> None:
        """XGROUP CREATE, from the stream's beginning; nothing, if the group is there."""
        try:
            await self._redis.xgroup_create(stream, group, id="0", mkstream=True)
        except ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise

    async def claim(self, stream: str, group: str, consumer: str) -> list[Entry]:
        """XAUTOCLAIM: everything that was handed out and never acknowledged, oldest first."""
        found: list[Entry] = []
        start = "0-0"
        while True:
            start, entries, *_ = await self._redis.xautoclaim(stream, group, consumer, 0, start_id=start)
            found += [(stream, _text(entry), fields[_FIELD]) for entry, fields in entries]
            start = _text(start)
            if start == "0-0":
                return found

    async def read(self, streams: tuple[str, ...], group: str, consumer: str, *, acknowledged: bool) -> list[Entry]:
        """XREADGROUP: what nobody was handed yet; waits until there is some. `acknowledged`: NOACK, handing out is all."""
        wanted: dict[Any, Any] = dict.fromkeys(streams, ">")
        answer = await self._redis.xreadgroup(group, consumer, wanted, count=BATCH, block=0, noack=acknowledged)
        return [(_text(stream), _text(entry), fields[_FIELD]) for stream, entries in _pairs(answer) for entry, fields in entries]

    async def acknowledge(self, stream: str, group: str, entry: str) -> None:
        await self._redis.xack(stream, group, entry)

    # ---- pub/sub ----------------------------------------------------------------------------------------------------

    async def publish(self, channel: str, body: bytes) -> None:
        """To whoever listens at this moment."""
        await self._redis.publish(channel, body)

    async def listen(self, channel: str) -> None:
        """Returns when the server has confirmed."""
        if self._channels is None:
            self._channels = self._redis.pubsub()
        await self._channels.subscribe(channel)
        while (await self._one())["type"] != "subscribe":
            pass

    async def hear(self) -> tuple[str, bytes]:
        """The next message, with its channel."""
        while not self._heard:
            await self._one()
        return self._heard.popleft()

    async def _one(self) -> dict[str, Any]:
        """Whatever comes next. A message may come while we wait for a confirmation."""
        while (said := await self._channels.get_message(timeout=None)) is None:
            pass
        if said["type"] == "message":
            self._heard.append((_text(said["channel"]), said["data"]))
        return cast("dict[str, Any]", said)


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _pairs(answer: Any) -> list[tuple[Any, Any]]:
    """RESP2 answers with a list of pairs, RESP3 with a map of lists of entries."""
    if isinstance(answer, dict):
        return [(stream, [entry for entries in parts for entry in entries]) for stream, parts in answer.items()]
    return list(answer or ())
