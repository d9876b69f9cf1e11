"""One run from its first process to its last: servers, processes, arms, go, and the end when all clients are done.

Law 1: the workload begins when everything is up and every failpoint is armed; a start that hangs upon an event is no exception, it
is part of the workload.
Law 2: a process that ends before the run does has spoilt the run, unless a fault asked for it.
"""

from __future__ import annotations

import asyncio
import shutil
import signal
import socket
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from cluster.commands import parse
from cluster.commands.dialect import of_run
from cluster.commands.model import Arm as ArmCommand
from cluster.commands.model import Heal
from cluster.commands.run_grammar import foretold
from cluster.core.errors import EnvironmentFailed, UsageError
from cluster.supervisor.zygote import Continued, Exited, Refused, Report, Started, Stopped
from scenarios.control import Acting, Arm, Armed, Caught, Done, Go, Hello, Ready, Routed, Set, Start, Traced, Word
from scenarios.edges import Edge
from scenarios.faults import Verb
from scenarios.hand import Hand
from scenarios.hand_links import LinkHand
from scenarios.lines import LineFile, now_ns
from scenarios.model import Card, Proc, arguments, turned
from scenarios.proxies import APP, Proxies
from scenarios.records import Params
from scenarios.servers import Servers
from scenarios.stage import Stage
from scenarios.timeline import Hands, Timeline

READY_DEADLINE_S = 30.0
_KIT_ENTRY = "scenarios.kit.process:run"
_LAST_LINE_BYTES = 4_096


class Place(msgspec.Struct, frozen=True):
    """Where a run happens: records that stay, a private directory that does not, and the servers that it needs."""

    records: Path
    work: Path
    servers: Servers
    proxies: Proxies


class _Over(Exception):
    """Raised in the task group's own body: what was still waited for does not matter any more."""


