"""A closed loop of unary gRPC calls over one HTTP/2 connection, as light as a load must be.

A general client spends more on a call than etcd does. This one knows one method: header block, data frame and message are encoded
beforehand, and of the answers only what ends a call is read (RFC 9113 §4–6, gRPC over HTTP/2). Header fields are literals without
indexing (RFC 7541 §6.2.2), so that no table has to be kept on either side.

Law 1: the peer's flow-control window of the connection is respected: a call that does not fit waits.
"""

from __future__ import annotations

import asyncio
import struct
import time
from collections import deque
from typing import Final, cast

from cluster.node.listener import send_at_once
from tui.bench.rivals.rival import Slots, requests

_PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _RST_STREAM, _SETTINGS, _PING, _GOAWAY, _WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
_END_STREAM, _ACK, _END_HEADERS = 1, 1, 4
_INITIAL_WINDOW_SIZE: Final = 4  # the setting's number
_WINDOW_DEFAULT: Final = 65_535
_WINDOW_MAX: Final = 2**31 - 1
_FRAME_HEADER_BYTES: Final = 9


class GrpcLoad(asyncio.Protocol):
    """`slots` calls in flight. A call that ends without a message counts as failed."""

    def __init__(self, path: bytes, slots: int, count: Slots) -> None:
        self._headers = _header_block(path)
        self._count = count
        self._messages = requests(slots, lambda slot, key, value: _grpc_message(put_request(key.encode(), value.encode())))
        self._turn = [0] * slots
        self._calls: dict[int, _Call] = {}
        self._waiting: deque[int] = deque()  # slots, for want of window
        self._stream = -1
        self._window = _WINDOW_DEFAULT
        self._buffer = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        send_at_once(self._transport)
        settings = _frame(_SETTINGS, 0, 0, struct.pack(">HI", _INITIAL_WINDOW_SIZE, _WINDOW_MAX))
        widen = _frame(_WINDOW_UPDATE, 0, 0, struct.pack(">I", _WINDOW_MAX - _WINDOW_DEFAULT))
        self._transport.write(_PREFACE + settings + widen)

    def begin(self) -> None:
        self._transport.write(b"".join(self._next(slot) for slot in range(len(self._messages))))

    def close(self) -> None:
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer + data if self._buffer else data
        out: list[bytes] = []
        at, end = 0, len(buffer)
        while end - at >= _FRAME_HEADER_BYTES:
            length = buffer[at] << 16 | buffer[at + 1] << 8 | buffer[at + 2]
            after = at + _FRAME_HEADER_BYTES + length
            if after > end:
                break
            stream = int.from_bytes(buffer[at + 5 : at + 9], "big") & _WINDOW_MAX
            self._frame_came(buffer[at + 3], buffer[at + 4], stream, buffer[at + _FRAME_HEADER_BYTES : after], out)
            at = after
        self._buffer = buffer[at:]
        if out:
            self._transport.write(b"".join(out))

    def _frame_came(self, kind: int, flags: int, stream: int, payload: bytes, out: list[bytes]) -> None:
        if kind in (_DATA, _HEADERS, _RST_STREAM):
            call = self._calls.get(stream)
            if call is not None:
                call.answered = call.answered or kind == _DATA
                if kind == _RST_STREAM or flags & _END_STREAM:
                    self._ended(stream, call, out)
        elif kind == _WINDOW_UPDATE and stream == 0:
            self._window += int.from_bytes(payload, "big")
            while self._waiting and (frames := self._next(self._waiting.popleft())):
                out.append(frames)
        elif kind in (_SETTINGS, _PING) and not flags & _ACK:
            out.append(_frame(kind, _ACK, 0, payload if kind == _PING else b""))
        elif kind == _GOAWAY:
            self._transport.abort()

    def _ended(self, stream: int, call: _Call, out: list[bytes]) -> None:
        del self._calls[stream]
        self._count.answered(call.answered, time.perf_counter_ns() - call.sent_ns)
        if self._count.running:
            out.append(self._next(call.slot))

    def _next(self, slot: int) -> bytes:
        """The frames of this slot's next call; nothing when the window is too small for it now."""
        messages = self._messages[slot]
        message = messages[self._turn[slot]]
        if len(message) > self._window:
            self._waiting.append(slot)
            return b""
        self._window -= len(message)
        self._turn[slot] = (self._turn[slot] + 1) % len(messages)
        self._stream = stream = self._stream + 2
        self._calls[stream] = _Call(slot)
        return _frame(_HEADERS, _END_HEADERS, stream, self._headers) + _frame(_DATA, _END_STREAM, stream, message)


class _Call:
    __slots__ = ("answered", "sent_ns", "slot")

    def __init__(self, slot: int) -> None:
        self.slot = slot
        self.sent_ns = time.perf_counter_ns()
        self.answered = False


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return struct.pack(">IBI", len(payload) << 8 | kind, flags, stream) + payload


def _header_block(path: bytes) -> bytes:
    """RFC 7541, appendix A: 3 is `:method: POST`, 6 `:scheme: http`; 4, 1 and 31 name `:path`, `:authority`, `content-type`."""
    fields = bytes([0x80 | 3, 0x80 | 6, 4]) + _literal(path) + bytes([1]) + _literal(b"localhost")
    fields += bytes([0x0F, 31 - 15]) + _literal(b"application/grpc")
    return fields + bytes([0]) + _literal(b"te") + _literal(b"trailers")


def _literal(text: bytes) -> bytes:
    assert len(text) < 127, "longer ones need a length of several bytes"
    return bytes([len(text)]) + text


def _grpc_message(message: bytes) -> bytes:
    return struct.pack(">BI", 0, len(message)) + message


def put_request(key: bytes, value: bytes) -> bytes:
    """etcd's `PutRequest`: field 1 is the key, 2 the value, both bytes (protobuf wire type 2)."""
    return b"".join(bytes([number << 3 | 2]) + _varint(len(field)) + field for number, field in ((1, key), (2, value)))


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])
