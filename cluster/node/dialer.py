"""One outgoing connection to one peer, for ever: dial, prove, send, and dial again.

Law 1: a connection carries messages one way, from the opener to the acceptor; answers come on the peer's own.
Law 2: pauses between attempts grow from 10 ms to half a second, with jitter, so that a restarted node is not stormed.
"""

from __future__ import annotations

import asyncio
from typing import Final, cast

from cluster import wire
from cluster.core.errors import ProtocolError
from cluster.core.types import Dice, NodeId
from cluster.framing import FrameSplitter
from cluster.node.complaints import Complaints
from cluster.node.lane import Lane
from cluster.node.listener import HANDSHAKE_BYTES_MAX, HANDSHAKE_TIMEOUT_S, Identity, send_at_once

BACKOFF_MIN_S: Final = 0.010
BACKOFF_MAX_S: Final = 0.500
# What may wait in asyncio's buffer before it asks us to stop (the kernel's own buffer comes on top).
BUFFER_BYTES_HIGH: Final = 256 * 1024


class Dialer:
    """Keeps the connection to `peer` on which `lane` sends."""

    def __init__(self, identity: Identity, peer: NodeId, complaints: Complaints, dice: Dice) -> None:
        self.peer = peer
        self.lane = Lane()
        self._identity, self._complaints, self._dice = identity, complaints, dice
        self._hurry = asyncio.Event()

    def hurry(self) -> None:
        """The peer has just been heard from: do not wait out the pause."""
        self._hurry.set()

    async def run(self) -> None:
        """Keep a connection until cancelled."""
        backoff_s = BACKOFF_MIN_S
        try:
            while True:
                if await self._attempt():
                    backoff_s = BACKOFF_MIN_S
                await self._pause(backoff_s * (0.5 + self._dice.random()))
                backoff_s = min(2 * backoff_s, BACKOFF_MAX_S)
        finally:
            self.lane.ended()

    async def _attempt(self) -> bool:
        """One connection, from dialling to its end; says whether the peer accepted it."""
        loop = asyncio.get_running_loop()
        link = Link(self, self._identity, self._complaints)
        self._hurry.clear()
        try:
            async with asyncio.timeout(HANDSHAKE_TIMEOUT_S):
                await loop.create_connection(lambda: link, self._identity.host, self._identity.members[self.peer])
        except (OSError, TimeoutError):
            return False  # refused: the peer is down, which is what this loop is for
        try:
            await link.gone
        finally:
            link.transport.abort()
        return link.accepted

    async def _pause(self, pause_s: float) -> None:
        try:
            async with asyncio.timeout(pause_s):
                await self._hurry.wait()
        except TimeoutError:
            return


class Link(asyncio.Protocol):
    """One connection of a `Dialer`."""

    def __init__(self, dialer: Dialer, identity: Identity, complaints: Complaints) -> None:
        self._dialer, self._identity, self._complaints = dialer, identity, complaints
        self._splitter = FrameSplitter(HANDSHAKE_BYTES_MAX)
        self._deadline: asyncio.TimerHandle | None = None
        self.transport: asyncio.Transport
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.accepted = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass
        transport.set_write_buffer_limits(high=BUFFER_BYTES_HIGH)
        send_at_once(transport)
        self._deadline = asyncio.get_running_loop().call_later(HANDSHAKE_TIMEOUT_S, transport.abort)

    def data_received(self, data: bytes) -> None:
        try:
            for body in self._splitter.feed(data):
                self._shaken(wire.HANDSHAKE.decode_body(body))
        except ProtocolError as error:
            self._complaints.add("garbage", f"connection to {self._dialer.peer} closed: {error}")
            self.transport.abort()

    def pause_writing(self) -> None:
        if self.accepted:
            self._dialer.lane.full = True

    def resume_writing(self) -> None:
        if self.accepted:
            self._dialer.lane.full = False
            self._dialer.lane.flush()

    def connection_lost(self, error: Exception | None) -> None:
        self._stop_clock()
        if self.accepted:
            self._dialer.lane.ended()
        if not self.gone.done():
            self.gone.set_result(None)

    def _shaken(self, message: wire.Handshake) -> None:
        me = self._identity
        if isinstance(message, wire.Challenge) and not self.accepted:
            proof = wire.prove(me.secret, message.nonce, "peer", me.node, me.epoch)
            self.transport.write(wire.HANDSHAKE.encode(proof))
        elif isinstance(message, wire.Accepted) and not self.accepted and message.name == self._dialer.peer:
            self._stop_clock()
            self.accepted = True
            self._dialer.lane.opened(self.transport)
        else:
            raise ProtocolError(f"unexpected {message} from the port of {self._dialer.peer}")

    def _stop_clock(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
