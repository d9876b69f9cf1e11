"""The processes of one run: started by a zygote, talked to over one Unix socket, ended whatever happens.

Law 1: what became of a process is what its parent's `waitpid` said, and is in `supervisor.jsonl` before anybody acts on it.
Law 2: `close` leaves nothing: asked first, killed then, stopped ones as well. After a kill of this process the zygote's end of the
socket does the same.
"""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import cast

from cluster.core.errors import ProtocolError
from cluster.framing import FrameSplitter
from cluster.supervisor.brood import Brood
from cluster.supervisor.zygote import Continued, Exited, Refused, Report, Started, Stopped
from scenarios.control import ORDERS, WORDS, Finish, Hello, Order, Word
from scenarios.lines import LineFile

_ASKED_S = 1.0
_KILLED_S = 2.0
_ZYGOTE_S = 2.0


class Stage:
    """`hear_word` gets what processes say, `hear_report` what the kernel says of them, `lost` why the stage itself is gone."""

    def __init__(
        self, work: Path, logs: Path, log: LineFile,
        hear_word: Callable[[Word], None], hear_report: Callable[[Report], None], lost: Callable[[str], None],
    ) -> None:  # fmt: skip
        self._work = work
        self._logs = logs
        self._log = log
        self._hear_word = hear_word
        self._hear_report = hear_report
        self._lost = lost
        self._lines: dict[str, _Line] = {}
        self._server: asyncio.Server | None = None
        self._brood: Brood | None = None

    @property
    def control_path(self) -> str:
        return str(self._work / "control.sock")

    async def open(self, zygote_pid: int, channel: socket.socket) -> None:
        self._brood = await Brood.connect(zygote_pid, channel, self._report, lambda: self._lost("the zygote is gone"))
        self._server = await asyncio.get_running_loop().create_unix_server(lambda: _Line(self), self.control_path)

    def start(self, name: str, entry: str, payload: bytes) -> None:
        assert self._brood is not None
        self._brood.spawn(name, entry, payload, str(self.log_of(name)))

    def runs(self, name: str) -> bool:
        """Whether it was started and has not been reaped."""
        return self._brood is not None and name in self._brood.names

    def log_of(self, name: str) -> Path:
        """Its standard output and error."""
        return self._logs / f"{name}.log"

    def order(self, name: str, order: Order) -> None:
        """To a process that has said hello; to one that is gone nothing happens."""
        if name in self._lines:
            self._lines[name].write(ORDERS.encode(order))

    def signal(self, name: str, signum: signal.Signals) -> None:
        assert self._brood is not None
        self._brood.signal(name, signum)

    async def close(self) -> bool:
        """Returns whether everything was reaped and the zygote left by itself."""
        brood, self._brood = self._brood, None
        if brood is None:
            return True
        for name in brood.names:
            # Continued too: what stands still reads no orders.
            brood.signal(name, signal.SIGCONT)
            if name in self._lines:
                self.order(name, Finish())
            else:
                brood.signal(name, signal.SIGTERM)
        if not await _within(brood, _ASKED_S):
            for name in brood.names:
                brood.signal(name, signal.SIGKILL)
            await _within(brood, _KILLED_S)
        reaped = not brood.names
        if self._server is not None:
            self._server.close()
        return await brood.close(_ZYGOTE_S) == 0 and reaped

    def welcome(self, name: str, line: _Line) -> None:
        self._lines[name] = line

    def word(self, word: Word) -> None:
        self._hear_word(word)

    def _report(self, report: Report) -> None:
        match report:
            case Started(name=name, pid=pid, at_us=at_us):
                self._write(at_us, "started", name, pid=pid)
            case Stopped(name=name, at_us=at_us):
                self._write(at_us, "stopped", name)
            case Continued(name=name, at_us=at_us):
                self._write(at_us, "continued", name)
            case Exited(name=name, pid=pid, status=status, at_us=at_us):
                self._lines.pop(name, None)
                self._write(at_us, "exited", name, pid=pid, status=status)
            case Refused():
                pass  # there is no process to write of; the runner hears why
        self._hear_report(report)

    def _write(self, at_us: int, event: str, name: str, **fields: int) -> None:
        self._log.write({"mono_ns": at_us * 1_000, "event": event, "process": name, **fields})


async def _within(brood: Brood, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await brood.all_gone()
    except TimeoutError:
        return False
    return True


class _Line(asyncio.Protocol):
    """One process's connection."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._frames = FrameSplitter()
        self._transport: asyncio.Transport | None = None

    def write(self, data: bytes) -> None:
        assert self._transport is not None
        if not self._transport.is_closing():
            self._transport.write(data)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        try:
            for body in self._frames.feed(data):
                word = WORDS.decode_body(body)
                if isinstance(word, Hello):
                    self._stage.welcome(word.name, self)
                self._stage.word(word)
        except ProtocolError:
            self._transport.abort()
