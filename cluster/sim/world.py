"""The world: a clock made of events, hosts, links, and the faults that are in force.

Law 1: things happen one after the other, in the order of their times, and of their making when times are equal.
Law 2: faults are leases, as in a lab: what holds for a host or link is computed from all of them.
Law 3: a run ends in peace: everything is healed, and then the cluster must serve again and hold what it promised.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any
from zlib import crc32

from cluster.check.violation import Violation
from cluster.commands import Command, model, resolved, verb_of
from cluster.commands.roster import Roster
from cluster.core.errors import CorruptLog, LawBroken, UsageError
from cluster.core.types import MS, SECOND, Micros, NodeId, Role
from cluster.faults import NodeFault, sides_of
from cluster.leases import Lease, Leases
from cluster.sim.clients import Client
from cluster.sim.dice import SeededDice
from cluster.sim.eras import Keys
from cluster.sim.host import Host
from cluster.sim.housekeeper import EVERY_US, Housekeeper
from cluster.sim.judge import Judge, Onlooker, Violated
from cluster.sim.network import Link
from cluster.sim.schedule import Timed, schedule_of, written
from cluster.sim.setup import Setup, policy_of, surroundings_of
from cluster.sim.trace import Trace
from cluster.telemetry.events import FaultBegan, FaultEnded, LabOpened, PlanChanged

STATE_INTERVAL_US: Micros = 100 * MS
SEAT = "seed"


class World:
    """Everything of one run. `heap` holds (time, order, act, argument); whoever pushes raises `order`."""

    def __init__(self, setup: Setup, onlooker: Onlooker | None = None) -> None:
        self.setup = setup
        around = surroundings_of(setup)
        self.policy = policy_of(setup, around)
        self.now: Micros = 0
        self.order = 0
        self.heap: list[tuple[Micros, int, Callable[[Any], None], Any]] = []
        self.steps = self.messages = self.client_messages = self.heartbeats = self.gossip = 0
        self.network_dice = SeededDice(setup.seed, "network")
        self.trace = Trace()
        self.judge = Judge(self, onlooker)
        self.keys = Keys()
        self.played = bytearray()  # of the schedule so far, one for what was played, zero for what meant nothing
        self._tokens = 0
        self._leases = Leases()
        self._schedule = schedule_of(setup, around)
        self._transfers_denied = 0
        self.hosts: dict[NodeId, Host] = {node: Host(self, node, around) for node in setup.members}
        self._links = [self._link(a, b, around) for a in self.hosts.values() for b in self.hosts.values() if a is not b]
        self.clients = [Client(self, number, around.think_us, lease_reads=around.lease_reads) for number in range(1, around.clients + 1)]
        self.housekeeper = Housekeeper(self)

    def _link(self, source: Host, target: Host, around: Any) -> Link:
        link = source.links[target.node] = Link(self, source, target, around)
        return link

    # ---- time ---------------------------------------------------------------------------------------------------

    def later(self, delay_us: Micros, act: Callable[[Any], None], argument: Any) -> None:
        """`act(argument)` happens in `delay_us`."""
        self.order += 1
        heappush(self.heap, (self.now + delay_us, self.order, act, argument))

    def next_token(self) -> int:
        self._tokens += 1
        return self._tokens

    def run(self, steps: int) -> None:
        """Let `steps` things happen. Raises `Violated`."""
        heap, pop = self.heap, heappop
        limit = self.steps + steps
        done = self.steps
        try:
            while done < limit and heap:
                self.now, _, act, argument = pop(heap)
                done += 1
                act(argument)
        except LawBroken as error:
            raise Violated(Violation(error.law, self.now, error.evidence)) from error
        except CorruptLog as error:
            raise Violated(Violation("what a disk holds can be read back", self.now, str(error))) from error
        finally:
            self.steps = done

    def run_until(self, met: Callable[[], bool], steps_max: int) -> bool:
        """Go on until `met`; False when `steps_max` things happened before it was."""
        for _ in range(steps_max // 20):
            if met():
                return True
            self.run(20)
        return met()

    # ---- beginning ----------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Start every process, client and the schedule of faults."""
        raft, detect, setup = self.policy.raft, self.policy.detect, self.setup
        self.judge.event(
            LabOpened(
                self.now, f"seed {setup.seed}", setup.seed, setup.members, setup.voters, "sim", len(setup.voters) // 2 + 1,
                detect.threshold, detect.decider, raft.heartbeat_us, raft.election_min_us, self.policy.gossip.interval_us,
                self.policy.gossip.fanout, 0.0, "", setup.mistakes,
            )
        )  # fmt: skip
        for host in self.hosts.values():
            host.start()
        for client in self.clients:
            self.later(client.number * MS, client.begin, None)
        self.later(EVERY_US, self.housekeeper.begin, None)
        self.later(STATE_INTERVAL_US, self._look_around, None)
        self._next_fault()

    def _look_around(self, _: None) -> None:
        self.judge.look_around(self.hosts.values())
        self.later(STATE_INTERVAL_US, self._look_around, None)

    # ---- faults -------------------------------------------------------------------------------------------------

    def _next_fault(self) -> None:
        timed = next(self._schedule, None)
        if timed is not None:
            self.later(max(0, timed[0] - self.now), self._fire, timed)

    def _fire(self, timed: Timed) -> None:
        """One command of the schedule; what means nothing now ("no leader is known") does not happen."""
        try:
            self._carry_out(timed[1])
        except UsageError:
            self.played.append(0)
        else:
            self.played.append(1)
        self._next_fault()

    def happened(self) -> tuple[str, ...]:
        """The schedule as far as it was played. A long run does not keep it: it is drawn again (or read again) from the setup."""
        again = schedule_of(self.setup, surroundings_of(self.setup))
        return tuple([written(timed) for timed, played in zip(again, self.played, strict=False) if played])

    def _carry_out(self, command: Command) -> None:
        roster = self._roster()
        meant = resolved(command, roster)
        self.trace.add((self.now, verb_of(meant)))
        if isinstance(meant, model.Transfer | model.Add | model.Remove | model.Replace):
            self._tell_leader(meant, roster)
            return
        if not isinstance(meant, model.Fault):
            raise UsageError(f"{verb_of(command)} is no fault")
        lease = self._leases.grant(meant, roster, "", SEAT, self.now)
        self._count(meant)
        self.judge.event(FaultBegan(self.now, lease.id, lease.kind, lease.text, "", lease.targets, lease.until_us, SEAT))
        if isinstance(meant, model.Crash):
            self._leases.release(model.Pause, meant.targets)
        self.later(lease.until_us - self.now, self._end, lease.id)
        self._settle(lease)

    def _tell_leader(self, command: model.Transfer | model.Add | model.Remove | model.Replace, roster: Roster) -> None:
        """Raises `UsageError` when nobody leads, or the leader refuses."""
        if roster.leader is None:
            raise UsageError("no leader is known now")
        new = command.nodes if isinstance(command, model.Add) else (command.node,) if isinstance(command, model.Replace) else ()
        if not self.hosts.keys() >= set(new):
            raise UsageError(f"no node is made while a simulation runs: {', '.join(new)}")
        leader, done = self.hosts[roster.leader], self.judge.done
        match command:
            case model.Transfer(targets=targets):
                leader.order("transfer", targets[0])
                done.transfers += 1
                return
            case model.Add(nodes=nodes, learner=learner):
                leader.order("learn" if learner else "add", " ".join(nodes))
            case model.Remove(targets=targets):
                leader.order("remove", " ".join(targets))
            case model.Replace(targets=targets, node=node):
                leader.order("replace", f"{targets[0]} {node}")

    def _count(self, command: model.Fault) -> None:
        done = self.judge.done
        match command:
            case model.Crash(targets=targets):
                done.crashes += sum(self.hosts[node].replica is not None for node in targets)
            case model.Pause():
                done.pauses += 1
            case model.Cut() | model.CutShape() | model.Isolate():
                done.cuts += 1
            case model.Disk():
                done.disk_faults += 1
            case model.Skew() | model.Drift():
                done.clock_faults += 1
            case _:
                done.link_faults += 1

    def _end(self, number: int) -> None:
        """A lease is over, unless it ended with something else."""
        if any(lease.id == number for lease in self._leases.active()):
            self._finish(number, "expired")

    def _finish(self, number: int, why: str) -> None:
        lease = self._leases.end(number)
        self.judge.tell(FaultEnded(self.now, number, why, lease.residue))
        self._settle(lease)

    def _settle(self, changed: Lease) -> None:
        """Law 2: bring hosts and links in line with all leases."""
        if changed.plan.links or changed.plan.nodes:
            self._apply_plan()
        down, stopped = set[NodeId](), set[NodeId]()
        for lease in self._leases.active():
            if isinstance(lease.command, model.Crash):
                down.update(lease.targets)
            elif isinstance(lease.command, model.Pause):
                stopped.update(lease.targets)
        for host in self.hosts.values():
            if host.node in down:
                if host.replica is not None:
                    host.crash()
                continue
            if host.replica is None:
                host.start()
            if host.node in stopped and not host.paused:
                host.pause()
            elif host.paused and host.node not in stopped:
                host.resume()

    def _apply_plan(self) -> None:
        plan = self._leases.plan()
        faults = {(fault.source, fault.target): fault for fault in plan.links}
        for link in self._links:
            link.fault = faults.get((link.source.node, link.target.node))
            link.cut = link.fault is not None and link.fault.cut
        own = {fault.node: fault for fault in plan.nodes}
        for host in self.hosts.values():
            host.set_fault(own.get(host.node, NodeFault(host.node)))
        if self.judge.watched:
            self.judge.tell(PlanChanged(self.now, plan, sides_of(plan, self.hosts)))

    def _roster(self) -> Roster:
        hosts = self.hosts.values()
        return Roster(
            nodes=self.setup.members,
            voters=self.setup.voters,
            down=tuple(host.node for host in hosts if host.replica is None),
            paused=tuple(host.node for host in hosts if host.paused),
            leader=self.leader(),
            # `any` is somebody else every time, and the same again when the fault is played again.
            draw=crc32(str(self.now).encode()),
        )

    def leader(self) -> NodeId | None:
        """Who leads the highest term, as far as a process lives and runs."""
        leading = [
            (host.replica.raft.term, host.node)
            for host in self.hosts.values()
            if host.replica is not None and host.replica.raft is not None and host.replica.role is Role.LEADER and not host.paused
        ]
        return max(leading)[1] if leading else None

    def heal(self) -> None:
        """End every fault, and let nothing more begin."""
        self._schedule = iter(())
        for lease in self._leases.active():
            self._finish(lease.id, "healed")

    @property
    def virtual_s(self) -> float:
        return self.now / SECOND
