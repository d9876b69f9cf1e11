"""One node put together: clock, disk, sockets and supervisor's line around one replica.

Law 1: the supervisor hears first: the control line stands before the disk is read, so that every failure has a
       listener.
Law 2: nothing is served before the disk has been read and the port is ours.
Law 3: `stop` gives everything back; the same node can then be started again from its directory, in this process or
       another.
"""

from __future__ import annotations

import asyncio
import gc
import os
import random
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import msgspec

from cluster.core.errors import CorruptLog
from cluster.core.replica import Replica
from cluster.faults import FaultPlan
from cluster.monotonic import now_us as true_us
from cluster.node.complaints import Complaints
from cluster.node.control import ControlLink, ForNode, connect
from cluster.node.driver import Driver
from cluster.node.failures import NoSupervisor, PortTaken, StorageFailed
from cluster.node.fault_shim import FaultShim
from cluster.node.listener import Identity
from cluster.node.recovered import Recovered
from cluster.node.segments import Segments
from cluster.node.storage import Storage
from cluster.node.transport import Transport
from cluster.telemetry.control import Meet, NodeSpec, SetPlan, SetPolicy
from cluster.telemetry.events import NodeComplaint, NodeReady

EXIT_GOOD = 0
EXIT_DEFECT = 1  # an invariant of our own is broken
EXIT_ENVIRONMENT = 4  # disk, port or supervisor cannot be used


class Node:
    """A node in this process. `hung_up(reason)` is called when the supervisor's line ends."""

    def __init__(self, spec: NodeSpec, hung_up: Callable[[str], None]) -> None:
        self.spec = spec
        self.ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._control = ControlLink(spec.node, self._obey, hung_up)
        self._complaints = Complaints(self._tell, true_us)
        # Election timeouts and gossip partners, repeatable from the seed; nothing secret comes from it.
        self._dice = random.Random(f"{spec.seed}/{spec.node}/{spec.epoch}")
        self._plan = spec.plan
        self._raft_policy = spec.policy.raft
        self._members = dict(spec.members)
        self._driver: Driver | None = None
        self._storage: Storage | None = None
        self._transport: Transport | None = None

    async def run(self) -> int:
        """Live until `end`, a failure or cancellation; returns the exit code. Everything is given back."""
        try:
            await self.start()
            async with asyncio.TaskGroup() as tasks:
                assert self._transport is not None
                voters = self.spec.voters if self.spec.node in self.spec.voters else ()
                self._transport.dial(tasks, (voter for voter in voters if voter != self.spec.node))
                states = tasks.create_task(self._report_states(), name="states")
                code = await self.ended
                states.cancel()
                self._transport.hang_up()
            return code
        except (PortTaken, StorageFailed, CorruptLog, NoSupervisor) as error:
            self.fail(str(error))
            return EXIT_ENVIRONMENT
        finally:
            self.stop()

    async def start(self) -> None:
        """Connect, recover, listen, begin. Raises `NoSupervisor`, `StorageFailed`, `CorruptLog`, `PortTaken`."""
        spec = self.spec
        await connect(self._control, spec.control_path, spec.epoch)
        segments = Segments(Path(spec.data_dir))
        recovered = segments.recovered
        shim = FaultShim(spec.node, self._dice)
        self._driver = driver = Driver(
            self._replica(recovered),
            epoch=spec.epoch,
            freeze_gap_us=spec.policy.freeze_gap_us,
            shim=shim,
            complaints=self._complaints,
            control=self._control,
            broken=self.broken,
        )
        self._storage = Storage(
            segments,
            durable=driver.inbox.durable,
            complain=lambda text: self.complain("disk", text),
            failed=self.fail,
        )
        identity = Identity(spec.node, spec.epoch, self._members, spec.secret)
        self._transport = Transport(identity, shim, driver.inbox, driver.clients.open, self._complaints, self._dice)
        await self._transport.listen()
        driver.start(self._transport, self._storage, self._plan)
        self._report_ready(recovered)

    def end(self, code: int = EXIT_GOOD) -> None:
        """Let `run` return."""
        if not self.ended.done():
            self.ended.set_result(code)

    def complain(self, kind: str, text: str) -> None:
        """Count it, and tell the operator unless they were told something within the last second."""
        self._complaints.add(kind, text)

    def fail(self, text: str) -> None:
        """The environment has failed: one clear line, and the end. Nothing is answered from here on."""
        if self._driver is not None:
            self._driver.stop()
        self._last_words(text)
        self.end(EXIT_ENVIRONMENT)

    def broken(self, error: BaseException) -> None:
        """A law of our own is broken: the traceback for the log, one line for the operator, and the end."""
        traceback.print_exception(error, file=sys.stderr)
        self._last_words(f"defect: {type(error).__name__}: {error}")
        self.end(EXIT_DEFECT)

    def stop(self) -> None:
        """Give back sockets, threads and files."""
        if self._driver is not None:
            self._driver.stop()
        if self._transport is not None:
            self._transport.close()
        if self._storage is not None:
            self._storage.close()
        self._control.close()
        self._driver = self._storage = self._transport = None

    def _replica(self, recovered: Recovered) -> Replica:
        spec = self.spec
        replica = Replica(
            spec.node,
            tuple(self._members),
            spec.voters,
            msgspec.structs.replace(spec.policy, raft=self._raft_policy),
            self._dice,
            spec.epoch,
            recovered.hard,
            recovered.entries,
            recovered.snapshot,
            recovered.base,
        )
        # A long log is many small objects that never die: keep the collector from walking them again and again.
        gc.freeze()
        return replica

    def _obey(self, message: ForNode) -> None:
        if isinstance(message, SetPlan):
            self._set_plan(message.plan)
        elif isinstance(message, SetPolicy):
            self._raft_policy = message.raft
            if self._driver is not None:
                self._driver.retune(message.raft)
        elif isinstance(message, Meet):
            self._members.update(message.members)
            if self._driver is not None:
                self._driver.inbox.met(tuple(message.members))
        elif self._driver is not None:
            self._driver.inbox.order(message.verb, message.argument)

    def _set_plan(self, plan: FaultPlan) -> None:
        """The latest version wins; one that comes before the node serves is put in force when it does."""
        if plan.version >= self._plan.version:
            self._plan = plan
        if self._driver is not None and self._driver.started:
            self._driver.apply(plan)

    def _report_ready(self, recovered: Recovered) -> None:
        spec = self.spec
        if recovered.cut_bytes:
            self.complain("torn", f"disk: an unfinished write of {recovered.cut_bytes} bytes was cut off")
        term, last_index = recovered.hard.term, recovered.base[0] + len(recovered.entries)
        self._control.urgent(NodeReady(spec.node, true_us(), spec.epoch, os.getpid(), term, last_index))

    async def _report_states(self) -> None:
        """Nodes started together must not all report in the same millisecond: each begins at its own phase."""
        loop = asyncio.get_running_loop()
        interval_s = self.spec.state_interval_us / 1e6
        due = loop.time() + interval_s * self._dice.random()
        while self._driver is not None:
            self._control.periodic(self._driver.state())
            self._control.flush()
            due = max(due + interval_s, loop.time())
            await asyncio.sleep(due - loop.time())

    def _tell(self, text: str) -> None:
        sys.stderr.write(f"{self.spec.node}: {text}\n")
        sys.stderr.flush()
        self._control.urgent(NodeComplaint(self.spec.node, true_us(), text))
        self._control.flush()

    def _last_words(self, text: str) -> None:
        """Not through `Complaints`: the last line must not be the one that is kept back."""
        self._tell(text)
