"""A seat at a run: the client's side, and how a front has a run started for it.

Law 1: the runner is another process, and the front is only a seat at it: a slow repaint never delays a SIGCONT.
Law 2: a front that reads slowly makes the runner wait with its files, not this process grow.
Law 3: leaving the seat from which a run was started ends it, and waits until nothing of it is left.
"""

from __future__ import annotations

import asyncio
import subprocess
from collections import deque
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

from cluster.core.errors import EnvironmentFailed, FaultlineError, ProtocolError, UsageError
from cluster.framing import FrameSplitter
from cluster.supervisor import launch
from scenarios.commission import COMMISSIONS, REPLIES, Commission, Refused, Staged
from scenarios.feed import ASKS, NEWS, Ask, Judged, News

_STAGED_WITHIN_S = 30.0
_END_WITHIN_S = 8.0
_WAITING_MAX = 256


class LostRun(FaultlineError):
    """The run ended without a verdict."""


class RunSession:
    """`await RunSession.open(commission)` has a run started and sits down at it."""

    def __init__(self, process: subprocess.Popen[bytes], line: _Line, run_dir: Path) -> None:
        self.run_dir = run_dir
        self._process = process
        self._line = line
        self._last_request = 0
        self._closing = False
        self._closed = asyncio.Event()

    @classmethod
    async def open(cls, commission: Commission) -> RunSession:
        """Raises `UsageError` for a run that cannot be, `EnvironmentFailed` when this machine does not let it."""
        process = launch.start("scenarios", COMMISSIONS.encode(commission))
        try:
            staged = _staged(await launch.answer(process, "the run did not begin", _STAGED_WITHIN_S))
            line = _Line()
            await asyncio.get_running_loop().create_unix_connection(lambda: line, staged.socket)
        except BaseException:
            # Its end of the line is closed by this: what is below it ends with it.
            process.kill()
            await asyncio.to_thread(process.wait)
            launch.close_pipes(process)
            raise
        return cls(process, line, Path(staged.run_dir))

    @property
    def pid(self) -> int:
        """Of the runner."""
        return self._process.pid

    def ask(self, text: str) -> int:
        """One line of the operators' grammar; returns the request number that its `Answered` will carry."""
        self._last_request += 1
        self._line.send(Ask(self._last_request, text))
        return self._last_request

    async def news(self) -> AsyncIterator[tuple[News, ...]]:
        """In the order in which it was told, until the run is judged. Raises `LostRun` when it ends before that."""
        judged = False
        while batch := await self._line.next():
            judged = judged or any(isinstance(one, Judged) for one in batch)
            yield batch
        if not judged and not self._closing:
            await self._ended()
            raise LostRun(f"the run ended without a verdict: {launch.last_words(self._process.stderr)}")

    async def close(self) -> None:
        """Leave; a run that goes on ends. Waits until it has, whoever asked first."""
        if self._closing:
            await self._closed.wait()
            return
        self._closing = True
        self._line.abort()
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            await self._ended()
        finally:
            launch.close_pipes(self._process)
            self._closed.set()

    async def _ended(self) -> None:
        try:
            await asyncio.to_thread(self._process.wait, _END_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()  # what is below it dies with it
            await asyncio.to_thread(self._process.wait)


class _Line(asyncio.Protocol):
    def __init__(self) -> None:
        self._frames = FrameSplitter()
        self._transport: asyncio.Transport | None = None
        self._waiting: deque[News] = deque()
        self._bell = asyncio.Event()
        self._lost = False

    def send(self, ask: Ask) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(ASKS.encode(ask))

    async def next(self) -> tuple[News, ...]:
        """All that waits; empty after the last."""
        while not self._waiting and not self._lost:
            self._bell.clear()
            await self._bell.wait()
        batch = tuple(self._waiting)
        self._waiting.clear()
        if self._transport is not None and not self._lost:
            self._transport.resume_reading()
        return batch

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        try:
            self._waiting.extend(NEWS.decode_body(body) for body in self._frames.feed(data))
        except ProtocolError:
            self._transport.abort()
        if len(self._waiting) >= _WAITING_MAX:
            self._transport.pause_reading()
        self._bell.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost = True
        self._bell.set()


def _staged(body: bytes) -> Staged:
    """The runner's one answer. Raises what it refused with."""
    match REPLIES.decode_body(body):
        case Staged() as staged:
            return staged
        case Refused(why=why, usage=usage):
            raise UsageError(why) if usage else EnvironmentFailed(why)
