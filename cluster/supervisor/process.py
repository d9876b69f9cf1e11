"""The supervisor's process: one lab from its first byte to its last.

Law 1: the zygote is forked before this process has an event loop or a thread.
Law 2: until an operator has sat down, the pipe from the front is what keeps the lab alive; afterwards the seats do.
Law 3: whatever happens in here, the run directory is removed and nothing below is left.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import resource
import secrets
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

import msgspec

from cluster.core.errors import EnvironmentFailed, ProtocolError, UsageError
from cluster.monotonic import now_us
from cluster.supervisor import ports, rundir
from cluster.supervisor.brood import Brood
from cluster.supervisor.chronicle import Chronicle
from cluster.supervisor.collector import Collector
from cluster.supervisor.endings import end_lab
from cluster.supervisor.journal import HistoryFile, Journal
from cluster.supervisor.judges import Judges
from cluster.supervisor.lab import Lab, Place
from cluster.supervisor.opening import OPENING, read_spec
from cluster.supervisor.orders import Orders
from cluster.supervisor.profiles import check_spec
from cluster.supervisor.seats import Seats
from cluster.supervisor.zygote import fork_zygote
from cluster.telemetry.control import HistoryLine, LabSpec, NotOpened, Opened
from cluster.telemetry.events import RECORDER, CommandDone, Event, Heartbeat

EXIT_CLEAN, EXIT_USAGE, EXIT_ENVIRONMENT = 0, 2, 4
EXIT_NOT_CLEAN = 1
_PULSE_S = 0.25


def run(spec: LabSpec, tie: int, answer: BinaryIO) -> int:
    """Open the lab, serve it to its end. `tie`: descriptor whose end means that the front is gone. Returns the exit code."""
    with ExitStack() as stack:
        try:
            check_spec(spec)
            spec = msgspec.structs.replace(spec, seed=spec.seed or 1 + secrets.randbelow(0xFFFF))
            base = rundir.base_dir(spec.run_base)
            rundir.sweep(base)
            run_dir = rundir.make(base)
            stack.callback(run_dir.close)
            place = _place(spec, run_dir, stack)
            zygote_pid, channel = fork_zygote(spec.preloads, str(run_dir.path / "log" / "zygote.log"))
            records = _Records(spec, run_dir)
            stack.callback(records.close)
        except (UsageError, ProtocolError) as error:
            return _refuse(answer, str(error), usage=True)
        except EnvironmentFailed as error:
            return _refuse(answer, str(error), usage=False)
        except OSError as error:
            return _refuse(answer, f"{error.filename or 'the system'}: {error.strerror}", usage=False)
        _log_to(run_dir.path / "log" / "supervisor.log")
        clean = asyncio.run(_serve(spec, place, zygote_pid, channel, records, tie, answer))
        return EXIT_CLEAN if clean else EXIT_NOT_CLEAN


def _refuse(answer: BinaryIO, why: str, *, usage: bool) -> int:
    answer.write(OPENING.encode(NotOpened(why, usage)))
    answer.flush()
    return EXIT_USAGE if usage else EXIT_ENVIRONMENT


def _place(spec: LabSpec, run_dir: rundir.RunDir, stack: ExitStack) -> Place:
    nodes_dir, first_epoch = run_dir.path / "nodes", 0
    if spec.data_dir:
        nodes_dir = Path(spec.data_dir).absolute()
        first_epoch = _claim_data(nodes_dir, stack)
    allocated = ports.allocate(spec.nodes, spec.base_port)
    stack.callback(allocated.close)
    return Place(
        run=run_dir.name, socket_path=run_dir.socket_path, log_dir=str(run_dir.path / "log"),
        nodes_dir=str(nodes_dir), ports=allocated.ports, secret=secrets.token_bytes(32), first_epoch=first_epoch,
    )  # fmt: skip


def _claim_data(path: Path, stack: ExitStack) -> int:
    """Lock a data directory for this lab alone. Returns an epoch that all earlier processes on it stayed below."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        claim = os.open(path / "opened", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise EnvironmentFailed(f"cannot use {path} for data: {error.strerror}") from error
    stack.callback(os.close, claim)
    try:
        fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise EnvironmentFailed(f"{path} is the data of a lab that is running") from None
    text = os.read(claim, 32).decode("ascii", "replace").strip()
    if text and not (text.isdecimal() and len(text) < 10):
        raise EnvironmentFailed(f"{path / 'opened'} is damaged: it should hold the number of times that this data was opened")
    opened = int(text or "0") + 1
    try:
        os.pwrite(claim, f"{opened}\n".encode(), 0)
    except OSError as error:
        raise EnvironmentFailed(f"cannot write {path / 'opened'}: {error.strerror}") from error
    return opened * 10_000


def _log_to(path: Path) -> None:
    """From now on what this process has to say of itself goes into the run directory: the terminal belongs to the front."""
    log = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC, 0o600)
    os.dup2(log, 2)
    os.close(log)


