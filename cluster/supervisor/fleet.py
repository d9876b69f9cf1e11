"""The processes of one lab: what each should be (there or not, held or not) against what the kernel says it is.

Law 1: one rule moves everything: compare wanted with actual, send the one signal or fork that brings them closer.
Law 2: `ProcessChanged` is told when the kernel has said so, never when a signal was sent.
Law 3: a node that ended by itself stays down until somebody starts it: restarting it would hide what happened.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from cluster.core.types import NodeId
from cluster.monotonic import now_us
from cluster.supervisor.brood import Brood
from cluster.supervisor.chronicle import Chronicle
from cluster.supervisor.zygote import EXIT_CRASHED, Continued, Exited, Refused, Report, Started, Stopped
from cluster.telemetry.events import NodeComplaint, NodeReady, ProcessChanged

# Of signals that this lab did not send.
_NOT_OURS = "from outside"
_OWN_DEFECTS = (signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGFPE, signal.SIGILL)

# (process name, epoch) -> (entry, payload, log path)
Recipe = Callable[[int], tuple[str, bytes, str]]


@dataclass(slots=True)
class Member:
    """One node or client: wanted on the left, actual on the right."""

    name: str
    recipe: Recipe
    is_node: bool
    wanted: bool = False
    held: bool = False
    why: str = "started"  # for the next change
    epoch: int = 0
    process: str = ""  # its name in the brood; "": none
    pid: int = 0
    stopped: bool = False  # SIGSTOP was sent, and no SIGCONT since
    killed: bool = False
    state: str = field(default="down")
    ready: bool = False
    # Signals of ours that the kernel has not reported yet: what it reports beyond them came from outside.
    stop_due: bool = False
    continue_due: bool = False


class Fleet:
    """Nodes and clients by name. `want` and `hold` change what should be; everything else follows."""

    def __init__(self, brood: Brood, chronicle: Chronicle, first_epoch: int = 0) -> None:
        self._brood = brood
        self._chronicle = chronicle
        self._first_epoch = first_epoch
        self._members: dict[str, Member] = {}
        self._by_process: dict[str, Member] = {}
        self._exits: list[asyncio.Future[None]] = []

    def enlist(self, name: str, recipe: Recipe, *, is_node: bool) -> None:
        self._members[name] = Member(name, recipe, is_node, epoch=self._first_epoch)

    # ---- questions ----------------------------------------------------------------------------------------------

    @property
    def nodes(self) -> tuple[NodeId, ...]:
        return tuple(member.name for member in self._members.values() if member.is_node)

    @property
    def clients(self) -> tuple[str, ...]:
        return tuple(member.name for member in self._members.values() if not member.is_node)

    def there(self, name: str) -> bool:
        """Whether a process exists (running, stopped, or about to be reaped)."""
        return bool(self._members[name].process)

    def wanted(self, name: str) -> bool:
        return self._members[name].wanted

    def epoch(self, name: str) -> int:
        return self._members[name].epoch

    @property
    def none_stopped(self) -> bool:
        return not any(member.stopped and member.process for member in self._members.values())

    async def gone(self, names: Iterable[str]) -> None:
        """Until none of these has a process."""
        waited = tuple(names)
        while any(self.there(name) for name in waited):
            exit_seen: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._exits.append(exit_seen)
            await exit_seen

    # ---- wishes -------------------------------------------------------------------------------------------------

    def want(self, name: str, there: bool, why: str) -> None:
        member = self._members[name]
        member.wanted, member.why = there, why
        self._reconcile(member)

    def hold(self, name: str, held: bool, why: str) -> None:
        member = self._members[name]
        if member.held != held:
            member.held, member.why = held, why
            self._reconcile(member)

    def terminate(self, name: str) -> None:
        """Ask a process to end by itself: for the end of the lab, where it is not a fault."""
        member = self._members[name]
        member.wanted, member.held, member.why = False, False, "the lab ended"
        if member.process:
            if member.stopped:
                self._continue(member)
            self._brood.signal(member.process, signal.SIGTERM)

    def _reconcile(self, member: Member) -> None:
        if member.process and not member.wanted:
            if not member.killed:
                member.killed = True
                self._brood.signal(member.process, signal.SIGKILL)
        elif member.process and member.held and not member.stopped:
            self._stop(member)
        elif member.process and member.stopped and not member.held:
            self._continue(member)
        elif not member.process and member.wanted:
            self._start(member)

    def _stop(self, member: Member) -> None:
        member.stopped = member.stop_due = True
        self._brood.signal(member.process, signal.SIGSTOP)

    def _continue(self, member: Member) -> None:
        member.stopped, member.continue_due = False, True
        self._brood.signal(member.process, signal.SIGCONT)

    def _start(self, member: Member) -> None:
        member.epoch += 1
        member.process = f"{member.name}.{member.epoch}"
        member.stopped = member.killed = member.ready = member.stop_due = member.continue_due = False
        self._by_process[member.process] = member
        entry, payload, log_path = member.recipe(member.epoch)
        self._brood.spawn(member.process, entry, payload, log_path)
        if member.held:
            self._reconcile(member)

    # ---- what became of it --------------------------------------------------------------------------------------

    def hear(self, report: Report) -> None:
        """From the zygote."""
        member = self._by_process.get(report.name)
        if member is None or member.process != report.name:
            return
        match report:
            case Started(pid=pid):
                member.pid = pid
                self._tell(member, "starting", member.why)
            case Stopped():
                self._tell(member, "paused", member.why if member.stop_due else f"SIGSTOP {_NOT_OURS}")
                member.stop_due = False
            case Continued():
                self._continued(member)
            case Exited(status=status):
                self._ended(member, "SIGKILL" if member.killed and status == -signal.SIGKILL else _in_words(status))
            case Refused(why=why):
                self._ended(member, f"not started: {why}")

    def _continued(self, member: Member) -> None:
        self._tell(member, "up" if member.ready else "starting", member.why if member.continue_due else f"SIGCONT {_NOT_OURS}")
        member.continue_due = False
        if member.stopped:
            self._stop(member)  # law 1: what should be held is held again

    def lost(self) -> None:
        """The zygote is gone, and what it had forked went with it."""
        for member in list(self._by_process.values()):
            member.wanted = False
            member.why = "the zygote is gone"
            self._ended(member, member.why)

    def ready(self, event: NodeReady) -> None:
        """A node says that it serves: then, and only then, it is up."""
        member = self._members.get(event.node)
        if member is not None and event.epoch == member.epoch and member.process and not member.ready:
            member.ready = True
            if not member.stopped:
                self._tell(member, "up", member.why)

    def _ended(self, member: Member, how: str) -> None:
        del self._by_process[member.process]
        asked = member.killed or not member.wanted
        why = f"{how} ({member.why})" if member.killed else how if member.wanted else member.why
        member.process, member.stopped = "", False
        self._tell(member, "down", why)
        member.pid = 0
        if not asked:
            member.wanted = False  # law 3
            if not member.is_node:
                self._chronicle.tell(NodeComplaint("", now_us(), f"workload client {member.name} is gone: {how}"))
        else:
            self._reconcile(member)
        waiting, self._exits = self._exits, []
        for exit_seen in waiting:
            if not exit_seen.done():
                exit_seen.set_result(None)

    def _tell(self, member: Member, state: str, why: str) -> None:
        member.state = state
        if member.is_node:
            changed = ProcessChanged(now_us(), member.name, state, member.pid, member.epoch, why)
            self._chronicle.tell(changed)


def _in_words(status: int) -> str:
    if status == EXIT_CRASHED:
        return "failed while starting (its log says why)"
    if status >= 0:
        return f"exited with {status}"
    signum = signal.Signals(-status)
    return signum.name if signum in _OWN_DEFECTS else f"{signum.name} {_NOT_OURS}"
