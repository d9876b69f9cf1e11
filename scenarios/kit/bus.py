"""A message bus behind one small interface; what it promises differs with its quality of service, and that is what incidents are about.

QoS 0: to whoever listens now; nothing is kept. QoS 1: at least once; what a subscriber has not acknowledged is delivered again, to its
next life too. QoS 2 (MQTT only): a packet exactly once to the client library, which is not the application.

Law 1: `publish` with QoS 1 or 2 returns when the bus has the message.
Law 2: a subscription with QoS 1 or 2 outlives its subscriber: `subscribe` before anything that may kill it.
Law 3: with `acks_itself` the library acknowledges on receipt, and whatever this process holds unread dies with it; otherwise the
application says when (`ack`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol

import msgspec

from cluster.core.errors import UsageError
from scenarios.kit.process import Process


class Delivery(msgspec.Struct, frozen=True):
    """One message at one subscriber. `id` is the bus's own for it there: a message that was published twice has two."""

    topic: str
    body: dict[str, Any]
    id: str
    handle: Any


class Bus(Protocol):
    """Of one process. Topics are the incident's own words; runs on a shared server do not meet."""

    async def publish(self, topic: str, body: dict[str, Any]) -> None: ...

    async def subscribe(self, topic: str) -> None: ...

    async def next(self) -> Delivery:
        """Waits for it. Messages of a topic come in the order of their publishing, those that are due again first."""

    async def ack(self, delivery: Delivery) -> None: ...


@asynccontextmanager
async def open_bus(process: Process, kind: str, *, qos: int, acks_itself: bool) -> AsyncIterator[Bus]:
    """`kind`: "mqtt" or "redis" (streams for QoS 1, pub/sub for QoS 0), the backend of that name. One bus a process."""
    # Imported here, not above: only the processes of an incident with such a backend should pay.
    bus: Any
    if kind == "mqtt":
        from scenarios.kit.mqtt_bus import MqttBus

        bus = MqttBus(process.backends[kind][0], process.key_prefix, process.name, qos=qos, acks_itself=acks_itself)
    elif kind == "redis" and qos < 2:
        from scenarios.kit.redis_bus import PubSubBus, StreamBus

        url, prefix = process.backends[kind][0], process.key_prefix
        bus = StreamBus(url, prefix, process.name, acks_itself=acks_itself) if qos else PubSubBus(url, prefix)
    else:
        raise UsageError(f"there is no bus of the kind {kind!r} with QoS {qos}")
    async with bus:
        yield bus


def encode(body: dict[str, Any]) -> bytes:
    return msgspec.json.encode(body)


def decode(payload: bytes) -> dict[str, Any]:
    """Raises one of `UNDECODABLE` for what is no JSON object."""
    return msgspec.json.decode(payload, type=dict[str, Any])
