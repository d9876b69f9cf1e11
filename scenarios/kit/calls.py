"""Calls between processes of an incident: a method, its arguments, an answer with a status, many at a time over one Unix socket.

Law 1: the socket lies in the run's private directory: who may enter there is known.
Law 2: a connection that ends leaves its open calls undecided (`Undecided`): they may have had their effect.
Law 3: what is in flight is bounded on both sides.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

import msgspec

from cluster.core.errors import ProtocolError
from cluster.core.errors import Undecided as Undecided
from cluster.wire import Codec, FrameSplitter

IN_FLIGHT_MAX = 1_000

OK = 200
STALE = 412  # the resource has seen a newer token


class Call(msgspec.Struct, frozen=True, array_like=True):
    id: int
    method: str
    args: dict[str, Any]


class Answer(msgspec.Struct, frozen=True, array_like=True):
    id: int
    status: int
    body: dict[str, Any]


_CALLS: Codec[Call] = Codec(Call)
_ANSWERS: Codec[Answer] = Codec(Answer)
Handler = Callable[[dict[str, Any]], Awaitable[tuple[int, dict[str, Any]]]]


async def serve(path: str, methods: dict[str, Handler], tasks: asyncio.TaskGroup) -> None:
    """Answer calls at `path` until `tasks` end. Each call is one of them: what a handler raises ends the process, loudly."""
    open_ones: set[asyncio.Transport] = set()
    server = await asyncio.get_running_loop().create_unix_server(lambda: _Served(methods, tasks, open_ones), path)

    async def keep() -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            server.close()
            for transport in open_ones:
                transport.abort()

    tasks.create_task(keep())


class _Served(asyncio.Protocol):
    def __init__(self, methods: dict[str, Handler], tasks: asyncio.TaskGroup, open_ones: set[asyncio.Transport]) -> None:
        self._methods = methods
        self._tasks = tasks
        self._open_ones = open_ones
        self._frames = FrameSplitter()
        self._in_flight = 0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._open_ones.add(self._transport)

    def connection_lost(self, exc: Exception | None) -> None:
        assert self._transport is not None
        self._open_ones.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        try:
            for body in self._frames.feed(data):
                call = _CALLS.decode_body(body)
                if call.method not in self._methods or self._in_flight == IN_FLIGHT_MAX:
                    raise ProtocolError(f"no method {call.method!r}, or too many calls")
                self._in_flight += 1
                self._tasks.create_task(self._answer(call))
        except ProtocolError:
            self._transport.abort()

    async def _answer(self, call: Call) -> None:
        status, body = await self._methods[call.method](call.args)
        self._in_flight -= 1
        assert self._transport is not None
        if not self._transport.is_closing():
            self._transport.write(_ANSWERS.encode(Answer(call.id, status, body)))


class Caller(asyncio.Protocol):
    """One connection to a server, kept open for all calls."""

    def __init__(self) -> None:
        self._frames = FrameSplitter()
        self._waiting: dict[int, asyncio.Future[Answer]] = {}
        self._last_id = 0
        self._transport: asyncio.Transport | None = None

    @classmethod
    async def connect(cls, path: str) -> Caller:
        _, caller = await asyncio.get_running_loop().create_unix_connection(cls, path)
        return caller

    def close(self) -> None:
        assert self._transport is not None
        self._transport.close()

    async def call(self, method: str, **args: Any) -> Answer:
        """Raises `Undecided` when the connection ends first."""
        assert self._transport is not None
        assert len(self._waiting) < IN_FLIGHT_MAX
        if self._transport.is_closing():
            raise Undecided(f"{method}: the connection is gone")
        self._last_id += 1
        number = self._last_id
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        self._transport.write(_CALLS.encode(Call(number, method, args)))
        try:
            return await answer
        finally:
            del self._waiting[number]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        try:
            for body in self._frames.feed(data):
                answer = _ANSWERS.decode_body(body)
                waiting = self._waiting.get(answer.id)
                if waiting is not None and not waiting.done():
                    waiting.set_result(answer)
        except ProtocolError:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(Undecided("the connection ended before the answer"))
