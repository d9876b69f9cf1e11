"""One simulated process and its machine: the replica while it lives, its disk and clock always.

Law 1: effects are performed in the order given, as a node's driver does.
Law 2: a paused process takes nothing and fires nothing. When it wakes it hears of its own absence first, then its old mail, then the time.
Law 3: a crash takes all but the disk; clients that waited here hear that the connection is lost.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappush
from pathlib import Path
from traceback import extract_tb
from typing import TYPE_CHECKING, Any, Final

from cluster.core.clock import NodeClock
from cluster.core.effects import Answer, FromClient, FromClients, Order, ReplicaInput, Report, SendGossip, SendPeer
from cluster.core.errors import FaultlineError, LawBroken
from cluster.core.raft.ready import Froze, Persist, Persisted, Tick
from cluster.core.replica import Replica
from cluster.core.types import SECOND, Micros, NodeId
from cluster.faults import NodeFault
from cluster.sim.dice import SeededDice
from cluster.sim.disk import Disk
from cluster.sim.network import Link
from cluster.sim.setup import Surroundings
from cluster.telemetry.events import ClockGap, NodeReady, ProcessChanged, TermRun
from cluster.telemetry.states import EdgeFigures

if TYPE_CHECKING:
    from cluster.sim.clients import Client
    from cluster.sim.world import World

NEVER_US: Micros = 1 << 62
# What the sockets of a process that stands still can hold; beyond it senders wait, and connections break.
BACKLOG_MAX = 4_096
# Machines were not switched on together: their clocks have nothing in common.
_CLOCK_START_MAX_US: Micros = 100_000 * SECOND
# A machine has no business to raise what it does not say that it raises: its process would be gone.
NO_FAILURE: Final = "a node does not fail of itself"


class Host:
    """`replica` is None while the process is down. `beating`: it is handling a heartbeat."""

    __slots__ = (
        "_asked",
        "_backlog",
        "_batch_us",
        "_clock",
        "_fault",
        "_froze_from_us",
        "_gathered",
        "_offset_us",
        "_timer_due_us",
        "_timer_us",
        "_world",
        "beating",
        "disk",
        "epoch",
        "links",
        "node",
        "number",
        "paused",
        "replica",
        "seen",
        "shown_runs",
    )

    def __init__(self, world: World, node: NodeId, around: Surroundings) -> None:
        self._world, self.node, self._batch_us = world, node, around.batch_us
        self.number = int(node[1:])
        self.disk = Disk(node, around.disk_us, SeededDice(world.setup.seed, "disk", node), world.later, self._durable)
        self.links: dict[NodeId, Link] = {}
        self.replica: Replica | None = None
        self.epoch = 0
        # What the judge saw of it last, and the newest runs of its log as they were told.
        self.seen: tuple[Any, ...] | None = None
        self.shown_runs: tuple[TermRun, ...] = ()
        self.paused = self.beating = False
        self._offset_us = SeededDice(world.setup.seed, "clock", node).randrange(_CLOCK_START_MAX_US)
        self._fault = NodeFault(node)
        self._clock: NodeClock | None = None  # None until it is tampered with
        self._timer_us: Micros = NEVER_US  # true time of the timer that counts
        self._timer_due_us: Micros = NEVER_US  # what it was set for, in the node's own time
        self._froze_from_us: Micros = 0
        self._backlog: list[ReplicaInput] = []
        self._gathered: list[FromClient] = []
        self._asked: dict[int, Client] = {}

    # ---- life ---------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """A new process, from what the disk holds."""
        world, setup = self._world, self._world.setup
        recovered = self.disk.recover()
        self.epoch += 1
        dice = SeededDice(setup.seed, "node", self.node, self.epoch)
        hard, entries, snapshot, base = recovered.hard, recovered.entries, recovered.snapshot, recovered.base
        self.replica = Replica(
            self.node, setup.members, setup.voters, world.policy, dice, self.epoch, hard, entries, snapshot, base
        )  # fmt: skip
        last_index = base[0] + len(entries)
        world.trace.add((world.now, self.number, "starts", hard, last_index))
        self._tell("up", "started")
        world.judge.event(NodeReady(self.node, world.now, self.epoch, 0, hard.term, last_index))
        self.take(_TICK)
        world.judge.look_at(self)  # what the disk held, before anybody changes it

    def crash(self) -> None:
        """SIGKILL, or the plug pulled: a disk does not care which."""
        self.replica, self.paused = None, False
        self._disarm()
        self._backlog, self._gathered = [], []
        self.disk.crash()
        self._tell("down", "SIGKILL")
        self._world.trace.add((self._world.now, self.number, "crashes"))
        for token, client in self._asked.items():
            client.lost(token)
        self._asked = {}

    def pause(self) -> None:
        self.paused, self._froze_from_us = True, self._world.now
        self._tell("paused", "SIGSTOP")

    def resume(self) -> None:
        """Law 2."""
        self.paused = False
        self._tell("up", "SIGCONT")
        world = self._world
        world.trace.add((world.now, self.number, "wakes"))
        gap_us = world.now - self._froze_from_us
        backlog, self._backlog = self._backlog, []
        if gap_us > world.policy.freeze_gap_us:
            world.judge.event(ClockGap(self.node, world.now, gap_us))
            self.take(Froze(gap_us))
        for input in backlog:
            self.take(input)
        self._disarm()
        self.take(Tick())

    def set_fault(self, fault: NodeFault) -> None:
        """Clock and disk faults now in force."""
        if fault == self._fault:
            return
        self._fault = fault
        if self._clock is None and (fault.skew_us or fault.drift != 1.0):
            self._clock = NodeClock(self._world.now)
        if self._clock is not None:
            self._clock.set_fault(fault.skew_us, fault.drift, self._world.now)
            self._disarm()
            if self.replica is not None:
                self._arm(self.replica.deadline())
        self.disk.set_fault(fault.disk, fault.disk_delay_us)

    def order(self, verb: str, argument: str) -> None:
        """An operator's wish."""
        if self.replica is not None and not self.paused:
            self.take(Order(verb, argument))

    def _tell(self, state: str, why: str) -> None:
        world = self._world
        world.judge.tell(ProcessChanged(world.now, self.node, state, 0, self.epoch, why))

    # ---- inputs -------------------------------------------------------------------------------------------------

    def post(self, input: ReplicaInput) -> bool:
        """Something arrives; False: nobody takes it, and it is lost."""
        if self.replica is None:
            return False
        if not self.paused:
            self.take(input)
        elif len(self._backlog) < BACKLOG_MAX or type(input) is Persisted:
            self._backlog.append(input)
        else:
            return False
        return True

    def ask(self, client: Client, request: FromClient) -> bool:
        """A client's request arrives. False: nobody listens here."""
        if self.replica is None:
            return False
        self._asked[request.token] = client
        if not self._batch_us:
            self.post(request)
        else:
            self._gathered.append(request)
            if len(self._gathered) == 1:
                self._world.later(self._batch_us, self._serve, self.epoch)
        return True

    def _serve(self, epoch: int) -> None:
        if epoch == self.epoch and self._gathered:
            gathered, self._gathered = self._gathered, []
            self.post(FromClients(tuple(gathered)))

    def _durable(self, token: int) -> None:
        self.post(Persisted(token))

    # ---- a turn -------------------------------------------------------------------------------------------------

    def take(self, input: ReplicaInput) -> None:
        """Hand one input to the replica, perform what it wants, and arm the timer."""
        replica, world = self.replica, self._world
        assert replica is not None
        clock = self._clock
        now = (world.now if clock is None else clock.now(world.now)) + self._offset_us
        world.trace.add((world.now, self.number, input))
        try:
            effects = replica.handle(input, now)
        except FaultlineError:
            raise  # a law that it caught itself breaking, or an order that cannot be
        except Exception as error:
            raise LawBroken(NO_FAILURE, f"{self.node}: {_told(error)}") from error
        for effect in effects:
            if type(effect) is SendPeer:
                self.links[effect.to].send(effect.message)
            else:
                _PERFORM[type(effect)](self, effect)
        if world.judge.changed:
            world.judge.look_at(self)
        if replica.due_us < self._timer_due_us:
            self._arm(replica.due_us)

    def _report(self, report: Report) -> None:
        self._world.judge.report(self, report.event)

    def _persist(self, persist: Persist) -> None:
        self.disk.submit(persist)

    def _gossip(self, effect: SendGossip) -> None:
        self.links[effect.to].send_gossip(effect.message)

    def _answer(self, answer: Answer) -> None:
        client = self._asked.pop(answer.token, None)
        if client is not None:
            client.answered(answer.token, answer.reply, self.node)

    def protocol_now(self) -> Micros:
        """The node's own time."""
        now = self._world.now
        return (now if self._clock is None else self._clock.now(now)) + self._offset_us

    def figures(self, now: Micros) -> EdgeFigures:
        """What the machine adds to the replica's state. `now`: the node's own time. What costs a run too much to count is zero."""
        replica, world = self.replica, self._world
        raft = replica.raft if replica is not None else None
        busy_us = 0 if self.disk.idle else max(1, raft.disk_busy_us(now) if raft is not None else 0)
        skew_us = 0 if self._clock is None else self._clock.now(world.now) - world.now
        return EdgeFigures(self.epoch, busy_us, 0, 0, 0, (), (), 0, 0, skew_us)

    def _disarm(self) -> None:
        self._timer_us = self._timer_due_us = NEVER_US

    def _arm(self, due_us: Micros) -> None:
        """The timer is to fire at `due_us` of the node's own time. Nobody sets it later: one that fires too early is set again."""
        world, clock = self._world, self._clock
        self._timer_due_us = due_us
        due_us -= self._offset_us
        if clock is not None:
            due_us = world.now + clock.until(due_us, world.now)
        # A microsecond on: what is due at once must not stop the world's clock.
        self._timer_us = due_us = max(due_us, world.now + 1)
        world.order += 1
        heappush(world.heap, (due_us, world.order, self._fire, due_us))

    def _fire(self, due_us: Micros) -> None:
        if due_us != self._timer_us:
            return  # another timer counts by now
        self._disarm()
        replica = self.replica
        if replica is None or self.paused:
            return
        due_us = replica.deadline()
        if due_us <= self.protocol_now():
            self.take(_TICK)
        else:
            self._arm(due_us)


_TICK = Tick()
_PERFORM: dict[type, Callable[[Host, Any], None]] = {
    Persist: Host._persist,
    Report: Host._report,
    Answer: Host._answer,
    SendGossip: Host._gossip,
}


def _told(error: Exception) -> str:
    """What it was, and where."""
    at = extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({Path(at.filename).name}:{at.lineno}, in {at.name})"
