"""Our own Raft group as a backend: real node processes `kv1`, `kv2`, … that report to this process as they would to a lab's supervisor.

Nodes call themselves `n1`, `n2`, … as everywhere; their processes have the run's names, and outside of this file only those are used.

Law 1: it is up when a linearizable read through every node was answered: somebody leads, and a majority follows.
Law 2: who leads is what the nodes that run say of themselves, asked when a role is resolved, not before.
Law 3: a fault of a link is in force when every running node at either end of one has said so.
"""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from collections.abc import Mapping
from typing import Any

import msgspec

from cluster import __version__
from cluster.backends.etcd.policy import policy_of
from cluster.backends.etcd.port import Refused
from cluster.backends.etcd.raft import RaftKv, url_of
from cluster.backends.group import Ask, Group, Launch, Trace
from cluster.commands.roster import resolve
from cluster.commands.toggles import mistakes_in
from cluster.core.errors import EnvironmentFailed, ProtocolError
from cluster.core.policy import Policy
from cluster.core.types import MS, Micros, NodeId
from cluster.faults import FaultPlan, LinkFault, compose, sides_of
from cluster.monotonic import now_us
from cluster.supervisor.chronicle import Chronicle
from cluster.supervisor.collector import Collector
from cluster.supervisor.parties import Guest, Party
from cluster.supervisor.zygote import Continued, Exited, Report, Started, Stopped
from cluster.telemetry.control import Hello, NodeSpec
from cluster.telemetry.events import Event, FaultHeard, LabOpened, NodeReady, NodeState, PlanChanged, ProcessChanged, RoleTaken
from cluster.telemetry.roster import roster_of

PACKAGES = ("aetcd",)  # for somebody else's etcd; grpc may not be loaded before a fork, so it is no preload
PRELOADS = ("cluster.node.process", "cluster.backends.etcd.raft")
SCHEMES = ("etcd://",)
PORTS_EACH = 1

_ENTRY = "cluster.node.process:run"
_STATE_INTERVAL_US: Micros = 100 * MS
_CONFIRMED_WITHIN_S = 5.0


def prepare(ask: Ask, trace: Trace) -> RaftGroup:
    """Raises `UsageError` for a policy or timers that cannot be."""
    return RaftGroup(ask, trace, policy_of(ask.options, ask.scale))


