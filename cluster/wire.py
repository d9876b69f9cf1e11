"""Bytes <-> messages: which there are, in frames and datagrams; version, authentication. Sans-IO: nothing here opens a socket.

Frames are those of `cluster.framing`. Datagram: 16 bytes keyed BLAKE2b tag, then a msgpack body.
Handshake of a TCP connection: the acceptor sends `Challenge`, the opener answers `Proof`, the acceptor answers `Accepted`
(or closes). Unix sockets live in a 0700 directory and skip it.

Law 1: every byte that arrives is untrusted: whatever is malformed, too large or unsigned raises `ProtocolError`, nothing else.
Law 2: equal messages encode to equal bytes.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from cluster.core.errors import UNDECODABLE, ProtocolError
from cluster.core.gossip.messages import GossipMessage
from cluster.core.kv.ops import Operation, Reply
from cluster.core.raft.messages import RaftMessage
from cluster.core.types import DATAGRAM_BYTES_MAX
from cluster.framing import Codec
from cluster.telemetry.control import ControlMessage, Heard, History, HistoryLine
from cluster.telemetry.events import Event

WIRE_VERSION = 1
TAG_BYTES = 16

Item = TypeVar("Item")
_encoder = msgspec.msgpack.Encoder()


class Challenge(msgspec.Struct, frozen=True, array_like=True, tag="hi"):
    version: int
    nonce: bytes


class Proof(msgspec.Struct, frozen=True, array_like=True, tag="me"):
    """`kind`: "peer" | "client". `mac` = keyed hash over nonce, kind, name and epoch."""

    version: int
    kind: str
    name: str
    epoch: int
    mac: bytes


class Accepted(msgspec.Struct, frozen=True, array_like=True, tag="in"):
    name: str


class ClientRequest(msgspec.Struct, frozen=True, array_like=True, tag="q", gc=False):
    id: int
    operation: Operation


class ClientReply(msgspec.Struct, frozen=True, array_like=True, tag="a", gc=False):
    id: int
    reply: Reply


class ClientReplies(msgspec.Struct, frozen=True, array_like=True, tag="as", gc=False):
    """What became known in one turn of the node for one connection."""

    replies: tuple[ClientReply, ...]


class GossipDatagram(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """`target` is inside the signed body so that a datagram cannot be replayed at another node."""

    sender: str
    target: str
    epoch: int
    message: GossipMessage


Handshake = Challenge | Proof | Accepted
ClientMessage = ClientRequest | ClientReply | ClientReplies


PEER: Codec[RaftMessage] = Codec(RaftMessage)
CLIENT: Codec[ClientMessage] = Codec(ClientMessage)
REQUEST: Codec[ClientRequest] = Codec(ClientRequest)
CONTROL: Codec[ControlMessage] = Codec(ControlMessage)
HANDSHAKE: Codec[Handshake] = Codec(Handshake)
_DATAGRAM: msgspec.msgpack.Decoder[GossipDatagram] = msgspec.msgpack.Decoder(GossipDatagram)


def heard_frames(events: tuple[Event, ...]) -> list[bytes]:
    """`Heard` frames that carry these events in order: one, or more where one would exceed the limit (plans of many links do)."""
    return _frames(Heard, events)


def history_frames(lines: tuple[HistoryLine, ...]) -> list[bytes]:
    """The same for what clients asked and heard."""
    return _frames(lambda some: History(some, ()), lines)


def _frames(message: Callable[[tuple[Item, ...]], Any], items: tuple[Item, ...]) -> list[bytes]:
    try:
        return [CONTROL.encode(message(items))]
    except ProtocolError:
        if len(items) == 1:
            raise
    middle = len(items) // 2
    return _frames(message, items[:middle]) + _frames(message, items[middle:])


def replies_in(body: bytes) -> tuple[ClientReply, ...]:
    """What a node says to a client in one frame. Raises `ProtocolError` when it is no answer."""
    message = CLIENT.decode_body(body)
    if isinstance(message, ClientReplies):
        return message.replies
    if isinstance(message, ClientReply):
        return (message,)
    raise ProtocolError("a node does not send requests")


def prove(secret: bytes, nonce: bytes, kind: str, name: str, epoch: int) -> Proof:
    """The opener's answer to a challenge."""
    return Proof(WIRE_VERSION, kind, name, epoch, _mac(secret, nonce, kind, name, epoch))


def check_proof(secret: bytes, nonce: bytes, proof: Proof) -> None:
    """Raises `ProtocolError` unless the opener holds the run's secret and speaks our version."""
    if proof.version != WIRE_VERSION:
        raise ProtocolError(f"peer speaks wire version {proof.version}, this is {WIRE_VERSION}")
    if not hmac.compare_digest(proof.mac, _mac(secret, nonce, proof.kind, proof.name, proof.epoch)):
        raise ProtocolError(f"{proof.kind} {proof.name!r} does not hold this run's secret")


def _mac(secret: bytes, nonce: bytes, kind: str, name: str, epoch: int) -> bytes:
    material = b"\x00".join((nonce, kind.encode(), name.encode(), str(epoch).encode()))
    return hashlib.blake2b(material, key=secret, digest_size=TAG_BYTES).digest()


def seal(secret: bytes, datagram: GossipDatagram) -> bytes:
    """A signed datagram. Raises `ProtocolError` when it exceeds `DATAGRAM_BYTES_MAX`."""
    body = _encoder.encode(datagram)
    if len(body) + TAG_BYTES > DATAGRAM_BYTES_MAX:
        raise ProtocolError(f"datagram of {len(body)} bytes exceeds the limit of {DATAGRAM_BYTES_MAX}")
    return hashlib.blake2b(body, key=secret, digest_size=TAG_BYTES).digest() + body


def unseal(secret: bytes, data: bytes) -> GossipDatagram:
    """Raises `ProtocolError` for whatever this run's nodes did not sign."""
    if len(data) > DATAGRAM_BYTES_MAX:
        raise ProtocolError("datagram too large")
    tag, body = data[:TAG_BYTES], data[TAG_BYTES:]
    if not hmac.compare_digest(tag, hashlib.blake2b(body, key=secret, digest_size=TAG_BYTES).digest()):
        raise ProtocolError("datagram does not hold this run's secret")
    try:
        return _DATAGRAM.decode(body)
    except UNDECODABLE as error:
        raise ProtocolError(f"malformed datagram: {error}") from error
