"""The bus on MQTT: topics, and for QoS 1 and 2 a persistent session by the process's name."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any, Self

from cluster.backends.mqtt.client import MqttPort
from cluster.core.errors import EnvironmentFailed
from scenarios.kit.bus import Delivery, decode, encode

GOODBYE_S = 0.5


class MqttBus:
    """`prefix` keeps runs on a shared broker apart."""

    def __init__(self, url: str, prefix: str, name: str, *, qos: int, acks_itself: bool) -> None:
        self._url = url
        self._prefix = prefix
        self._client_id = f"{prefix}{name}"
        self._qos = qos
        self._port = MqttPort(url, self._client_id, persistent=qos > 0, acks_itself=acks_itself)

    async def __aenter__(self) -> Self:
        await self._port.__aenter__()
        return self

    async def __aexit__(self, *failure: Any) -> None:
        """The end of the run for this process: a broker of somebody else's need not remember us. One of the run's own may be gone first."""
        with suppress(EnvironmentFailed, TimeoutError):
            async with asyncio.timeout(GOODBYE_S):
                await self._port.__aexit__(*failure)
                if self._qos:
                    async with MqttPort(self._url, self._client_id):
                        pass

    async def publish(self, topic: str, body: dict[str, Any]) -> None:
        await self._port.publish(self._prefix + topic, encode(body), self._qos)

    async def subscribe(self, topic: str) -> None:
        await self._port.subscribe(self._prefix + topic, self._qos)

    async def next(self) -> Delivery:
        arrived = await self._port.next()
        return Delivery(arrived.topic.removeprefix(self._prefix), decode(arrived.payload), str(arrived.number), arrived)

    async def ack(self, delivery: Delivery) -> None:
        self._port.ack(delivery.handle)