class Performance:
    """The state of a run in progress: who is ready, armed, done; and a bell for whoever waits."""

    def __init__(
        self, card: Card, params: Params, workload: Any, place: Place, supervisor: LineFile, faults: LineFile, phases: LineFile,
        failpoints: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        self._card = card
        self._params = params
        self._toggles = dict(params.toggles)
        self._workload = workload
        self._place = place
        self._started: set[str] = set()
        self._ready: set[str] = set()
        self._armed: set[str] = set()
        self._done: set[str] = set()
        self._going = False
        self._ending = False
        self._failed = ""
        self._bell = asyncio.Event()
        self._stage = Stage(place.work, place.records / "log", supervisor, self._word, self._report, self._fail)
        edges: tuple[Edge, ...] = (*place.proxies.edges(self._stage.order), *place.servers.edges)
        hands = Hands(self._stage.signal, self._restart, edges, self._members)
        self._timeline = Timeline(card.fault, params.toggles, params.scale, faults, hands)
        self._hand = Hand(faults, self._stage.signal, self._restart, self._turn)
        self._link_hand = LinkHand(self._timeline.edges, self._timeline.adopt, self._members, place.proxies.streams, place.proxies.calls)
        self._phases = phases
        self._failpoints = failpoints  # that somebody at a keyboard may arm

    async def play(self, zygote_pid: int, channel: socket.socket) -> str:
        """Returns why the run failed as a run; empty when there is something to judge."""
        for signum in (signal.SIGTERM, signal.SIGHUP):
            # As asyncio answers SIGINT: everything is cancelled, and ends in order. Under nohup a closed terminal is no reason.
            if signal.getsignal(signum) is signal.SIG_IGN:
                continue
            asyncio.get_running_loop().add_signal_handler(signum, signal.raise_signal, signal.SIGINT)
        asyncio.get_running_loop().set_exception_handler(self._failed_in_a_callback)
        try:
            await self._stage.open(zygote_pid, channel)
            async with asyncio.TaskGroup() as tasks:
                try:
                    await self._perform(tasks)
                finally:
                    self._timeline.close()  # before the tasks that it would start could not be
                raise _Over
        except* _Over:
            pass
        except* EnvironmentFailed as failures:
            self._fail(str(failures.exceptions[0]))
        finally:
            self._ending = True
            self._phase("ending", done=not self._busy())
            clean = await self._stage.close()
            self._place.servers.close()
        return self._failed or ("" if clean else "a process of the run did not leave when it was told to")

    def _phase(self, phase: str, **more: bool) -> None:
        """For whoever looks on or judges. The end of a run must come to its end."""
        try:
            self._phases.write({"mono_ns": now_ns(), "phase": phase, **more})
        except EnvironmentFailed as error:
            self._fail(str(error))

    def _failed_in_a_callback(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Nobody waits for a callback: what it could not do spoils the run here. What is a bug of ours is shown as one."""
        error = context.get("exception")
        if not isinstance(error, EnvironmentFailed):
            loop.default_exception_handler(context)
        self._fail(str(error or context["message"]))

    async def _perform(self, tasks: asyncio.TaskGroup) -> None:
        self._phase("servers")
        for name in self._place.proxies.names:  # first: a server may be another one's client
            self._enter(name, APP, self._place.proxies.args(name))
        await self._until(lambda: self._started - self._ready, "is not ready")
        await self._open_servers(tasks)
        self._phase("processes")
        first = [proc for proc in self._card.proc if not proc.start_on]
        # A client's first act is to connect.
        for group in ([proc for proc in first if not proc.client], [proc for proc in first if proc.client]):
            for proc in group:
                self._start(proc)
            await self._until(lambda: self._started - self._ready, "is not ready")
        wanted = {f"{arm.failpoint}@{name}" for name in sorted(self._started) for arm in self._arm(name)}
        await self._until(lambda: wanted - self._armed, "is not armed")
        self._timeline.set_up()
        await self._until(lambda: self._timeline.not_in_force, "is not in force")
        self._going = True
        self._phase("running")
        self._timeline.go()
        for name in sorted(self._started):
            self._stage.order(name, Go())
        await self._until_done()

    def _arm(self, name: str) -> list[Arm]:
        arms = self._timeline.arms(name)
        for arm in arms:
            self._stage.order(name, arm)
        return arms

    async def _open_servers(self, tasks: asyncio.TaskGroup) -> None:
        servers = self._place.servers
        for edge in servers.edges:
            edge.begin(tasks, self._edge_applied, self._fail)
        await servers.open()
        for name in servers.names:
            self._launch(name)
            tasks.create_task(self._ask(name))
        await self._until(lambda: {*servers.names} - self._ready, "does not answer")

    async def _ask(self, name: str) -> None:
        await self._place.servers.answers(name)
        self._ready.add(name)
        self._bell.set()

    def _launch(self, name: str) -> None:
        launch = self._place.servers.launch(name, self._place.proxies.urls(name, self._place.servers.urls))
        self._stage.start(name, launch.entry, launch.payload)

    def _start(self, proc: Proc) -> None:
        self._enter(proc.name, proc.app, arguments(proc, self._toggles, self._workload, self._params.scale))

    def _enter(self, name: str, app: str, args: dict[str, Any]) -> None:
        place = self._place
        start = Start(
            name=name, app=app, args=args, toggles=self._toggles, seed=zlib.crc32(f"{self._params.seed}/{name}".encode()),
            control=self._stage.control_path, records=str(place.records), work=str(place.work),
            backends=place.proxies.urls(name, place.servers.urls), key_prefix=f"faultline:{place.records.name}:",
            routes=place.proxies.routes(name),
        )  # fmt: skip
        self._started.add(name)
        self._stage.start(name, _KIT_ENTRY, msgspec.msgpack.encode(start))

    def _restart(self, name: str) -> bool:
        """A new process with what the old one had on disk. False when the old one is still there."""
        if self._stage.runs(name):
            return False
        if name in self._place.servers.names:
            self._launch(name)
        else:
            self._start(next(proc for proc in self._card.proc if proc.name == name))
        return True

    def _edge_applied(self, edge: str, version: int) -> None:
        self._timeline.applied(edge, version)
        self._bell.set()

    # ---- what somebody at a keyboard may do -------------------------------------------------------------------------

    def obey(self, text: str) -> str:
        """One line of the operators' grammar. Returns what is being done; raises `UsageError`."""
        hot = {toggle.name: toggle.values for toggle in self._card.toggle if toggle.hot}
        command = parse(text, of_run(self._hand.names, hot, self._failpoints))
        if isinstance(command, ArmCommand):
            return self._arm_by_hand(command)
        said = self._link_hand.obey(command)
        if not said or (isinstance(command, Heal) and self._hand.holds):
            said = "; ".join(filter(None, (said, self._hand.obey(command))))
        return said

    def _arm_by_hand(self, command: ArmCommand) -> str:
        name = command.process
        if not self._stage.runs(name):
            raise UsageError(f"{name} does not run: nobody is there to be armed")
        do: Verb = "kill" if command.action == "crash" else command.action  # type: ignore[assignment]
        ms = command.for_us / 1_000 if command.for_us else None
        self._stage.order(name, self._timeline.arm_by_hand(command.failpoint, name, do, ms))
        return f"armed: {foretold(command)}"

    def _members(self, word: str) -> tuple[str, ...]:
        return self._place.proxies.groups.get(word) or self._place.servers.resolve(word)

    def _turn(self, toggle: str, value: str) -> None:
        toggles = turned(self._card, self._toggles, toggle, value)
        self._place.servers.turn(toggles)
        self._toggles = toggles
        for name in sorted(self._started):
            self._stage.order(name, Set(toggle, value))

    def _catch_up(self, name: str) -> None:
        """A toggle may have been changed while this process was on its way."""
        for toggle, value in self._toggles.items():
            if value != self._params.toggles[toggle]:
                self._stage.order(name, Set(toggle, value))

    # ---- waiting ------------------------------------------------------------------------------------------------

    async def _until(self, lacking: Callable[[], set[str]], what: str) -> None:
        """Until nothing is lacking. The deadline is a failure of the run."""
        within_s = READY_DEADLINE_S * max(1.0, self._params.scale)  # an election takes as long as its timers
        try:
            async with asyncio.timeout(within_s):
                while lacking() and not self._failed:
                    self._bell.clear()
                    await self._bell.wait()
        except TimeoutError:
            self._fail(f"{', '.join(sorted(lacking()))} {what} after {within_s:.0f} s")
        if self._failed:
            raise _Over

    async def _until_done(self) -> None:
        """Until every client that was started is done, and what was to come at a time has come.

        The end of the time is no failure: the records say what was not done.
        """
        try:
            async with asyncio.timeout(self._card.scenario.duration_s * self._params.scale):
                while (self._busy() & self._started or self._timeline.coming) and not self._failed:
                    self._bell.clear()
                    await self._bell.wait()
        except TimeoutError:
            return

    def _busy(self) -> set[str]:
        """Clients that have not done what they were to do, those that nothing has started yet among them."""
        return {proc.name for proc in self._card.proc if proc.client} - self._done

    # ---- what is heard ----------------------------------------------------------------------------------------------

    def _word(self, word: Word) -> None:
        match word:
            case Hello(name=name):
                self._catch_up(name)
            case Ready(name=name):
                self._ready.add(name)
                if self._going:  # started late, or for the second time
                    self._arm(name)
                    self._stage.order(name, Go())
            case Armed(name=name, failpoint=failpoint):
                self._armed.add(f"{failpoint}@{name}")
            case Traced(name=name, event=event):
                self._traced(event, name)
            case Acting(name=name, step=step, value=value):
                self._timeline.acting(name, step, value)
            case Routed(name=name, version=version):
                self._timeline.applied(name, version)
            case Caught(step=step, value=value):
                self._timeline.caught(step, value)
            case Done(name=name):
                self._done.add(name)
        self._bell.set()

    def _traced(self, event: str, name: str) -> None:
        self._timeline.heard(event, name)
        for proc in self._card.proc:
            if proc.start_on == f"trace:{event}@{name}" and proc.name not in self._started:
                self._start(proc)

    def _report(self, report: Report) -> None:
        # What a process traced before the kernel stopped or ended it is in our socket already, perhaps in this very turn of the loop:
        # it is heard first, because the fault that explains the report may hang upon it.
        asyncio.get_running_loop().call_soon(self._settle, report)

    def _settle(self, report: Report) -> None:
        by_hand = self._hand.heard(report)
        self._place.servers.heard(report)
        match report:
            case Stopped(name=name, at_us=at_us) if not by_hand:
                self._timeline.stopped(name, at_us)
            case Continued(name=name, at_us=at_us):
                self._timeline.continued(name, at_us)
            case Started(name=name, at_us=at_us):
                self._timeline.started(name, at_us)
            case Exited(name=name, status=status, at_us=at_us) if not self._ending:
                self._ready.discard(name)
                asked = self._timeline.exited(name, status, at_us)  # it must hear of every end, whoever it was that asked for it
                if not (by_hand or asked):
                    self._fail(f"{name} {self._end_of(name, status)}")
            case Refused(name=name, why=why):
                self._fail(f"{name} could not be started: {why}")
            case _:
                pass
        self._bell.set()

    def _fail(self, why: str) -> None:
        self._failed = self._failed or why
        self._bell.set()

    def _end_of(self, name: str, status: int) -> str:
        if status < 0:
            killer = next((known.name for known in signal.Signals if known == -status), f"signal {-status}")
            return f"was ended by {killer}, and no fault asked for it"
        log = self._stage.log_of(name)
        try:
            said = log.read_bytes()[-_LAST_LINE_BYTES:].decode("utf-8", "replace").split("\n")
            nothing = "it said nothing" if shutil.disk_usage(log).free else f"there is no room left in {self._place.records}"
        except OSError as error:
            return f"ended with {status}, and has no log: {error.strerror}"
        return f"ended with {status}: {next((line for line in reversed(said) if line.strip()), nothing)}"
