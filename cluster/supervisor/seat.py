"""A seat at a living lab: the client's side of `Session` over the supervisor's Unix socket.

Law 1: `initial` is everything known when one sat down; `events()` goes on from there without a gap.
Law 2: a front that reads slowly makes the server wait, not this process grow.
Law 3: whoever survives cleans up: when the supervisor is gone without a word, this side removes what it left.
"""

from __future__ import annotations

import asyncio
import getpass
import signal
import subprocess
import time
from collections import deque
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import msgspec

from cluster.commands.grammar import parse
from cluster.core.errors import EnvironmentFailed, FaultlineError, ProtocolError, UsageError
from cluster.framing import HEADER_BYTES, FrameSplitter
from cluster.monotonic import now_us
from cluster.supervisor import launch, rundir
from cluster.supervisor.opening import OPENING
from cluster.telemetry.control import Ask, ControlMessage, Goodbye, Heard, Hello, LabSpec, NotOpened, Opened, Welcome
from cluster.telemetry.events import Event, LabClosed
from cluster.telemetry.view import ClusterView
from cluster.wire import CONTROL

_OPEN_WITHIN_S = 15.0
_WELCOME_WITHIN_S = 5.0
_END_WITHIN_S = 6.0
# A killed process gives back its descriptors one after the other.
_DEATH_WITHIN_S = 0.5
_BATCHES_MAX = 64


class LostSupervisor(FaultlineError):
    """The lab ended without saying so: its supervisor was killed, or failed."""


class LiveSession:
    """`await LiveSession.open(spec)` starts a lab and sits down; `await LiveSession.attach(run_dir)` sits down at one that runs."""

    def __init__(self, run_dir: Path, line: _Line, process: subprocess.Popen[bytes] | None, keep: bool) -> None:
        self.run_dir = run_dir
        self._line = line
        self._process = process
        self._keep = keep
        self._last_request = 0
        self._closing = False
        self.exit_code: int | None = None

    @classmethod
    async def open(cls, spec: LabSpec, name: str = "") -> LiveSession:
        """Start a lab. Raises `UsageError` for one that cannot be, `EnvironmentFailed` when this machine does not let it."""
        body = msgspec.msgpack.encode(spec)
        process = launch.start("cluster.supervisor", len(body).to_bytes(HEADER_BYTES, "big") + body)
        try:
            opened = _opened(await launch.answer(process, "the supervisor did not open a lab", _OPEN_WITHIN_S))
            return await cls._sit_down(Path(opened.run_dir), name, observer=False, process=process, keep=spec.keep)
        except BaseException:
            # Without its front it ends by itself; nobody is left to wait for longer than that.
            process.kill()
            await asyncio.to_thread(process.wait)
            launch.close_pipes(process)
            rundir.sweep(rundir.base_dir(spec.run_base))
            raise

    @classmethod
    async def attach(cls, run_dir: Path | str, name: str = "", *, observer: bool = False) -> LiveSession:
        """Another seat at a running lab. Raises `EnvironmentFailed` when it does not answer."""
        return await cls._sit_down(Path(run_dir), name, observer=observer, process=None, keep=True)

    @classmethod
    async def _sit_down(
        cls, run_dir: Path, name: str, *, observer: bool, process: subprocess.Popen[bytes] | None, keep: bool
    ) -> LiveSession:
        line = _Line(observer)
        path = str(run_dir / rundir.SOCKET_NAME)
        try:
            await asyncio.get_running_loop().create_unix_connection(lambda: line, path)
            line.send(Hello("seat", name or _user(), observer=observer))
            await asyncio.wait_for(line.welcomed.wait(), _WELCOME_WITHIN_S)
        except (OSError, TimeoutError) as error:
            line.abort()
            raise EnvironmentFailed(f"the lab in {run_dir} does not answer: {str(error) or 'no welcome in time'}") from error
        if line.welcome is None:
            raise EnvironmentFailed(f"the lab in {run_dir} has no free seat")
        return cls(run_dir, line, process, keep)

    # ---- Session ------------------------------------------------------------------------------------------------

    @property
    def observer(self) -> bool:
        return self._line.observer

    @property
    def initial(self) -> ClusterView:
        """What was known when this seat was taken."""
        assert self._line.welcome is not None, "a session begins with its welcome"
        return self._line.welcome.view

    @property
    def name(self) -> str:
        assert self._line.welcome is not None, "a session begins with its welcome"
        return self._line.welcome.seat

    @property
    def supervisor_pid(self) -> int | None:
        """Of a lab that this process started."""
        return self._process.pid if self._process is not None else None

    async def submit(self, text: str) -> int:
        """One line of the grammar. Raises `UsageError` when it does not parse, or when this seat may only look."""
        if self.observer:
            raise UsageError("this seat observes: it gives no commands")
        parse(text)
        self._last_request += 1
        self._line.send(Ask(self._last_request, text))
        return self._last_request

    async def events(self) -> AsyncIterator[tuple[Event, ...]]:
        """Until the lab is over, or this seat is left. Raises `LostSupervisor` after an end that was not announced."""
        while True:
            batch = await self._line.next()
            if batch is None:
                break
            yield batch
        if self._line.closed_said or self._closing:
            return
        if await asyncio.to_thread(_lives_on, self.run_dir, _DEATH_WITHIN_S):
            raise LostSupervisor("the supervisor sent this seat away: it did not read what it was told")
        _sweep_around(self.run_dir)
        yield (LabClosed(now_us(), clean=False, why="the supervisor is gone"),)
        raise LostSupervisor("the supervisor is gone: its processes ended with it, and its run directory was removed")

    async def close(self, *, end: bool = False) -> None:
        """Leave. The lab ends with its last operator unless it is kept; `end` ends it in any case. Waits until that is done."""
        if self._closing:
            return
        self._closing = True
        lost_before = self._line.lost
        self._line.stop_waiting()
        self._line.send(Goodbye(end))
        hung_up = await self._line.wait_lost(_END_WITHIN_S)
        self._line.abort()
        if self._process is not None:
            # Let go without a word of the end: it goes on, kept or with its other operators.
            goes_on = hung_up and not lost_before and not self._line.closed_said
            await self._end_process(self._process, stays=goes_on or (self._keep and not end), answers=hung_up)
        if self._line.closed_said:  # the directory goes after the last word, and before the lock
            await asyncio.to_thread(_lives_on, self.run_dir, _END_WITHIN_S)
        if not (self._keep and not end):
            _sweep_around(self.run_dir)

    async def _end_process(self, process: subprocess.Popen[bytes], *, stays: bool, answers: bool) -> None:
        launch.close_pipes(process)
        if stays and process.poll() is None:
            process.returncode = 0  # it is meant to outlive us: nobody here will wait for it
            return
        try:
            self.exit_code = await asyncio.to_thread(process.wait, _END_WITHIN_S if answers else 0)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)  # what is below it dies with it
            self.exit_code = await asyncio.to_thread(process.wait)


