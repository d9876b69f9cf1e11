"""Gossip over UDP on the node's own port number: signed, bounded, and lost without ceremony.

Law 1: a datagram that this run's nodes did not sign, or that was meant for another node, is counted and forgotten.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, Protocol, cast

from cluster import wire
from cluster.core.errors import ProtocolError
from cluster.core.gossip.messages import GossipMessage
from cluster.core.types import NodeId
from cluster.node.complaints import Complaints
from cluster.node.listener import Identity

# Loopback takes datagrams at once; what piles up beyond this is old news by the time it could leave.
BUFFER_BYTES_MAX: Final = 256 * 1024


class DatagramOut(Protocol):
    """What asyncio's and uvloop's datagram transports have in common (the abstract class lacks the buffer's size)."""

    def sendto(self, data: bytes, addr: tuple[str, int]) -> None: ...
    def get_write_buffer_size(self) -> int: ...
    def is_closing(self) -> bool: ...
    def abort(self) -> None: ...


class Datagrams(asyncio.DatagramProtocol):
    """The node's UDP endpoint. `hear(sender, message)` gets what is authentic and addressed to this node."""

    def __init__(self, identity: Identity, hear: Callable[[NodeId, GossipMessage], None], complaints: Complaints) -> None:
        self.overflowed = 0
        self._identity, self._hear, self._complaints = identity, hear, complaints
        self._transport: DatagramOut | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not asserted by type: uvloop's datagram transport is not an `asyncio.DatagramTransport`.
        self._transport = cast(DatagramOut, transport)

    def seal(self, to: NodeId, message: GossipMessage) -> bytes:
        """The datagram for `to`. Raises `ProtocolError` when it would be too large."""
        me = self._identity
        return wire.seal(me.secret, wire.GossipDatagram(me.node, to, me.epoch, message))

    def send(self, to: NodeId, data: bytes) -> None:
        """Send a sealed datagram now, or count it as lost."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if transport.get_write_buffer_size() > BUFFER_BYTES_MAX:
            self.overflowed += 1
            return
        transport.sendto(data, (self._identity.host, self._identity.members[to]))

    def datagram_received(self, data: bytes, address: object) -> None:
        try:
            datagram = wire.unseal(self._identity.secret, data)
        except ProtocolError as error:
            self._complaints.add("garbage", f"datagram ignored: {error}")
            return
        if datagram.target != self._identity.node or datagram.sender not in self._identity.members:
            self._complaints.add("stray", f"datagram ignored: {datagram.sender!r} to {datagram.target!r}")
            return
        self._hear(datagram.sender, datagram.message)

    def error_received(self, error: Exception) -> None:
        """The kernel says that a peer's port is closed: a dead peer, which the detector will notice by itself."""

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()
