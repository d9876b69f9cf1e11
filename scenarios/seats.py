"""The run's side of its seats: whoever connects hears everything from the first line on, and may ask.

Law 1: a seat costs the run nothing but reading its own files again: what a slow one has not heard waits in the files.
Law 2: what a seat asks is answered, and never ends the run by being wrong.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, cast

from cluster.core.errors import ProtocolError, UsageError
from cluster.framing import FrameSplitter
from scenarios.feed import ASKS, NEWS, Answered, Ask, Clock, Judged, News, Opened
from scenarios.lines import now_ns
from scenarios.tailing import Tail

SOCKET = "seat.sock"
SEATS_MAX = 8
PERIOD_S = 0.05
_LAST_WORDS_S = 2.0


class Seats:
    """`obey(text)` does what a seat asks and says what it did, or raises `UsageError`."""

    def __init__(self, work: Path, records: Path, opened: Opened, obey: Callable[[str], str]) -> None:
        self.path = str(work / SOCKET)
        self._records = records
        self._opened = opened
        self._obey = obey
        self._seats: list[_Seat] = []
        self._server: asyncio.Server | None = None
        self._next: asyncio.TimerHandle | None = None

    async def open(self) -> None:
        self._server = await asyncio.get_running_loop().create_unix_server(lambda: _Seat(self), self.path)
        self._tell_on()

    def _tell_on(self) -> None:
        for seat in self._seats:
            seat.tell_on()
        self._next = asyncio.get_running_loop().call_later(PERIOD_S, self._tell_on)

    def close(self) -> None:
        """Nobody new, and nothing more by itself."""
        if self._next is not None:
            self._next.cancel()
        if self._server is not None:
            self._server.close()

    async def tell_all(self) -> None:
        """Everything that is written, to everyone; who does not take it in time goes without."""
        await self._each(_Seat.tell_all)

    async def end(self, judged: Judged) -> None:
        """The last word."""
        await self._each(lambda seat: seat.end(judged))

    async def _each(self, deed: Callable[[_Seat], Coroutine[Any, Any, None]]) -> None:
        try:
            async with asyncio.timeout(_LAST_WORDS_S), asyncio.TaskGroup() as tasks:
                for seat in self._seats:
                    tasks.create_task(deed(seat))
        except TimeoutError:
            pass

    # ---- what seats need --------------------------------------------------------------------------------------------

    def sit_down(self, seat: _Seat) -> Tail | None:
        """None when there is no chair left."""
        if len(self._seats) == SEATS_MAX:
            return None
        self._seats = [*self._seats, seat]
        seat.say(self._opened)
        return Tail(self._records)

    def stand_up(self, seat: _Seat) -> None:
        self._seats = [other for other in self._seats if other is not seat]

    def answer(self, ask: Ask) -> Answered:
        try:
            return Answered(ask.request, ok=True, text=self._obey(ask.text))
        except UsageError as error:
            return Answered(ask.request, ok=False, text=str(error))


class _Seat(asyncio.Protocol):
    def __init__(self, seats: Seats) -> None:
        self._seats = seats
        self._frames = FrameSplitter()
        self._transport: asyncio.Transport | None = None
        self._tail: Tail | None = None
        self._writable = asyncio.Event()
        self._writable.set()

    def say(self, news: News) -> None:
        assert self._transport is not None
        if not self._transport.is_closing():
            self._transport.write(NEWS.encode(news))

    def tell_on(self) -> bool:
        """What was added to the files, if the seat takes it now. Returns whether there was anything."""
        if self._tail is None or not self._writable.is_set():
            return False
        news = self._tail.news()
        for told in news:
            self.say(told)
        self.say(Clock(now_ns(), self._tail.behind()))
        return bool(news)

    async def tell_all(self) -> None:
        while self.tell_on() or not self._writable.is_set():
            await self._writable.wait()

    async def end(self, judged: Judged) -> None:
        assert self._transport is not None
        self.say(judged)
        self._transport.set_write_buffer_limits(0)  # writable again when all was handed to the kernel
        await self._writable.wait()
        self._transport.close()

    # ---- asyncio.Protocol ---------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._tail = self._seats.sit_down(self)
        if self._tail is None:
            self._transport.abort()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        try:
            for body in self._frames.feed(data):
                self.say(self._seats.answer(ASKS.decode_body(body)))
            self.tell_on()  # whoever asked for something looks for it now
        except ProtocolError:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._writable.set()
        self._tail = None
        self._seats.stand_up(self)
