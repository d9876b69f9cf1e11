"""One outgoing connection to one peer, for ever: dial, prove, send, and dial again.

Law 1: a connection carries messages one way, from the opener to the acceptor; answers come on the peer's own.
Law 2: without a connection a message is dropped at once: Raft sends again what still matters, and stale news only
       harms.
Law 3: when the peer reads too slowly, the newest messages are dropped, not the oldest: what is delivered then has no
       gap.
Law 4: pauses between attempts grow from 10 ms to half a second, with jitter, so that a restarted node is not stormed.
"""

from __future__ import annotations

import asyncio
from typing import Final, cast

from cluster import wire
from cluster.core.errors import ProtocolError
from cluster.core.types import FRAME_BYTES_MAX, Dice, NodeId
from cluster.node.complaints import Complaints
from cluster.node.listener import HANDSHAKE_BYTES_MAX, HANDSHAKE_TIMEOUT_S, Identity, send_at_once

BACKOFF_MIN_S: Final = 0.010
BACKOFF_MAX_S: Final = 0.500
# What may wait in the process for one peer: some of the largest frames.
QUEUE_BYTES_MAX: Final = 4 * FRAME_BYTES_MAX
# What may wait in asyncio's buffer before it asks us to stop (the kernel's own buffer comes on top).
BUFFER_BYTES_HIGH: Final = 256 * 1024


class Dialer:
    """The way to `peer`. `send` queues, `flush` writes what was queued in one go."""

    def __init__(self, identity: Identity, peer: NodeId, complaints: Complaints, dice: Dice) -> None:
        self.peer = peer
        self.overflowed = 0  # messages dropped because the peer reads too slowly
        self.unconnected = 0  # messages dropped for want of a connection
        self._identity, self._complaints, self._dice = identity, complaints, dice
        self._link: Link | None = None
        self._queue: list[bytes] = []
        self._queued_bytes = 0
        self._hurry = asyncio.Event()

    @property
    def connected(self) -> bool:
        return self._link is not None

    def send(self, frame: bytes) -> bool:
        """Queue one frame for `flush`; False when it was dropped, and counted."""
        if self._link is None:
            self.unconnected += 1
            return False
        if self._queued_bytes + len(frame) > QUEUE_BYTES_MAX:
            self.overflowed += 1
            return False
        self._queue.append(frame)
        self._queued_bytes += len(frame)
        return True

    def flush(self) -> None:
        """One write for all that was queued since the last, unless the connection is full."""
        if self._queue and self._link is not None and not self._link.full:
            queue = self._queue
            self._link.transport.write(queue[0] if len(queue) == 1 else b"".join(queue))
            queue.clear()
            self._queued_bytes = 0

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
            self.ended()

    def opened(self, link: Link) -> None:
        self._link = link

    def ended(self) -> None:
        """Nothing that waited for the old connection goes to the new one."""
        if self._link is not None:
            self._link.transport.abort()
        self._link = None
        self._queue.clear()
        self._queued_bytes = 0

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
        self._splitter = wire.FrameSplitter(HANDSHAKE_BYTES_MAX)
        self._deadline: asyncio.TimerHandle | None = None
        self.transport: asyncio.Transport
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.accepted = False
        self.full = False

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
        self.full = True

    def resume_writing(self) -> None:
        self.full = False
        self._dialer.flush()

    def connection_lost(self, error: Exception | None) -> None:
        self._stop_clock()
        if self.accepted:
            self._dialer.ended()
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
            self._dialer.opened(self)
        else:
            raise ProtocolError(f"unexpected {message} from the port of {self._dialer.peer}")

    def _stop_clock(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
