"""One turn of a node: look at the clock, handle what waits, perform the effects in order, arm the timer.

Law 1: the clock is looked at first. After a freeze the replica hears `Froze` before anything that queued up meanwhile.
Law 2: inputs come before timers: a heartbeat that has arrived is handled before the election timer that it was to
       prevent.
Law 3: this is the one place where effects are performed, in the order given.
Law 4: a broken invariant ends the process: a node that no longer keeps its own laws must not speak.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from cluster.core.clock import FreezeWatch, NodeClock
from cluster.core.effects import (
    Answer,
    Effect,
    FromGossip,
    FromPeer,
    Order,
    ReplicaInput,
    Report,
    SendGossip,
    SendPeer,
)
from cluster.core.errors import UsageError
from cluster.core.policy import RaftPolicy
from cluster.core.raft.ready import Froze, Persist, Persisted, Tick
from cluster.core.replica import Replica
from cluster.core.types import MS, Micros
from cluster.faults import FaultPlan
from cluster.monotonic import now_us as true_us
from cluster.node.client_port import ClientPort
from cluster.node.complaints import Complaints
from cluster.node.control import ControlLink
from cluster.node.fault_shim import FaultShim
from cluster.node.inbox import Inbox
from cluster.node.round_trips import RoundTrips
from cluster.node.storage import Storage
from cluster.node.transport import Transport
from cluster.telemetry.events import AppliedMark, ClockGap, FaultHeard, LeaderCommit, NodeState
from cluster.telemetry.reports import event_of
from cluster.telemetry.states import EdgeFigures, state_of

# With so many writes unanswered a leader does not wait for its own disk.
LOADED = 8


class Driver:
    """The replica and everything that acts for it. `broken(error)` is told when the node must not go on."""

    def __init__(
        self,
        replica: Replica,
        *,
        epoch: int,
        freeze_gap_us: Micros,
        shim: FaultShim,
        complaints: Complaints,
        control: ControlLink,
        broken: Callable[[BaseException], None],
    ) -> None:
        now_us = true_us()
        self.inbox = Inbox(self.wake)
        self.clients = ClientPort(self.inbox)
        self._replica, self._epoch, self._shim = replica, epoch, shim
        self._complaints, self._control, self._broken = complaints, control, broken
        self._clock = NodeClock(now_us)
        self._watch = FreezeWatch(freeze_gap_us, now_us)
        self._round_trips = RoundTrips()
        self._loop = asyncio.get_running_loop()
        self._turn_is_due = False
        self._stopped = True
        self._timer: asyncio.TimerHandle | None = None
        self._timer_due_us: Micros = 0
        self._transport: Transport
        self._storage: Storage

    def start(self, transport: Transport, storage: Storage, plan: FaultPlan) -> None:
        """Begin to take turns."""
        self._transport, self._storage = transport, storage
        self._stopped = False
        self.apply(plan)
        self.wake()

    @property
    def started(self) -> bool:
        return not self._stopped

    def stop(self) -> None:
        """Take no further turn."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def wake(self) -> None:
        """Take a turn once the loop has read all its sockets."""
        if not (self._turn_is_due or self._stopped):
            self._turn_is_due = True
            self._loop.call_soon(self._turn)

    def apply(self, plan: FaultPlan) -> None:
        """Put a fault plan in force, unless a newer one is, and say so."""
        now_us = true_us()
        if self._shim.apply(plan, now_us):
            own = self._shim.own
            self._clock.set_fault(own.skew_us, own.drift, now_us)
            self._storage.set_fault(own.disk, own.disk_delay_us)
        self._control.urgent(FaultHeard(self._replica.node, now_us, self._shim.version))
        self.wake()

    def retune(self, policy: RaftPolicy) -> None:
        """Between two turns: another policy for Raft."""
        self._replica.retune(policy)
        self.wake()

    def state(self) -> NodeState:
        """The periodic snapshot."""
        now_us = true_us()
        rtt = self._round_trips.smoothed
        edge = EdgeFigures(
            epoch=self._epoch,
            disk_busy_us=self._storage.busy_us(now_us),
            fsync_us=self._storage.fsync_us(),
            sent=self._transport.sent,
            received=self.inbox.received,
            dropped=self._shim.drops(self._replica.members),
            rtt=tuple((peer, rtt[peer]) for peer in self._replica.members if peer in rtt),
            cpu_us=time.process_time_ns() // 1_000,
            telemetry_lost=self._control.telemetry_lost,
            skew_us=self._clock.offset_us(now_us),
        )
        return state_of(self._replica, edge, self._clock.now(now_us), now_us)

    # ---- a turn

    def _turn(self) -> None:
        self._turn_is_due = False
        if self._stopped:
            return
        try:
            self._take_turn()
        except Exception as error:  # noqa: BLE001
            # Law 4: not swallowed: `broken` ends the process with this error.
            self.stop()
            self._broken(error)

    def _take_turn(self) -> None:
        """Messages leave before the disk is written: the followers' disks work meanwhile (dissertation §10.2.1)."""
        replica = self._replica
        now, now_us = self._look()
        for input in self.inbox.take():
            self._handle(input, now, now_us)
        due = replica.deadline()
        if due <= now:
            self._perform(replica.handle(Tick(), now), now_us)
            due = replica.deadline()
        self._shim.release(now_us)
        self._flush(now_us)
        while token := self._storage.write(aside=replica.proposals_waiting >= LOADED):
            now, now_us = self._look()
            self._perform(replica.handle(Persisted(token), now), now_us)
            due = replica.deadline()
            self._flush(now_us)
        if self.inbox:
            self.wake()
        self._arm(now_us, due)

    def _look(self) -> tuple[Micros, Micros]:
        """Law 1. The time: the node's own, and true time."""
        now_us = true_us()
        gap_us = self._watch.turn(now_us)
        now = self._clock.now(now_us)
        if gap_us:
            self._control.urgent(ClockGap(self._replica.node, now_us, gap_us))
            self._perform(self._replica.handle(Froze(gap_us), now), now_us)
        return now, now_us

    def _flush(self, now_us: Micros) -> None:
        """What peers wait for goes first: their disks work while this goes on."""
        self._transport.flush()
        self.clients.flush()
        self._control.trickle(now_us)

    def _handle(self, input: ReplicaInput, now: Micros, now_us: Micros) -> None:
        kind = type(input)
        if kind is FromPeer or kind is FromGossip:
            self._round_trips.heard(input.sender, input.message, now_us)  # type: ignore[union-attr]
        elif kind is Order:
            self._obey(input, now, now_us)  # type: ignore[arg-type]
            return
        self._perform(self._replica.handle(input, now), now_us)

    def _obey(self, order: Order, now: Micros, now_us: Micros) -> None:
        try:
            self._perform(self._replica.handle(order, now), now_us)
        except UsageError as error:
            self._complaints.add("order", f"{order.verb} refused: {error}")

    def _perform(self, effects: list[Effect], now_us: Micros) -> None:
        for effect in effects:
            kind = type(effect)
            if kind is Answer:  # by far the most frequent
                self.clients.answer(effect.token, effect.reply, effect.more)  # type: ignore[union-attr]
            else:
                _PERFORM[kind](self, effect, now_us)

    def _send_peer(self, effect: SendPeer, now_us: Micros) -> None:
        self._round_trips.sent(effect.to, effect.message, now_us)
        self._transport.send_peer(effect.to, effect.message, now_us)

    def _persist(self, effect: Persist, now_us: Micros) -> None:
        self._storage.submit(effect)

    def _send_gossip(self, effect: SendGossip, now_us: Micros) -> None:
        self._round_trips.sent(effect.to, effect.message, now_us)
        self._transport.send_gossip(effect.to, effect.message, now_us)

    def _report(self, effect: Report, now_us: Micros) -> None:
        told = event_of(self._replica.node, now_us, effect.event)
        if type(told) in _EVIDENCE:
            self._control.evidence(told)  # type: ignore[arg-type]
        elif told is not None:
            self._control.urgent(told)

    # ---- the timer

    def _arm(self, now_us: Micros, due: Micros) -> None:
        """One timer for all: the replica's deadline (`due`, in its own time), the shim's, and the freeze watch."""
        wait_us = min(self._watch.interval_us, self._clock.until(due, now_us))
        shim_due_us = self._shim.due_us()
        if shim_due_us is not None:
            wait_us = min(wait_us, max(0, shim_due_us - now_us))
        if wait_us == 0:
            self._loop.call_soon(self.wake)
            return
        due_us = now_us + wait_us
        if self._timer is not None:
            if self._timer_due_us <= due_us:
                return
            self._timer.cancel()
        # Whole milliseconds, rounded up: uvloop counts in them, and would fire early and be armed again for the rest.
        self._timer = self._loop.call_later(-(-wait_us // MS) / 1_000, self._fired)
        self._timer_due_us = due_us

    def _fired(self) -> None:
        """Law 2: uvloop fires timers before it reads sockets, asyncio after. Two hops later both have read them."""
        self._timer = None
        now_us = true_us()
        if self._nothing_due(now_us):
            self._watch.turn(now_us)
            self._control.trickle(now_us)
            self._arm(now_us, self._replica.deadline())
        else:
            self._loop.call_soon(self.wake)

    def _nothing_due(self, now_us: Micros) -> bool:
        """The timer fired for the freeze watch only: no reason for a whole turn, thirty times a second in fifty nodes."""
        shim_due_us = self._shim.due_us()
        return (
            not self._watch.gap_us(now_us)
            and self._replica.deadline() > self._clock.now(now_us)
            and (shim_due_us is None or shim_due_us > now_us)
        )


_EVIDENCE = frozenset({AppliedMark, LeaderCommit})
_PERFORM: dict[type, Callable[[Driver, Any, Micros], None]] = {
    SendPeer: Driver._send_peer,
    Persist: Driver._persist,
    SendGossip: Driver._send_gossip,
    Report: Driver._report,
}
