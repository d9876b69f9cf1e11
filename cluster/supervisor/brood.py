"""The supervisor's end of the zygote: ask for processes, hear what became of them.

Law 1: a process is known by its name only; pids are for people, and for the one case that the zygote itself is gone.
Law 2: reports arrive in the order in which the kernel told them.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Callable
from typing import cast

from cluster.core.errors import ProtocolError
from cluster.framing import FrameSplitter
from cluster.supervisor.zygote import REPORTS, REQUESTS, Exited, Kill, Refused, Report, Spawn, Started


class Brood(asyncio.Protocol):
    """All child processes of one lab. `hear` gets every report, `lost` is called once if the zygote goes."""

    def __init__(self, zygote_pid: int, hear: Callable[[Report], None], lost: Callable[[], None]) -> None:
        self._zygote_pid = zygote_pid
        self._hear = hear
        self._lost = lost
        self._frames = FrameSplitter()
        self._transport: asyncio.Transport | None = None
        self._pids: dict[str, int] = {}
        self._asked: set[str] = set()
        self._empty = asyncio.Event()
        self._empty.set()
        self._closing = False
        self._gone = asyncio.Event()

    @classmethod
    async def connect(cls, zygote_pid: int, channel: socket.socket, hear: Callable[[Report], None], lost: Callable[[], None]) -> Brood:
        loop = asyncio.get_running_loop()
        _, brood = await loop.create_unix_connection(lambda: cls(zygote_pid, hear, lost), sock=channel)
        return brood

    # ---- what one may ask ---------------------------------------------------------------------------------------

    def spawn(self, name: str, entry: str, payload: bytes, log_path: str) -> None:
        """A new process; `Started` or `Refused` will say."""
        assert name not in self._asked, f"{name} was asked for already"
        self._asked.add(name)
        self._empty.clear()
        self._write(Spawn(name, entry, payload, log_path))

    def signal(self, name: str, signum: signal.Signals) -> None:
        """To a child that may just have ended: then nothing happens."""
        self._write(Kill(name, int(signum)))

    @property
    def names(self) -> frozenset[str]:
        """Every process that was asked for and has not been reaped."""
        return frozenset(self._asked)

    async def all_gone(self) -> None:
        """Until every child has been reaped (or the zygote is gone, and they with it)."""
        await self._empty.wait()

    async def close(self, within_s: float) -> int:
        """End the zygote and everything below it. Returns its exit code, after it was reaped; one that takes too long is killed."""
        self._closing = True
        if self._transport is not None:
            self._transport.close()
        await self._gone.wait()
        reaping = asyncio.get_running_loop().run_in_executor(None, _reap, self._zygote_pid)
        done, _ = await asyncio.wait({reaping}, timeout=within_s)
        if not done:  # stopped, perhaps: it would keep its children, and this process in `waitpid`
            os.kill(self._zygote_pid, signal.SIGKILL)
            self.kill_outright()
        return await reaping

    def kill_outright(self) -> None:
        """The zygote is gone: where no death signal exists, its children must be ended by pid."""
        for pid in self._pids.values():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue  # the kernel was faster

    def _write(self, request: Spawn | Kill) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(REQUESTS.encode(request))

    # ---- asyncio.Protocol ---------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass

    def data_received(self, data: bytes) -> None:
        try:
            for body in self._frames.feed(data):
                self._note(REPORTS.decode_body(body))
        except ProtocolError:
            assert self._transport is not None
            self._transport.abort()

    def _note(self, report: Report) -> None:
        match report:
            case Started(name=name, pid=pid):
                self._pids[name] = pid
            case Exited(name=name) | Refused(name=name):
                self._pids.pop(name, None)
                self._asked.discard(name)
        self._hear(report)
        if not self._asked:
            self._empty.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self._gone.set()
        self._asked.clear()
        self._empty.set()
        if not self._closing:
            self.kill_outright()
            self._lost()


def _reap(pid: int) -> int:
    try:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    except ChildProcessError:
        return -signal.SIGKILL
