"""The server's side of as much HTTP/2 as a load needs: a small window, every third call without an answer, and a list of breaches."""

from __future__ import annotations

import asyncio
import struct
from typing import cast

WINDOW = 65_535
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, SETTINGS, WINDOW_UPDATE = 0, 1, 4, 8


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return struct.pack(">IBI", len(payload) << 8 | kind, flags, stream) + payload


class Counter(asyncio.Protocol):
    """Gives the window back only when half of it is used; whoever sends beyond it commits a breach."""

    def __init__(self) -> None:
        self.breaches: list[str] = []
        self.paths: set[bytes] = set()
        self.first_message = b""
        self.calls = 0
        self._window = WINDOW
        self._owed = 0
        self._last_stream = 0
        self._buffer = b""
        self._greeted = False
        self._news = asyncio.Event()
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(frame(SETTINGS, 0, 0))

    async def until(self, calls: int) -> None:
        while self.calls < calls:
            self._news.clear()
            await self._news.wait()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._greeted and len(self._buffer) >= len(PREFACE):
            self._greeted = True
            if not self._buffer.startswith(PREFACE):
                self.breaches.append("no preface")
            self._buffer = self._buffer[len(PREFACE) :]
        while self._greeted and len(self._buffer) >= 9:
            length = int.from_bytes(self._buffer[:3], "big")
            if len(self._buffer) < 9 + length:
                break
            head, body = self._buffer[:9], self._buffer[9 : 9 + length]
            self._buffer = self._buffer[9 + length :]
            self._frame(head[3], head[4], int.from_bytes(head[5:9], "big"), body)

    def _frame(self, kind: int, flags: int, stream: int, body: bytes) -> None:
        if kind == SETTINGS and not flags & 1:
            self._transport.write(frame(SETTINGS, 1, 0))
        elif kind == HEADERS:
            if stream <= self._last_stream or stream % 2 == 0:
                self.breaches.append(f"stream {stream} after {self._last_stream}")
            self._last_stream = stream
            self.paths.add(body[4 : 4 + body[3]])
        elif kind == DATA:
            self._data(stream, flags, body)

    def _data(self, stream: int, flags: int, body: bytes) -> None:
        self._window -= len(body)
        self._owed += len(body)
        if self._window < 0:
            self.breaches.append("more data than the window allows")
        if not flags & 1:
            self.breaches.append("a unary call ends with its message")
        self.first_message = self.first_message or body
        self.calls += 1
        answer = b"" if self.calls % 3 == 0 else frame(DATA, 0, stream, b"\x00\x00\x00\x00\x00")
        self._transport.write(frame(HEADERS, 4, stream, b"\x88") + answer + frame(HEADERS, 5, stream, b"\x88"))
        if self._owed > WINDOW // 2:
            self._transport.write(frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", self._owed)))
            self._window += self._owed
            self._owed = 0
        self._news.set()