class _Line(asyncio.Protocol):
    """The socket: batches wait here, at most so many, until `next` takes them."""

    def __init__(self, observer: bool) -> None:
        self.observer = observer
        self.welcome: Welcome | None = None
        self.welcomed = asyncio.Event()
        self.closed_said = False
        self._frames = FrameSplitter()
        self._transport: asyncio.Transport | None = None
        self._batches: deque[tuple[Event, ...]] = deque()
        self._news = asyncio.Event()
        self._lost = asyncio.Event()
        self._paused = False
        self._unbounded = False

    def send(self, message: ControlMessage) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(CONTROL.encode(message))

    async def next(self) -> tuple[Event, ...] | None:
        """The next batch; None after the last."""
        while not self._batches:
            if self._lost.is_set():
                return None
            self._news.clear()
            await self._news.wait()
        batch = self._batches.popleft()
        if self._paused and len(self._batches) < _BATCHES_MAX // 2:
            self._resume()
        return batch

    def stop_waiting(self) -> None:
        """The seat is being left: whatever still comes is little, and must not be held up by nobody reading it."""
        self._unbounded = True
        self._resume()

    def _resume(self) -> None:
        if self._paused and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()

    @property
    def lost(self) -> bool:
        return self._lost.is_set()

    async def wait_lost(self, within_s: float) -> bool:
        try:
            await asyncio.wait_for(self._lost.wait(), within_s)
        except TimeoutError:
            return False
        return True

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    # ---- asyncio.Protocol ---------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass

    def data_received(self, data: bytes) -> None:
        try:
            for body in self._frames.feed(data):
                self._take(CONTROL.decode_body(body))
        except ProtocolError:
            self.abort()

    def _take(self, message: ControlMessage) -> None:
        match message:
            case Welcome():
                self.welcome = message
                self.welcomed.set()
            case Heard(events=events):
                self.closed_said |= isinstance(events[-1], LabClosed) if events else False
                self._batches.append(events)
                self._news.set()
            case _:
                raise ProtocolError(f"a supervisor does not say {type(message).__name__} to a seat")
        if len(self._batches) >= _BATCHES_MAX and not self._paused and not self._unbounded:
            self._paused = True
            assert self._transport is not None
            self._transport.pause_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost.set()
        self._news.set()
        self.welcomed.set()


# ---- a supervisor's beginning and end -----------------------------------------------------------------------------


def _opened(body: bytes) -> Opened:
    """The supervisor's one answer. Raises what it refused with."""
    match OPENING.decode_body(body):
        case Opened() as opened:
            return opened
        case NotOpened(why=why, usage=usage):
            raise UsageError(why) if usage else EnvironmentFailed(why)


def _lives_on(run_dir: Path, within_s: float) -> bool:
    """Whether the supervisor still holds its directory after so long: its connections end earlier than itself."""
    deadline_s = time.monotonic() + within_s
    while rundir.alive(run_dir):
        if time.monotonic() > deadline_s:
            return True
        time.sleep(0.01)
    return False


def _sweep_around(run_dir: Path) -> None:
    rundir.sweep(run_dir.parent)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "you"
