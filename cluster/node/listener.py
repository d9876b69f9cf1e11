"""The node's one TCP port: whoever proves to hold the run's secret becomes a peer's or a client's session.

Law 1: before the proof a connection may send one small frame and has two seconds; afterwards it is bounded by its
       session.
Law 2: whatever is malformed, too large, unproven or too much closes the connection and is counted; nothing else
       happens.
Law 3: nothing is believed before `Accepted` went out: bytes sent ahead of it are a breach.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import Callable
from typing import Final, Protocol, cast

import msgspec

from cluster import wire
from cluster.core.errors import ProtocolError
from cluster.core.types import NodeId
from cluster.framing import FrameSplitter
from cluster.node.complaints import Complaints

CONNECTIONS_MAX: Final = 512
# Strangers at the door. Beyond this the oldest is turned away: a peer proves itself within milliseconds, and must not
# find the door blocked by a crowd that waits.
UNPROVEN_MAX: Final = 64
HANDSHAKE_TIMEOUT_S: Final = 2.0
HANDSHAKE_BYTES_MAX: Final = 1_024
NONCE_BYTES: Final = 16


class Identity(msgspec.Struct, frozen=True):
    """Who a node is in this run."""

    node: NodeId
    epoch: int
    members: dict[NodeId, int]  # node -> port
    secret: bytes
    host: str = "127.0.0.1"


class Session(Protocol):
    """What a connection becomes once its other end is known."""

    def bodies(self, bodies: list[bytes]) -> None:
        """The frames of one read. Raises `ProtocolError` when one is not what this session speaks."""
        ...

    def paused(self, paused: bool) -> None:
        """The other end reads too slowly (or reads again)."""
        ...

    def lost(self) -> None:
        """The connection is gone."""
        ...


OpenSession = Callable[[wire.Proof, asyncio.Transport], Session]


class Door:
    """Everything the connections of one port share."""

    def __init__(self, identity: Identity, openers: dict[str, OpenSession], complaints: Complaints) -> None:
        self.identity, self.openers, self.complaints = identity, openers, complaints
        self.connections: set[Inbound] = set()
        self._strangers: dict[Inbound, None] = {}  # oldest first

    @property
    def unproven(self) -> int:
        return len(self._strangers)

    def enter(self, connection: Inbound) -> bool:
        """Let one in, in the place of the oldest stranger if need be; False when all places belong to those who proved themselves."""
        if len(self._strangers) >= UNPROVEN_MAX or len(self.connections) >= CONNECTIONS_MAX:
            self.complaints.add("crowded", "too many connections: the oldest that has proved nothing is closed")
            oldest = next(iter(self._strangers), None)
            if oldest is None:
                return False
            self.left(oldest)
            oldest.abort()
        self.connections.add(connection)
        self._strangers[connection] = None
        return True

    def proven(self, connection: Inbound) -> None:
        self._strangers.pop(connection, None)

    def left(self, connection: Inbound) -> None:
        self.connections.discard(connection)
        self._strangers.pop(connection, None)

    def close(self) -> None:
        for connection in list(self.connections):
            connection.abort()


class Inbound(asyncio.Protocol):
    """One accepted connection."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._splitter = FrameSplitter(HANDSHAKE_BYTES_MAX)
        self._nonce = secrets.token_bytes(NONCE_BYTES)
        self._session: Session | None = None
        self._broken = False  # it broke the rules, or was turned away: what is still read of it counts for nothing
        self._transport: asyncio.Transport
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass
        if not self._door.enter(self):
            self.abort()
            return
        send_at_once(transport)
        self._deadline = asyncio.get_running_loop().call_later(HANDSHAKE_TIMEOUT_S, self._too_late)
        transport.write(wire.HANDSHAKE.encode(wire.Challenge(wire.WIRE_VERSION, self._nonce)))

    def data_received(self, data: bytes) -> None:
        if self._broken:
            return
        try:
            bodies = self._splitter.feed(data)
            if self._session is None:
                self._greeted(bodies)
            else:
                self._session.bodies(bodies)
        except ProtocolError as error:
            self._door.complaints.add("garbage", f"connection closed: {error}")
            self.abort()

    def pause_writing(self) -> None:
        if self._session is not None:
            self._session.paused(True)

    def resume_writing(self) -> None:
        if self._session is not None:
            self._session.paused(False)

    def connection_lost(self, error: Exception | None) -> None:
        self._door.left(self)
        self._stop_deadline()
        if self._session is not None:
            self._session.lost()

    def abort(self) -> None:
        """Close now; what is buffered for a peer that broke the rules is not worth sending."""
        self._broken = True
        self._transport.abort()

    def _greeted(self, bodies: list[bytes]) -> None:
        """The first frame must be the proof, and the last one until it is accepted."""
        if not bodies:
            return
        proof = wire.HANDSHAKE.decode_body(bodies[0])
        if not isinstance(proof, wire.Proof):
            raise ProtocolError(f"expected a proof, got {type(proof).__name__}")
        wire.check_proof(self._door.identity.secret, self._nonce, proof)
        if len(bodies) > 1 or self._splitter.waiting_bytes:
            raise ProtocolError(f"{proof.kind} {proof.name!r} spoke before it was accepted")
        opener = self._door.openers.get(proof.kind)
        if opener is None:
            raise ProtocolError(f"unknown kind of connection {proof.kind!r}")
        self._session = opener(proof, self._transport)
        self._splitter = FrameSplitter()
        self._door.proven(self)
        self._stop_deadline()
        self._transport.write(wire.HANDSHAKE.encode(wire.Accepted(self._door.identity.node)))

    def _stop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_late(self) -> None:
        self._door.complaints.add("silent", f"connection closed: no proof within {HANDSHAKE_TIMEOUT_S:g} s")
        self.abort()


def send_at_once(transport: asyncio.Transport) -> None:
    """Nagle would hold a heartbeat back for the answer to the one before."""
    connection = transport.get_extra_info("socket")
    if connection is not None and connection.family in (socket.AF_INET, socket.AF_INET6):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