class RaftGroup(Group):
    """To the collector this is the roll of a lab's processes; to the runner it is a group of servers."""

    breaks_links = True

    def __init__(self, ask: Ask, trace: Trace, policy: Policy) -> None:
        self._ask = ask
        self._trace = trace
        self._policy = policy
        self._secret = secrets.token_bytes(32)
        self._names = {f"n{number}": name for number, name in enumerate(ask.names, 1)}  # node -> process
        self._nodes = {name: node for node, name in self._names.items()}
        self._members = dict(zip(self._names, ask.ports, strict=True))
        self._epochs = dict.fromkeys(self._names, 0)
        self._pids = dict.fromkeys(self._names, 0)
        self._serving: set[NodeId] = set()
        self._plan = FaultPlan()
        self._confirmed = dict.fromkeys(self._names, 0)  # node -> version of the newest plan that it has put in force
        self._bell = asyncio.Event()
        self._chronicle = Chronicle()
        self._collector = Collector(self, self._chronicle, _NoSeats(), lambda history: None)
        self.urls = tuple(url_of(node, port, self._secret) for node, port in self._members.items())

    async def open(self) -> None:
        self._chronicle.listen(self._note)
        self._chronicle.tell(_opened(self._members, self._policy, self._ask.seed))
        await self._collector.open(str(self._ask.folder / "control.sock"))

    def close(self) -> None:
        self._collector.close()

    def launch(self, name: str, urls: tuple[str, ...] = ()) -> Launch:
        """The next process of a node, with what the one before left on disk."""
        node = self._nodes[name]
        self._epochs[node] += 1
        data_dir = self._ask.folder / name
        data_dir.mkdir(mode=0o700, exist_ok=True)
        spec = NodeSpec(
            node=node, epoch=self._epochs[node], members=self._members, voters=tuple(self._members), policy=self._policy,
            secret=self._secret, data_dir=str(data_dir), control_path=str(self._ask.folder / "control.sock"),
            seed=self._ask.seed * 1_009 + int(node[1:]) * 101 + self._epochs[node], state_interval_us=_STATE_INTERVAL_US,
            plan=self._plan, niceness=0,
        )  # fmt: skip
        return Launch(_ENTRY, msgspec.msgpack.encode(spec))

    async def answers(self, name: str) -> None:
        """Law 1. Through this very node: whoever else leads, it can be asked and knows whom to name."""
        node = self._nodes[name]
        while self._chronicle.view.nodes[node].process != "up":
            await self._rung()
        kv = RaftKv(self.urls, f"wait.{name}", random.Random(self._ask.seed), first=node)
        try:
            while not await _reached(kv):
                pass
        finally:
            await kv.close()

    def retune(self, options: Mapping[str, Any]) -> None:
        self._policy = policy_of(options, self._ask.scale)
        self._collector.set_policy(self._policy.raft)

    # ---- who is what --------------------------------------------------------------------------------------------

    def heard(self, report: Report) -> None:
        node = self._nodes[report.name]
        match report:
            case Started(pid=pid, at_us=at_us):
                self._pids[node] = pid
                self._serving.discard(node)
                self._changed(node, at_us, "starting", "started")
            case Stopped(at_us=at_us):
                self._changed(node, at_us, "paused", "SIGSTOP")
            case Continued(at_us=at_us):
                self._changed(node, at_us, "up" if node in self._serving else "starting", "SIGCONT")
            case Exited(at_us=at_us, status=status):
                self._changed(node, at_us, "down", f"ended with {status}")
            case _:
                pass

    def resolve(self, role: str) -> tuple[str, ...]:
        return tuple(self._names[node] for node in resolve((role,), roster_of(self._chronicle.view)))

    def _changed(self, node: NodeId, at_us: Micros, state: str, why: str) -> None:
        self._chronicle.tell(ProcessChanged(at_us, node, state, self._pids[node], self._epochs[node], why))

    # ---- faults -------------------------------------------------------------------------------------------------

    async def apply(self, links: tuple[LinkFault, ...]) -> None:
        own = tuple(
            msgspec.structs.replace(link, source=self._nodes[link.source], target=self._nodes[link.target])
            for link in links
            if link.source in self._nodes and link.target in self._nodes
        )
        # Through `compose`: several faults of one link are one, and links come in a fixed order.
        plan = compose([FaultPlan(0, (link,)) for link in own], self._plan.version + 1)
        if plan.links == self._plan.links:
            return
        self._plan = plan
        self._chronicle.tell(PlanChanged(now_us(), plan, sides_of(plan, self._members)))
        self._collector.set_plan(plan)
        try:
            async with asyncio.timeout(_CONFIRMED_WITHIN_S):
                while self._unconfirmed():
                    await self._rung()
        except TimeoutError:
            late = ", ".join(self._names[node] for node in self._unconfirmed())
            raise EnvironmentFailed(f"{late} did not put a fault of its links in force within {_CONFIRMED_WITHIN_S:g} s") from None

    def _unconfirmed(self) -> list[NodeId]:
        """Nodes that run and have not said that the newest plan is in force at their end."""
        nodes = self._chronicle.view.nodes
        return [node for node in self._names if nodes[node].process == "up" and self._confirmed[node] < self._plan.version]

    # ---- what the nodes report ----------------------------------------------------------------------------------

    @property
    def nodes(self) -> tuple[NodeId, ...]:
        return tuple(self._names)

    @property
    def clients(self) -> tuple[str, ...]:
        return ()

    def epoch(self, name: str) -> int:
        return self._epochs[name]

    def ready(self, event: NodeReady) -> None:
        self._serving.add(event.node)
        self._changed(event.node, event.at_us, "up", "serves")

    def _note(self, event: Event) -> None:
        """Into the node's trace, as far as incidents want to know; and the bell for whoever waits."""
        match event:
            case RoleTaken():
                fields = {"role": event.role, "term": event.term, "leader": self._names.get(event.leader or ""), "why": event.why}
                self._say(event, "raft.role", fields)
            case FaultHeard():
                self._confirmed[event.node] = event.version
                self._say(event, "raft.plan", {"version": event.version})
            case NodeState():
                dropped = sum(count for _, count in event.dropped)
                state = {"role": event.role, "term": event.term, "commit": event.commit, "sent": event.sent, "dropped": dropped}
                self._say(event, "raft.state", state)
            case _:
                pass
        waiting, self._bell = self._bell, asyncio.Event()
        waiting.set()

    def _say(self, event: RoleTaken | FaultHeard | NodeState, kind: str, fields: dict[str, object]) -> None:
        self._trace(self._names[event.node], kind, {"mono_ns": event.at_us * 1_000, **fields})

    async def _rung(self) -> None:
        await self._bell.wait()


async def _reached(kv: RaftKv) -> bool:
    """Whether a linearizable read was answered before its client gave up."""
    try:
        await kv.barrier()
    except Refused:
        return False
    return True


class _NoSeats:
    """Nobody watches a group by itself; a run is watched by its records."""

    def greet(self, party: Party, hello: Hello) -> Guest:
        raise ProtocolError("a group has no seats")


def _opened(members: dict[NodeId, int], policy: Policy, seed: int) -> LabOpened:
    return LabOpened(
        at_us=now_us(), run="kv", seed=seed, nodes=tuple(members), voters=tuple(members), profile="", quorum=len(members) // 2 + 1,
        threshold=policy.detect.threshold, detector=policy.detect.decider, heartbeat_us=policy.raft.heartbeat_us,
        election_min_us=policy.raft.election_min_us, gossip_interval_us=policy.gossip.interval_us, fanout=policy.gossip.fanout,
        started_wall_s=time.time(), version=__version__, mistakes=mistakes_in(policy),
    )  # fmt: skip
