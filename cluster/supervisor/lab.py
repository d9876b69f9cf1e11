"""One lab, put together: its processes, its faults, its judges, its seats; and what must hold among them.

Law 1: after every change to the leases, processes and plans are brought in line with *all* of them (`settle`).
Law 2: the lab ends once, from one place (`endings`); everything else only asks it to.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import time
from pathlib import Path

import msgspec

from cluster import __version__
from cluster.commands.toggles import mistakes_in
from cluster.core.policy import Policy
from cluster.core.types import SECOND, Micros, NodeId
from cluster.faults import sides_of
from cluster.leases import Lease, Leases
from cluster.monotonic import now_us
from cluster.supervisor import ports
from cluster.supervisor.brood import Brood
from cluster.supervisor.chronicle import Chronicle
from cluster.supervisor.collector import Collector
from cluster.supervisor.fleet import Fleet, Recipe
from cluster.supervisor.judges import Judges
from cluster.supervisor.profiles import nodes_of, policy_of, state_interval_us, voters_of
from cluster.telemetry.control import Counted, LabSpec, NodeSpec, WorkloadSpec
from cluster.telemetry.events import FaultBegan, FaultEnded, LabOpened, NodeEnlisted, PlanChanged
from cluster.telemetry.roster import leader_of

_COUNT_WITHIN_S = 8.0
_LEADER_WITHIN_US: Micros = 30 * SECOND


class Place(msgspec.Struct, frozen=True):
    """Where this lab lives on the machine."""

    run: str
    socket_path: str
    log_dir: str
    nodes_dir: str
    ports: tuple[int, ...]
    secret: bytes
    first_epoch: int


class Lab:
    """The state of one lab and the changes it can undergo. Orders (`orders`) call it; it never decides by itself to break something."""

    def __init__(self, spec: LabSpec, place: Place, chronicle: Chronicle, brood: Brood) -> None:
        self.spec, self.place, self.chronicle = spec, place, chronicle
        self.policy: Policy = policy_of(spec)
        self.dice = random.Random(spec.seed)
        self.members: dict[NodeId, int] = dict(zip(nodes_of(spec), place.ports, strict=True))
        self.voters = voters_of(spec)
        self.leases = Leases()
        self.fleet = Fleet(brood, chronicle, place.first_epoch)
        self.rate = spec.workload_rate
        self.workload_on = True
        self._timer: asyncio.TimerHandle | None = None
        self._plan_version = 0
        self._resting: set[NodeId] = set()  # kept down by a crash: started again when no crash holds them any more
        self._counting: asyncio.Task[None] | None = None
        # Set by whoever puts the lab together: they need it, and it them.
        self.tasks: asyncio.TaskGroup
        self.collector: Collector
        self.judges: Judges
        self.ending = False
        self._enlist()

    def _enlist(self) -> None:
        for node in self.members:
            self.fleet.enlist(node, self._node_recipe(node), is_node=True)
        for number in range(1, self.spec.clients + 1):
            self.fleet.enlist(f"c{number}", self._client_recipe(f"c{number}"), is_node=False)

    def _node_recipe(self, node: NodeId) -> Recipe:
        def recipe(epoch: int) -> tuple[str, bytes, str]:
            spec = NodeSpec(
                node=node, epoch=epoch, members=self.members, voters=self.voters, policy=self.policy,
                secret=self.place.secret, data_dir=str(self.node_dir(node)), control_path=self.place.socket_path,
                seed=self.spec.seed * 1_000_003 + int(node[1:]) * 1_009 + epoch,
                state_interval_us=state_interval_us(self.spec), plan=self.leases.plan(),
            )  # fmt: skip
            return self.spec.node_entry, msgspec.msgpack.encode(spec), f"{self.place.log_dir}/{node}.log"

        return recipe

    def _client_recipe(self, client: str) -> Recipe:
        def recipe(epoch: int) -> tuple[str, bytes, str]:
            spec = WorkloadSpec(
                client=client, members=self.members, voters=self.voters, secret=self.place.secret,
                control_path=self.place.socket_path, seed=self.spec.seed * 7_919 + int(client[1:]) + epoch * 131,
                rate=0.0, incarnation=epoch, clients=self.spec.clients, policy=self.policy.client,
            )  # fmt: skip
            return self.spec.client_entry, msgspec.msgpack.encode(spec), f"{self.place.log_dir}/{client}.log"

        return recipe

    def node_dir(self, node: NodeId) -> Path:
        return Path(self.place.nodes_dir) / node

    # ---- beginning ----------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Say what this lab is, and start everything."""
        policy = self.policy
        self.chronicle.tell(
            LabOpened(
                at_us=now_us(), run=self.place.run, seed=self.spec.seed, nodes=tuple(self.members), voters=self.voters,
                profile=self.spec.profile, quorum=len(self.voters) // 2 + 1, threshold=policy.detect.threshold,
                detector=policy.detect.decider, heartbeat_us=policy.raft.heartbeat_us,
                election_min_us=policy.raft.election_min_us, gossip_interval_us=policy.gossip.interval_us,
                fanout=policy.gossip.fanout, started_wall_s=time.time(), version=__version__,
                mistakes=mistakes_in(policy),
            )
        )  # fmt: skip
        self._tell_plan()
        for node in self.members:
            self.start(node, "started")
        for client in self.fleet.clients:
            self.fleet.want(client, True, "started")
        self.tasks.create_task(self._pace_when_led())
        self.tasks.create_task(self._greet())

    def enlist(self, node: NodeId) -> None:
        """One node more: everyone is told where it is, and its process starts. Raises `EnvironmentFailed` without a port for it."""
        self.members[node] = ports.another(self.members.values())
        self.fleet.enlist(node, self._node_recipe(node), is_node=True)
        self.chronicle.tell(NodeEnlisted(now_us(), node))
        self.collector.meet(self.members)
        self.start(node, "joins the lab")
        self.settle()

    def start(self, node: NodeId, why: str) -> None:
        self.node_dir(node).mkdir(mode=0o700, parents=True, exist_ok=True)
        self.fleet.want(node, True, why)

    async def _pace_when_led(self) -> None:
        """The workload begins when there is somebody to serve it: failures before that would prove nothing."""
        await self.chronicle.until(lambda view: leader_of(view) is not None, _LEADER_WITHIN_US)
        self.pace(self.rate if self.workload_on else 0.0)

    async def _greet(self) -> None:
        """A first rumour once everybody listens: how news travels can be seen, and is measured, in every lab."""
        if await self.chronicle.until(lambda view: all(node.state for node in view.nodes.values()), _LEADER_WITHIN_US):
            self.collector.order(self.dice.choice(tuple(self.members)), "rumour", "the lab is open")

    def pace(self, rate: float) -> None:
        """Operations per second of all clients together; 0 is off."""
        self.workload_on = rate > 0
        if rate > 0:
            self.rate = rate
        self.judges.rate = round(rate)
        self.collector.set_rate(rate / max(1, len(self.fleet.clients)))

    # ---- faults -------------------------------------------------------------------------------------------------

    def begin(self, lease: Lease) -> None:
        self.chronicle.tell(began(lease))
        self.settle()

    def finish(self, lease: Lease, why: str) -> None:
        """A lease is over: it has been taken out of the table already, or is taken out now."""
        if lease in self.leases.active():
            self.leases.end(lease.id)
        self.chronicle.tell(FaultEnded(now_us(), lease.id, why, lease.residue))

    def finish_all(self, leases: tuple[Lease, ...], why: str) -> None:
        """End several, then bring everything in line once."""
        for lease in leases:
            self.finish(lease, why)
        self.settle(because=f"fault {', '.join(f'#{lease.id}' for lease in leases)} {why}")
        if leases and not len(self.leases):
            self.count_again()

    def settle(self, because: str = "") -> None:
        """Law 1: held, killed and started as the leases say; plans sent when they changed; the next expiry awaited."""
        for node in self.members:
            if self.leases.crashed(node):
                self._crash(node)
                continue
            if not self.fleet.wanted(node) and node in self._resting:
                self._resting.discard(node)
                self.start(node, f"restarted: {because}" if because else "restarted")
            self.fleet.hold(node, self.leases.frozen or self.leases.paused(node), because or self._why_paused(node))
        for client in self.fleet.clients:
            self.fleet.hold(client, self.leases.frozen, "freeze")
        if self.leases.plan().version != self._plan_version:
            self._tell_plan()
        self._await_expiry()

    def _crash(self, node: NodeId) -> None:
        number = next(lease.id for lease in self.leases.active() if lease.kind == "crash" and node in lease.targets)
        if self.fleet.wanted(node):
            self.fleet.want(node, False, f"crash #{number}")
        # Killed first: a stopped process must not run once more. The one that follows it starts unheld.
        self.fleet.hold(node, self.leases.frozen, f"crash #{number}")
        self._resting.add(node)

    def _why_paused(self, node: NodeId) -> str:
        pauses = [f"#{lease.id}" for lease in self.leases.active() if lease.kind == "pause" and node in lease.targets]
        return f"SIGSTOP (pause {', '.join(pauses)})" if pauses else "freeze" if self.leases.frozen else "SIGCONT"

    def _tell_plan(self) -> None:
        plan = self.leases.plan()
        self._plan_version = plan.version
        self.collector.set_plan(plan)
        self.chronicle.tell(PlanChanged(now_us(), plan, sides_of(plan, self.members)))

    def _await_expiry(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        deadline = self.leases.deadline()
        if deadline is not None:
            wait_s = max(0, deadline - now_us()) / SECOND
            self._timer = asyncio.get_running_loop().call_later(wait_s, self._expire)

    def _expire(self) -> None:
        due = self.leases.due(now_us())
        if due:
            self.finish_all(due, "expired")
        else:
            self._await_expiry()

    # ---- judging ------------------------------------------------------------------------------------------------

    def count_again(self) -> None:
        """After a heal every client looks for what it was promised; one count at a time."""
        if self._counting is None or self._counting.done():
            self._counting = self.tasks.create_task(self._count())

    async def _count(self) -> None:
        if not await self.chronicle.until(lambda view: leader_of(view) is not None, _LEADER_WITHIN_US):
            self.judges.counted([], now_us())
            return
        clients = list(self.collector.clients.values())
        answers = await asyncio.gather(*(client.count_acked(_COUNT_WITHIN_S) for client in clients))
        counts = [answer for answer in answers if isinstance(answer, Counted)]
        self.judges.counted(counts if len(counts) == len(self.fleet.clients) else [], now_us())

    # ---- a clean cluster ----------------------------------------------------------------------------------------

    async def reset(self) -> bool:
        """No fault, empty disks, new processes. False when no leader came up in time."""
        self.thaw_leases()
        for lease in self.leases.active():
            self.finish(lease, "healed")
        self._resting.clear()
        everyone = (*self.fleet.nodes, *self.fleet.clients)
        for name in everyone:
            self.fleet.hold(name, False, "reset")
            self.fleet.want(name, False, "reset")
        await self.fleet.gone(everyone)
        for node in self.members:
            self.wipe(node)
        self.judges.start_anew(now_us())
        self._tell_plan()
        for node in self.members:
            self.start(node, "reset")
        for client in self.fleet.clients:
            self.fleet.want(client, True, "reset")
        self._await_expiry()
        led = await self.chronicle.until(lambda view: leader_of(view) is not None, 10 * SECOND)
        if self.workload_on:
            self.pace(self.rate)
        return led

    def stop_clocks(self) -> None:
        """The lab ends: nothing begins or expires any more."""
        self.ending = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def wipe(self, node: NodeId) -> None:
        """Delete everything a node that is down has stored."""
        assert not self.fleet.there(node), f"{node} still has a process"
        shutil.rmtree(self.node_dir(node), ignore_errors=True)
        self.node_dir(node).mkdir(mode=0o700, parents=True, exist_ok=True)

    def thaw_leases(self) -> None:
        """Deadlines move on; a lease told again under its own number has only a new deadline."""
        for lease in self.leases.thaw(now_us()):
            self.chronicle.tell(began(lease))


def began(lease: Lease) -> FaultBegan:
    return FaultBegan(
        at_us=lease.began_us, id=lease.id, kind=lease.kind, text=lease.text, asked=lease.asked, targets=lease.targets,
        until_us=lease.until_us, by=lease.by,
    )  # fmt: skip
