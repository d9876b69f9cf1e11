"""The process that forks all others: it loads the named modules once, then forks, signals, waits and stamps what happens.

Law 1: one thread, no event loop: a fork of it is safe, and its children die with it (PR_SET_PDEATHSIG goes by thread).
Law 2: only a parent may wait, so a pid that is not yet reaped here is nobody else's: a signal from here never hits a stranger.
Law 3: when the socket to the supervisor ends, everything below is killed, stopped children included, and then the zygote itself.
Law 4: what it forks it loads by name (`module:function`), so it imports neither nodes nor incidents.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import os
import resource
import select
import signal
import socket
import sys
import traceback
from typing import NoReturn

import msgspec

from cluster.core.errors import ProtocolError
from cluster.core.types import Micros
from cluster.framing import Codec, FrameSplitter
from cluster.monotonic import now_us

_PR_SET_PDEATHSIG = 1
_LOG_BYTES_MAX = 1024 * 1024
EXIT_CRASHED = 70  # the child's own code raised
EXIT_NOT_FOUND = 71  # there is no such module or function


class Spawn(msgspec.Struct, frozen=True, array_like=True, tag="spawn"):
    """Run `entry` ("module:function") with `payload` in a new child; `name` is its only name from then on."""

    name: str
    entry: str
    payload: bytes
    log_path: str


class Kill(msgspec.Struct, frozen=True, array_like=True, tag="kill"):
    """Send a signal to a child, if it is still there."""

    name: str
    signum: int


class Started(msgspec.Struct, frozen=True, array_like=True, tag="started"):
    name: str
    pid: int
    at_us: Micros


class Refused(msgspec.Struct, frozen=True, array_like=True, tag="refused"):
    """No child was made (the machine has no room for one)."""

    name: str
    why: str


class Stopped(msgspec.Struct, frozen=True, array_like=True, tag="stopped"):
    """The kernel says that the child stands still."""

    name: str
    at_us: Micros


class Continued(msgspec.Struct, frozen=True, array_like=True, tag="continued"):
    name: str
    at_us: Micros


class Exited(msgspec.Struct, frozen=True, array_like=True, tag="exited"):
    """Reaped. `status`: the exit code, or minus the signal that ended it."""

    name: str
    pid: int
    status: int
    at_us: Micros


Request = Spawn | Kill
Report = Started | Refused | Stopped | Continued | Exited
REQUESTS: Codec[Request] = Codec(Request)
REPORTS: Codec[Report] = Codec(Report)


def fork_zygote(preloads: tuple[str, ...], log_path: str) -> tuple[int, socket.socket]:
    """Fork one: (its pid, our end of the socket). Call it while this process has one thread and no event loop."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        try:
            ours.close()
            _serve(theirs, parent, preloads, log_path)
        except BaseException:  # noqa: BLE001 - the copy of the caller's stack above must never be run again
            traceback.print_exc()
        finally:
            os._exit(1)
    theirs.close()
    return pid, ours


def _serve(channel: socket.socket, parent: int, preloads: tuple[str, ...], log_path: str) -> NoReturn:
    die_with(parent)
    _redirect(log_path)
    _close_all_but(channel.fileno())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for module in preloads:
        _preload(module)
    # What is loaded now stays shared: the collector of a child would otherwise touch, and so copy, every page of it.
    gc.collect()
    gc.freeze()
    zygote = _Zygote(channel)
    zygote.run()
    os._exit(0)


def _preload(module: str) -> None:
    try:
        importlib.import_module(module)
    except Exception:  # noqa: BLE001 - the child that needs it says so again, with an exit code that somebody hears
        traceback.print_exc()


