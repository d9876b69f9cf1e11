"""Calls between processes of an incident: a method, its arguments, an answer with a status, many at a time over one Unix socket.

Law 1: the socket lies in the run's private directory: who may enter there is known.
Law 2: a connection that ends leaves its open calls undecided (`Undecided`), and so does the end of one's patience: they may have had
their effect. What was never sent (`Unreached`) had none.
Law 3: what is in flight is bounded on both sides.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

import msgspec

from cluster.core.errors import FaultlineError, ProtocolError
from cluster.core.errors import Undecided as Undecided
from cluster.framing import Codec, FrameSplitter

IN_FLIGHT_MAX = 1_000
_RETRY_S = 0.05

OK = 200
CONFLICT = 409  # somebody else is at it: `retry_after_ms` says when to ask again
STALE = 412  # the resource has seen a newer token
MISMATCH = 422  # the same key, and not the same request


class Unreached(FaultlineError):
    """The call was not sent: it certainly had no effect."""


class Call(msgspec.Struct, frozen=True, array_like=True):
    id: int
    method: str
    args: dict[str, Any]


class Answer(msgspec.Struct, frozen=True, array_like=True):
    id: int
    status: int
    body: dict[str, Any]


CALLS: Codec[Call] = Codec(Call)
ANSWERS: Codec[Answer] = Codec(Answer)
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
                call = CALLS.decode_body(body)
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
            self._transport.write(ANSWERS.encode(Answer(call.id, status, body)))


class Caller:
    """Calls to one server, over one connection at a time; a call that finds it gone makes a new one."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._line: _Line | None = None
        self._connecting = asyncio.Lock()

    @classmethod
    async def connect(cls, path: str) -> Caller:
        """Raises `Unreached` when nobody listens there."""
        caller = cls(path)
        await caller._connected()
        return caller

    def close(self) -> None:
        if self._line is not None:
            self._line.close()

    async def call(self, method: str, within_ms: float | None = None, **args: Any) -> Answer:
        """Raises `Unreached` when it was not sent, `Undecided` when no answer came: in time, or before the connection ended."""
        try:
            async with asyncio.timeout(None if within_ms is None else within_ms / 1_000):
                line = await self._connected()
                return await line.call(method, args)
        except TimeoutError:
            raise Undecided(f"{method}: no answer within {within_ms:g} ms") from None

    async def insist(self, method: str, **args: Any) -> Answer:
        """Until there is an answer: for calls that may be made twice."""
        while True:
            try:
                return await self.call(method, **args)
            except (Unreached, Undecided):
                await asyncio.sleep(_RETRY_S)

    async def _connected(self) -> _Line:
        async with self._connecting:
            if self._line is None or self._line.gone:
                try:
                    _, self._line = await asyncio.get_running_loop().create_unix_connection(_Line, self._path)
                except OSError as error:
                    raise Unreached(f"nobody listens at {self._path}: {error.strerror}") from None
            return self._line


class _Line(asyncio.Protocol):
    def __init__(self) -> None:
        self._frames = FrameSplitter()
        self._waiting: dict[int, asyncio.Future[Answer]] = {}
        self._last_id = 0
        self._transport: asyncio.Transport | None = None

    @property
    def gone(self) -> bool:
        return self._transport is None or self._transport.is_closing()

    def close(self) -> None:
        assert self._transport is not None
        self._transport.close()

    async def call(self, method: str, args: dict[str, Any]) -> Answer:
        assert self._transport is not None
        assert len(self._waiting) < IN_FLIGHT_MAX
        self._last_id += 1
        number = self._last_id
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        self._transport.write(CALLS.encode(Call(number, method, args)))
        try:
            return await answer
        finally:
            del self._waiting[number]  # an answer that comes later finds nobody

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        try:
            for body in self._frames.feed(data):
                answer = ANSWERS.decode_body(body)
                waiting = self._waiting.get(answer.id)
                if waiting is not None and not waiting.done():
                    waiting.set_result(answer)
        except ProtocolError:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(Undecided("the connection ended before the answer"))
