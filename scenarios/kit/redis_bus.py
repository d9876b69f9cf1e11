"""The bus on Redis: a stream a topic with a consumer group a process, or pub/sub."""

from __future__ import annotations

from collections import deque
from typing import Any, Self

from cluster.backends.redis.streams import Entry, StreamPort
from scenarios.kit.bus import Delivery, decode, encode


class _RedisBus:
    def __init__(self, url: str, prefix: str) -> None:
        self._prefix = prefix
        self._port = StreamPort(url)

    async def __aenter__(self) -> Self:
        await self._port.ping()
        return self

    async def __aexit__(self, *_failure: object) -> None:
        await self._port.close()


class StreamBus(_RedisBus):
    """QoS 1."""

    def __init__(self, url: str, prefix: str, name: str, *, acks_itself: bool) -> None:
        super().__init__(url, prefix)
        self._name = name
        self._acks_itself = acks_itself
        self._streams: tuple[str, ...] = ()
        self._waiting: deque[Entry] = deque()

    async def publish(self, topic: str, body: dict[str, Any]) -> None:
        await self._port.append(self._prefix + topic, encode(body))

    async def subscribe(self, topic: str) -> None:
        stream = self._prefix + topic
        await self._port.join(stream, self._name)
        self._waiting += await self._port.claim(stream, self._name, self._name)
        self._streams += (stream,)

    async def next(self) -> Delivery:
        while not self._waiting:
            self._waiting += await self._port.read(self._streams, self._name, self._name, acknowledged=self._acks_itself)
        entry = self._waiting.popleft()
        stream, number, body = entry
        return Delivery(stream.removeprefix(self._prefix), decode(body), number, entry)

    async def ack(self, delivery: Delivery) -> None:
        if not self._acks_itself:
            stream, number, _ = delivery.handle
            await self._port.acknowledge(stream, self._name, number)


class PubSubBus(_RedisBus):
    """QoS 0."""

    def __init__(self, url: str, prefix: str) -> None:
        super().__init__(url, prefix)
        self._heard = 0

    async def publish(self, topic: str, body: dict[str, Any]) -> None:
        await self._port.publish(self._prefix + topic, encode(body))

    async def subscribe(self, topic: str) -> None:
        await self._port.listen(self._prefix + topic)

    async def next(self) -> Delivery:
        channel, body = await self._port.hear()
        self._heard += 1
        return Delivery(channel.removeprefix(self._prefix), decode(body), str(self._heard), None)

    async def ack(self, _delivery: Delivery) -> None:
        """There is nobody to tell."""
