"""amqtt's broker, made to keep what MQTT 3.1.1 has a broker promise. Imported by the broker's own process only.

amqtt 0.12.1 forgets an unacknowledged message when its subscriber's connection ends, or after five seconds (its flow discards it in a
`finally`); hands out queued messages as retained ones; serves no SUBSCRIBE before all of them are acknowledged; takes a client that is
back before its old connection was seen to end for one that is away; and resumes clean sessions. What is here:

Law 1: what a subscriber of a persistent session has not acknowledged is sent to it again when it is back [MQTT-4.4.0-1], marked DUP, before
what was queued for it meanwhile.
Law 2: nothing waits for a subscriber's acknowledgements but the messages themselves.
Law 3: a session is connected while its newest connection is; a clean one ends with it [MQTT-3.1.2-6].
Law 4: who does not know the run's password has no session.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import amqtt.broker
from amqtt.broker import Broker
from amqtt.errors import AMQTTError
from amqtt.mqtt.protocol.broker_handler import BrokerProtocolHandler
from amqtt.mqtt.pubrel import PubrelPacket
from amqtt.plugins.base import BaseAuthPlugin
from amqtt.session import INCOMING, Session

_QOS_0, _QOS_1 = 0, 1


class KeepingHandler(BrokerProtocolHandler):
    """One connection. `tasks`: of the whole broker."""

    tasks: asyncio.TaskGroup

    async def start(self) -> None:
        if not self.session.transitions.is_connected():  # the old connection's end came in between
            self.session.transitions.connect()
        await super().start()

    async def _handle_message_flow(self, app_message: Any) -> None:
        """Of an outgoing message: what was sent stays in flight until it is acknowledged to the end, whatever ends this flow."""
        if app_message.direction == INCOMING or app_message.qos == _QOS_0:
            await super()._handle_message_flow(app_message)
            return
        flights, number = self.session.inflight_out, app_message.packet_id
        flights[number] = app_message
        if app_message.qos == _QOS_1:
            app_message.puback_packet = await self._answered(self._puback_waiters, number, self._publish(app_message))
        else:
            if app_message.pubrec_packet is None:
                app_message.pubrec_packet = await self._answered(self._pubrec_waiters, number, self._publish(app_message))
            app_message.pubrel_packet = PubrelPacket.build(number)
            app_message.pubcomp_packet = await self._answered(self._pubcomp_waiters, number, app_message.pubrel_packet)
        flights.pop(number, None)

    def _publish(self, app_message: Any) -> Any:
        app_message.publish_packet = app_message.build_publish_packet(dup=app_message.publish_packet is not None)
        return app_message.publish_packet

    async def _answered(self, waiters: dict[int, Any], number: int, packet: Any) -> Any:
        waiters[number] = asyncio.get_running_loop().create_future()
        try:
            await self._send_packet(packet)
            return await waiters[number]
        finally:
            waiters.pop(number, None)

    async def _retry_deliveries(self) -> None:
        waited_for = {*self._puback_waiters, *self._pubrec_waiters, *self._pubcomp_waiters}
        ours = [message for number, message in self.session.inflight_out.items() if number not in waited_for]
        theirs = list(self.session.inflight_in.values())
        for message in (*theirs, *ours):
            self.tasks.create_task(_deliver(self._handle_message_flow(message)))
        await asyncio.sleep(0)  # each has asked for the wire, in this order


async def _deliver(flow: Coroutine[Any, Any, Any]) -> None:
    with suppress(AMQTTError):  # the connection ended under it: the message stays in flight
        await flow


class KeepingBroker(Broker):
    """Of one run."""

    async def _handle_disconnect(self, client_session: Session, handler: BrokerProtocolHandler, disconnect_waiter: Any) -> None:
        """No wills here, and no plugins that would want to know."""
        await self._stop_handler(handler)
        if self._get_handler(client_session) is handler:
            client_session.transitions.disconnect()
            if client_session.clean_session:
                await self._delete_session(client_session.client_id or "")

    async def _publish_session_retained_messages(self, session: Session) -> None:
        """What was queued while the subscriber was away."""
        handler = self._get_handler(session)
        while handler is not None and not session.retained_messages.empty():
            queued = session.retained_messages.get_nowait()
            flow = handler.mqtt_publish(queued.topic, queued.data, queued.qos, retain=False)
            KeepingHandler.tasks.create_task(_deliver(flow))


class Password(BaseAuthPlugin):
    """One secret for all clients of a run."""

    async def authenticate(self, *, session: Session) -> bool:
        return hmac.compare_digest(session.password or "", self.config.secret)

    @dataclass
    class Config:
        """`secret`: what every client must know."""

        secret: str


async def keep(port: int, secret: str) -> None:
    """Serve on loopback until this process ends."""
    amqtt.broker.BrokerProtocolHandler = KeepingHandler
    listener = {"type": "tcp", "bind": f"127.0.0.1:{port}", "max_connections": 200}
    plugins = {f"{__name__}.{Password.__name__}": {"secret": secret}}
    async with asyncio.TaskGroup() as KeepingHandler.tasks:
        await KeepingBroker({"listeners": {"default": listener}, "plugins": plugins}).start()
        await asyncio.get_running_loop().create_future()