class _Records:
    """The files that a lab writes: its journal, if wanted, and the client history."""

    def __init__(self, spec: LabSpec, run_dir: rundir.RunDir) -> None:
        self.complaints: list[str] = []
        self.journal = Journal(spec.record, self.complaints.append) if spec.record else None
        self.history = HistoryFile(spec.history or str(run_dir.path / "history.jsonl"), self.complaints.append)

    def event(self, event: Event) -> None:
        if self.journal is not None:
            self.journal.write(event)

    def line(self, line: HistoryLine) -> None:
        self.history.write(line)
        if self.journal is not None:
            self.journal.history(line)

    def flush(self) -> None:
        if self.journal is not None:
            self.journal.flush()

    def close(self) -> None:
        if self.journal is not None:
            self.journal.close()
        self.history.close()


class _Tie(asyncio.Protocol):
    """The pipe from the front. Nothing is read from it but its end."""

    def __init__(self, broken: asyncio.Event) -> None:
        self._broken = broken

    def connection_lost(self, exc: Exception | None) -> None:
        self._broken.set()


async def _serve(
    spec: LabSpec, place: Place, zygote_pid: int, channel: socket.socket, records: _Records, tie: int, answer: BinaryIO
) -> bool:
    """One lab. Returns whether it ended clean."""
    loop = asyncio.get_running_loop()
    ending: asyncio.Future[str] = loop.create_future()

    def end(why: str) -> None:
        if not ending.done():
            ending.set_result(why)

    chronicle = Chronicle()

    def zygote_lost() -> None:
        end("the zygote is gone")
        lab.fleet.lost()

    brood = await Brood.connect(zygote_pid, channel, lambda report: lab.fleet.hear(report), zygote_lost)
    lab = Lab(spec, place, chronicle, brood)
    seats = Seats(chronicle, lambda *asked: orders.obey(*asked), lambda final: _deserted(spec, end, final))
    orders = Orders(lab, seats.observes)
    lab.judges = judges = Judges(chronicle.tell, records.line)
    chronicle.listen(records.event)
    chronicle.listen(judges.event)
    lab.collector = Collector(lab.fleet, chronicle, seats, lambda history: judges.history(history, now_us()))
    why, failed = "", False
    try:
        async with asyncio.TaskGroup() as tasks:
            lab.tasks = tasks
            await lab.collector.open(place.socket_path)
            _end_on_signals(loop, end, keep=spec.keep)
            await _watch_tie(loop, tie, seats, end, tasks)
            answer.write(OPENING.encode(Opened(str(Path(place.socket_path).parent), os.getpid())))
            answer.close()
            lab.open()
            tasks.create_task(_pulse(lab, judges, records, seats))
            why = await ending
            raise _Over
    except* _Over:
        pass
    except* Exception as failures:  # noqa: BLE001 - law 3: a defect of ours ends the lab in order, and says so
        traceback.print_exception(failures)
        why, failed = f"the supervisor failed: {failures.exceptions[0]}", True
    clean = await end_lab(lab, brood, seats, chronicle, why)
    records.flush()
    return clean and not failed


class _Over(Exception):
    """Raised in the task group's own body: its tasks are cancelled, and the lab is taken down."""


def _deserted(spec: LabSpec, end: Callable[[str], None], final: bool) -> bool:
    """The last operator has left (`final`: somebody asked for the end). True when that ends the lab."""
    if not final and spec.keep:
        return False
    end("the operator ended the lab" if final else "the last operator left")
    return True


def _end_on_signals(loop: asyncio.AbstractEventLoop, end: Callable[[str], None], *, keep: bool) -> None:
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, end, f"{signum.name} to the supervisor")
    if keep:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    else:
        loop.add_signal_handler(signal.SIGHUP, end, "the terminal is gone")


async def _watch_tie(loop: asyncio.AbstractEventLoop, tie: int, seats: Seats, end: Callable[[str], None], tasks: asyncio.TaskGroup) -> None:
    broken = asyncio.Event()
    await loop.connect_read_pipe(lambda: _Tie(broken), os.fdopen(tie, "rb", buffering=0))

    async def watch() -> None:
        await broken.wait()
        if not seats.operator_came:  # law 2
            end("the front is gone")

    tasks.create_task(watch())


async def _pulse(lab: Lab, judges: Judges, records: _Records, seats: Seats) -> None:
    """What happens by the clock: the heartbeat, the counters, the lights, the journal's flush."""
    beat = 0
    while True:
        usage = resource.getrusage(resource.RUSAGE_SELF)
        lab.chronicle.tell(Heartbeat(now_us(), round((usage.ru_utime + usage.ru_stime) * 1e6)))
        judges.pulse(now_us())
        if beat % 2 == 0:
            lab.chronicle.tell(judges.ops(now_us()))
        records.flush()
        while records.complaints and seats.operator_came:  # nobody would hear it before
            lab.chronicle.tell(CommandDone(now_us(), RECORDER, 0, "record", False, records.complaints.pop(0)))
        beat += 1
        await asyncio.sleep(_PULSE_S)


def main() -> int:
    """`python -m cluster.supervisor`: the lab's description on standard input, which stays open as the tie."""
    answer = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 1)
    tie = os.dup(0)
    stream = os.fdopen(0, "rb", closefd=False)
    try:
        spec = read_spec(stream)
    except ProtocolError as error:
        return _refuse(answer, str(error), usage=True)
    os.dup2(null, 0)
    os.close(null)
    return run(spec, tie, answer)
