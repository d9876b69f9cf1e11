"""Frames of a byte stream, and the messages in them. Sans-IO: nothing here opens a socket.

Frame: 4 bytes big-endian length of the body, then a msgpack body.

Law 1: every byte that arrives is untrusted: whatever is malformed or too large raises `ProtocolError`, nothing else.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, Final, Generic, TypeVar

import msgspec

from cluster.core.errors import UNDECODABLE, ProtocolError
from cluster.core.types import FRAME_BYTES_MAX

HEADER_BYTES: Final = 4

T = TypeVar("T")
_length_at: Final = struct.Struct("!I").unpack_from
_encoder: Final = msgspec.msgpack.Encoder()


class Codec(Generic[T]):
    """Frames of one union of messages. `Codec(RaftMessage).encode(m)`; feed bytes to `decoder()`."""

    def __init__(self, union: Any) -> None:
        self._decode: Callable[[bytes | memoryview], T] = msgspec.msgpack.Decoder(union).decode

    def encode(self, message: Any) -> bytes:
        """One frame, header included. Raises `ProtocolError` when it is too large to be accepted by anyone."""
        body = _encoder.encode(message)
        if len(body) > FRAME_BYTES_MAX:
            raise ProtocolError(f"message of {len(body)} bytes exceeds the limit of {FRAME_BYTES_MAX}")
        return len(body).to_bytes(HEADER_BYTES, "big") + body

    def decode_body(self, body: bytes | memoryview) -> T:
        """One frame's body. Raises `ProtocolError` on anything that is not a message of this union."""
        try:
            return self._decode(body)
        except UNDECODABLE as error:
            raise ProtocolError(f"malformed message: {error}") from error

    def decode_bodies(self, bodies: list[bytes]) -> list[T]:
        """The same for the frames of one read."""
        try:
            return list(map(self._decode, bodies))
        except UNDECODABLE as error:
            raise ProtocolError(f"malformed message: {error}") from error


class FrameSplitter:
    """Cuts a byte stream into frame bodies. `feed` returns the bodies completed by these bytes; the rest waits."""

    def __init__(self, limit_bytes: int = FRAME_BYTES_MAX) -> None:
        self._buffer = bytearray()
        self._limit_bytes = limit_bytes

    @property
    def waiting_bytes(self) -> int:
        """Bytes of an unfinished frame: not zero at the end of a file means the file was cut."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[bytes]:
        """Raises `ProtocolError` as soon as a header announces more than the limit."""
        buffer = self._buffer
        if not buffer:  # by far the most frequent: what arrives is whole frames, and is cut where it lies
            if len(data) == HEADER_BYTES + int.from_bytes(data[:HEADER_BYTES], "big") <= self._limit_bytes:
                return [data[HEADER_BYTES:]]
            bodies, end = self._cut(data)
            if end < len(data):
                buffer += data[end:]
            return bodies
        buffer += data
        bodies, end = self._cut(buffer)
        if end:
            del buffer[:end]
        return bodies

    def _cut(self, data: bytes | bytearray) -> tuple[list[bytes], int]:
        """The bodies of the whole frames in `data`, and where the last of them ends."""
        bodies: list[bytes] = []
        begin, end = HEADER_BYTES, 0
        while begin <= len(data):
            (length,) = _length_at(data, end)
            if length > self._limit_bytes:
                raise ProtocolError(f"frame of {length} bytes exceeds the limit of {self._limit_bytes}")
            if begin + length > len(data):
                break
            end = begin + length
            bodies.append(bytes(data[begin:end]))
            begin = end + HEADER_BYTES
        return bodies, end
