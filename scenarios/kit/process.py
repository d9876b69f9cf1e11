"""The process that every part of an incident lives in: its line to the runner, its records, its failpoints.

Law 1: what it traces is on disk before the runner hears of it.
Law 2: it leaves when it is told to finish, and when the runner is gone.
Law 3: what goes wrong in it ends it, and the last line of its log says what it was: the runner repeats that line.
"""

from __future__ import annotations

import asyncio
import importlib
import sys
import traceback
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from random import Random
from typing import Any, cast

import msgspec

from cluster.core.errors import FaultlineError, ProtocolError
from cluster.framing import FrameSplitter
from cluster.supervisor.zygote import EXIT_CRASHED
from scenarios.control import (
    ORDERS,
    WORDS,
    Acting,
    Arm,
    Armed,
    Done,
    Finish,
    Go,
    Hello,
    Order,
    Ready,
    Route,
    Set,
    Start,
    Traced,
    Word,
)  # fmt: skip
from scenarios.kit.failpoint import Failpoints
from scenarios.kit.history import History
from scenarios.lines import LineFile, now_ns


def run(payload: bytes) -> None:
    """The entry of a forked process."""
    asyncio.run(_live(msgspec.msgpack.decode(payload, type=Start)))


class _Over(Exception):
    """Raised in the task group's own body: everything of this process is cancelled."""


async def _live(start: Start) -> None:
    app = importlib.import_module(f"scenarios.{start.app}")
    line = _Line()
    await asyncio.get_running_loop().create_unix_connection(lambda: line, start.control)
    try:
        async with asyncio.TaskGroup() as tasks:
            process = Process(start, line, tasks)
            line.serve(process)
            tasks.create_task(_until_over(line))
            await app.main(process)
            process.say(Done(start.name))
    except* _Over:
        pass
    except* Exception as failures:  # noqa: BLE001 - law 3
        traceback.print_exception(failures)
        print(_first(failures), file=sys.stderr)  # noqa: T201 - standard error is this process's log
        raise SystemExit(EXIT_CRASHED) from None


def _first(failure: BaseException) -> str:
    """The innermost of what went wrong, in one line."""
    while isinstance(failure, BaseExceptionGroup):
        failure = failure.exceptions[0]
    text = " ".join(str(failure).split())
    return text if isinstance(failure, FaultlineError) else f"{type(failure).__name__}: {text}"


async def _until_over(line: _Line) -> None:
    await line.over.wait()
    raise _Over


class Process:
    """What an app's `main(process)` gets. `args` are the card's, filled in; `rng` is seeded for this process alone."""

    def __init__(self, start: Start, line: _Line, tasks: asyncio.TaskGroup) -> None:
        self.name = start.name
        self.args = start.args
        self.rng = Random(start.seed)
        self.tasks = tasks
        self.backends = start.backends
        self.key_prefix = start.key_prefix
        self.work = Path(start.work)
        self._toggles = dict(start.toggles)
        self._records = Path(start.records)
        self._line = line
        self._trace = LineFile(self._records / "trace" / f"{self.name}.jsonl")
        self._routes = start.routes
        self.failpoints = Failpoints(self.trace, lambda step, value: self.say(Acting(self.name, step, value)))
        self.obey_route: Callable[[Route], None] = lambda _route: None  # a proxy's
        self.say(Hello(self.name))

    @cached_property
    def history(self) -> History:
        """Of a client: what it asks and hears."""
        return History(self.name, self._records / "history" / f"{self.name}.jsonl")

    def toggle(self, name: str, otherwise: str | None = None) -> str:
        """The present value of a toggle. Ask each time you act by it: a hot one (`hot = true` in the card) may change in between.

        `otherwise`: in an incident whose card has no such toggle.
        """
        return self._toggles[name] if otherwise is None else self._toggles.get(name, otherwise)

    def turn(self, toggle: str, value: str) -> None:
        """Somebody changed a hot toggle; the trace says from when on this process knows."""
        self._toggles[toggle] = value
        self.trace("toggle.set", toggle=toggle, value=value)

    @property
    def ledger_path(self) -> Path:
        return self._records / "ledger" / f"{self.name}.jsonl"

    def socket_of(self, process: str) -> str:
        """Where another process of the run serves, or this one. Of a link, the socket of its proxy."""
        return self._routes.get(process) or str(self.work / f"{process}.sock")

    def trace(self, event: str, **fields: Any) -> None:
        self._trace.write({"mono_ns": now_ns(), "process": self.name, "event": event, **fields})
        self.say(Traced(self.name, event))

    async def failpoint(self, name: str, **fields: Any) -> None:
        """A line at which a fault may land. The trace has its name and fields first."""
        self.trace(name, **fields)
        await self.failpoints.hit(name, fields)

    def ready(self) -> None:
        self.say(Ready(self.name))

    async def go(self) -> None:
        """Until the runner says so."""
        self.ready()
        await self._line.go.wait()

    async def for_ever(self) -> None:
        """A server's last word."""
        self.ready()
        await asyncio.get_running_loop().create_future()

    def say(self, word: Word) -> None:
        self._line.write(WORDS.encode(word))


class _Line(asyncio.Protocol):
    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.over = asyncio.Event()
        self._frames = FrameSplitter()
        self._transport: asyncio.Transport | None = None
        self._process: Process | None = None

    def serve(self, process: Process) -> None:
        self._process = process

    def write(self, data: bytes) -> None:
        assert self._transport is not None
        self._transport.write(data)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        try:
            for body in self._frames.feed(data):
                self._obey(ORDERS.decode_body(body))
        except ProtocolError:
            self.over.set()

    def _obey(self, order: Order) -> None:
        match order:
            case Go():
                self.go.set()
            case Finish():
                self.over.set()
            case Set(toggle=toggle, value=value) if self._process is not None:
                self._process.turn(toggle, value)
            case Arm() if self._process is not None:
                self._process.failpoints.arm(order)
                self._process.say(Armed(self._process.name, order.failpoint))
            case Route() if self._process is not None:
                self._process.obey_route(order)

    def connection_lost(self, exc: Exception | None) -> None:
        self.over.set()