class _Zygote:
    """The loop: requests in, forks and signals out, and a report of everything the kernel tells."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._frames = FrameSplitter()
        self._pids: dict[str, int] = {}
        self._names: dict[int, str] = {}
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)
        # The handler does nothing: the byte in the pipe is what ends `poll`.
        signal.signal(signal.SIGCHLD, lambda _signum, _frame: None)
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)

    def run(self) -> None:
        poller = select.poll()
        poller.register(self._channel, select.POLLIN)
        poller.register(self._wake_read, select.POLLIN)
        try:
            while True:
                ready = {fd for fd, _ in poller.poll()}
                if self._wake_read in ready:
                    self._drain_wakes()
                    self._reap()
                if self._channel.fileno() in ready and not self._read():
                    return
        except (OSError, ProtocolError):
            traceback.print_exc()  # the supervisor is gone or talks nonsense: either way this is the end
        finally:
            self._end_all()

    def _drain_wakes(self) -> None:
        try:
            while os.read(self._wake_read, 4096):
                pass
        except BlockingIOError:
            pass

    def _read(self) -> bool:
        """False when the supervisor is gone."""
        data = self._channel.recv(256 * 1024)
        for body in self._frames.feed(data):
            match REQUESTS.decode_body(body):
                case Spawn() as spawn:
                    self._spawn(spawn)
                case Kill(name=name, signum=signum):
                    self._signal(name, signum)
        return bool(data)

    def _tell(self, report: Report) -> None:
        self._channel.sendall(REPORTS.encode(report))

    def _spawn(self, spawn: Spawn) -> None:
        if spawn.name in self._pids:
            self._tell(Refused(spawn.name, "a process of this name is still there"))
            return
        parent = os.getpid()
        try:
            pid = os.fork()
        except OSError as error:
            self._tell(Refused(spawn.name, f"fork: {error.strerror}"))
            return
        if pid == 0:
            _become(spawn, parent)
        self._pids[spawn.name], self._names[pid] = pid, spawn.name
        self._tell(Started(spawn.name, pid, now_us()))

    def _signal(self, name: str, signum: int) -> None:
        pid = self._pids.get(name)
        if pid is not None:
            os.kill(pid, signum)

    def _reap(self) -> None:
        """Everything that happened to children since the last time: SIGCHLD does not queue."""
        while self._pids:
            pid, status = os.waitpid(-1, os.WNOHANG | os.WUNTRACED | os.WCONTINUED)
            if pid == 0:
                return
            name, at_us = self._names[pid], now_us()
            if os.WIFSTOPPED(status):
                self._tell(Stopped(name, at_us))
            elif os.WIFCONTINUED(status):
                self._tell(Continued(name, at_us))
            else:
                del self._pids[name], self._names[pid]
                self._tell(Exited(name, pid, os.waitstatus_to_exitcode(status), at_us))

    def _end_all(self) -> None:
        """Law 3. SIGKILL also ends what is stopped."""
        for pid in self._names:
            os.kill(pid, signal.SIGKILL)
        for pid in self._names:
            os.waitpid(pid, 0)


def _become(spawn: Spawn, parent: int) -> NoReturn:
    """In the new child: shed everything of the zygote, run the entry, leave without its clean-up."""
    status = EXIT_CRASHED
    try:
        die_with(parent)
        signal.set_wakeup_fd(-1)
        for signum in (signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP):
            signal.signal(signum, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        _close_all_but(-1)
        _redirect(spawn.log_path)
        gc.unfreeze()
        status = _run(spawn.entry, spawn.payload)
    except BaseException:  # noqa: BLE001 - whatever it was, it must not unwind into the zygote's stack
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _run(entry: str, payload: bytes) -> int:
    module, _, function = entry.partition(":")
    try:
        run = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError):
        traceback.print_exc()
        return EXIT_NOT_FOUND
    try:
        run(payload)
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    return 0


def _redirect(log_path: str) -> None:
    """Standard output and error into the log, which starts anew when it has grown too long."""
    log = os.open(log_path, os.O_CREAT | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC, 0o600)
    if os.fstat(log).st_size > _LOG_BYTES_MAX:
        os.ftruncate(log, 0)
    null = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    os.dup2(null, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(null)
    os.close(log)


def _close_all_but(kept: int) -> None:
    """Inherited descriptors above 2: a socket held open by a child would outlive its owner."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    highest = limit if 0 < limit < 65_536 else 65_536
    if kept < 0:
        os.closerange(3, highest)
        return
    os.closerange(3, kept)
    os.closerange(kept + 1, highest)


def die_with(parent: int) -> None:
    """Linux: the kernel kills this process when its parent dies. Elsewhere the end of the socket must do."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent:  # it died before the kernel was told
        os._exit(1)
