"""The client's side, through aiomqtt. Imported only by processes that need it.

Law 1: `publish` returns when the broker has acknowledged it, to the end of its quality of service; with QoS 0 there is nothing to wait for.
Law 2: with `acks_itself` a message counts as received when this library has it, before the application saw it: that is what aiomqtt does.
Without, it counts when `ack` is called; until then the broker owes it to the session, over the death of this process too.
Law 3: a connection that ends is told, and not mended behind anybody's back.
"""

from __future__ import annotations

from types import TracebackType
from typing import Self
from urllib.parse import unquote, urlsplit

import msgspec
from aiomqtt import Client, MqttError

from cluster.core.errors import EnvironmentFailed

TIMEOUT_S = 30.0
PORT = 1883


class Arrived(msgspec.Struct, frozen=True):
    """`number` is the broker's packet identifier in this session; the same message sent again has the same one."""

    topic: str
    payload: bytes
    qos: int
    number: int


class MqttPort:
    """One session. `persistent`: the broker keeps its subscriptions, and what came for them, while nobody is connected."""

    def __init__(self, url: str, client_id: str, *, persistent: bool = False, acks_itself: bool = True) -> None:
        where = urlsplit(url)
        self._client = Client(
            where.hostname or "127.0.0.1",
            where.port or PORT,
            username=unquote(where.username) if where.username else None,
            password=unquote(where.password) if where.password else None,
            identifier=client_id,
            clean_session=not persistent,
            timeout=TIMEOUT_S,
        )
        # aiomqtt 2 has no words for it; the paho client below it does, and says so publicly.
        self._client._client.manual_ack_set(not acks_itself)

    async def __aenter__(self) -> Self:
        """Raises `EnvironmentFailed` when nobody there speaks the protocol to us."""
        try:
            await self._client.__aenter__()
        except MqttError as error:
            raise EnvironmentFailed(f"the MQTT broker does not answer: {error}") from error
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._client.__aexit__(kind, error, trace)

    async def publish(self, topic: str, payload: bytes, qos: int) -> None:
        """Raises `MqttError` when it is not known whether the broker has it."""
        await self._client.publish(topic, payload, qos)

    async def subscribe(self, topic: str, qos: int) -> None:
        await self._client.subscribe(topic, qos)

    async def next(self) -> Arrived:
        """Waits for it. Raises `EnvironmentFailed` when the connection ends."""
        try:
            message = await anext(self._client.messages)
        except MqttError as error:
            raise EnvironmentFailed(f"the MQTT broker hung up: {error}") from error
        assert isinstance(message.payload, bytes)
        return Arrived(message.topic.value, message.payload, message.qos, message.mid)

    def ack(self, arrived: Arrived) -> None:
        """The application is done with it. Nothing, when the library said so already."""
        self._client._client.ack(arrived.number, arrived.qos)
