"""The control socket: nodes report here, clients send their histories here, seats sit down here.

Law 1: a node speaks only of itself, and only while it is the newest process of its name.
Law 2: fault plans are state, not a stream: a node that does not read (it may be stopped) gets the newest one when it reads again.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Protocol

from cluster.core.errors import ProtocolError
from cluster.core.policy import RaftPolicy
from cluster.core.types import Micros, NodeId
from cluster.faults import FaultPlan, seen_by
from cluster.monotonic import now_us
from cluster.supervisor.chronicle import Chronicle
from cluster.supervisor.parties import Guest, Party
from cluster.telemetry.control import (
    Batch,
    ControlMessage,
    CountAcked,
    Counted,
    Do,
    Hello,
    History,
    Meet,
    RanOnce,
    RunOnce,
    SetPlan,
    SetPolicy,
    SetRate,
)
from cluster.telemetry.events import NodeComplaint, NodeReady

_COMPLAIN_EVERY_US: Micros = 1_000_000

HearHistory = Callable[[History], None]


class Roll(Protocol):
    """Whose processes may speak here, and which of them is the newest of its name. A lab's is its `Fleet`."""

    @property
    def nodes(self) -> tuple[NodeId, ...]: ...

    @property
    def clients(self) -> tuple[str, ...]: ...

    def epoch(self, name: str) -> int: ...

    def ready(self, event: NodeReady) -> None: ...


class Hall(Protocol):
    """Where seats sit down. A lab's is its `Seats`."""

    def greet(self, party: Party, hello: Hello) -> Guest: ...


class NodeGuest:
    """A node's connection."""

    def __init__(self, collector: Collector, party: Party, node: NodeId, epoch: int) -> None:
        self._collector = collector
        self._party = party
        self.node = node
        self.epoch = epoch
        self._plan: FaultPlan | None = None

    def set_plan(self, plan: FaultPlan) -> None:
        self._plan = plan
        self.writable()

    def writable(self) -> None:
        if self._plan is not None and not self._party.busy:
            plan, self._plan = self._plan, None
            self._party.send(SetPlan(seen_by(plan, self.node)))

    def set_policy(self, raft: RaftPolicy) -> None:
        self._party.send(SetPolicy(raft))

    def order(self, verb: str, argument: str) -> None:
        self._party.send(Do(verb, argument))

    def meet(self, members: dict[NodeId, int]) -> None:
        self._party.send(Meet(members))

    def heard(self, message: ControlMessage) -> None:
        if not isinstance(message, Batch):
            raise ProtocolError(f"node {self.node} may not say {type(message).__name__}")
        self._collector.batch(self, message)

    def left(self) -> None:
        self._collector.node_left(self)

    def close(self) -> None:
        self._party.close()


class ClientGuest:
    """A workload client's connection. Answers are matched to questions by number."""

    def __init__(self, collector: Collector, party: Party, name: str) -> None:
        self._collector = collector
        self._party = party
        self.name = name
        self._questions: dict[int, asyncio.Future[Counted | RanOnce]] = {}
        self._last = 0

    def set_rate(self, rate: float) -> None:
        self._party.send(SetRate(rate))

    def meet(self, members: dict[NodeId, int]) -> None:
        self._party.send(Meet(members))

    async def count_acked(self, within_s: float) -> Counted | None:
        """None when it did not answer in time."""
        answer = await self._ask(lambda number: CountAcked(number), within_s)
        return answer if isinstance(answer, Counted) else None

    async def run_once(self, verb: str, key: str, value: str, mode: str, within_s: float) -> RanOnce | None:
        answer = await self._ask(lambda number: RunOnce(number, verb, key, value, mode), within_s)
        return answer if isinstance(answer, RanOnce) else None

    async def _ask(self, question: Callable[[int], ControlMessage], within_s: float) -> Counted | RanOnce | None:
        self._last += 1
        number = self._last
        future: asyncio.Future[Counted | RanOnce] = asyncio.get_running_loop().create_future()
        self._questions[number] = future
        self._party.send(question(number))
        try:
            return await asyncio.wait_for(future, within_s)
        except TimeoutError:
            return None
        finally:
            del self._questions[number]

    def heard(self, message: ControlMessage) -> None:
        match message:
            case History():
                self._collector.hear_history(message)
            case Counted(request=number) | RanOnce(request=number):
                future = self._questions.get(number)
                if future is not None and not future.done():
                    future.set_result(message)
            case _:
                raise ProtocolError(f"client {self.name} may not say {type(message).__name__}")

    def writable(self) -> None:
        """Nothing waits for a client: what it is sent is little and rare."""

    def left(self) -> None:
        self._collector.client_left(self)

    def close(self) -> None:
        self._party.close()


class Collector:
    """All parties but the seats' business: who is connected, and how to reach them."""

    def __init__(self, fleet: Roll, chronicle: Chronicle, seats: Hall, hear_history: HearHistory) -> None:
        self._fleet = fleet
        self._chronicle = chronicle
        self._seats = seats
        self.hear_history = hear_history
        self._nodes: dict[NodeId, NodeGuest] = {}
        self.clients: dict[str, ClientGuest] = {}
        self._server: asyncio.Server | None = None
        self._path = ""
        self._parties: set[Party] = set()
        self.refusals = 0
        self._complained_us: Micros = 0
        self.plan = FaultPlan()
        self.raft: RaftPolicy | None = None  # since it was changed while the lab ran
        self.rate_each = 0.0

    async def open(self, path: str) -> None:
        self._path = path
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(lambda: Party(self._greet, self._refused, self._parties), path, backlog=256)

    # ---- who comes and goes -------------------------------------------------------------------------------------

    def _greet(self, party: Party, hello: Hello) -> Guest:
        if hello.version != 1:
            raise ProtocolError(f"{hello.kind} {hello.name!r} speaks control version {hello.version}, this is 1")
        match hello.kind:
            case "seat":
                return self._seats.greet(party, hello)
            case "node":
                return self._greet_node(party, hello)
            case "client" if hello.name in self._fleet.clients:
                client = ClientGuest(self, party, hello.name)
                self.clients[hello.name] = client
                client.set_rate(self.rate_each)
                return client
        raise ProtocolError(f"nobody here is called {hello.kind} {hello.name!r}")

    def _greet_node(self, party: Party, hello: Hello) -> NodeGuest:
        if hello.name not in self._fleet.nodes or hello.epoch != self._fleet.epoch(hello.name):
            raise ProtocolError(f"node {hello.name!r} epoch {hello.epoch} is not one of this lab's processes")
        node = NodeGuest(self, party, hello.name, hello.epoch)
        self._nodes[hello.name] = node
        # What changed between its start and now is not in its spec.
        node.set_plan(self.plan)
        if self.raft is not None:
            node.set_policy(self.raft)
        return node

    def node_left(self, node: NodeGuest) -> None:
        if self._nodes.get(node.node) is node:
            del self._nodes[node.node]

    def client_left(self, client: ClientGuest) -> None:
        if self.clients.get(client.name) is client:
            del self.clients[client.name]

    def _refused(self, why: str) -> None:
        """At most one line a second: whoever sends garbage must not fill the event pane."""
        self.refusals += 1
        if now_us() - self._complained_us >= _COMPLAIN_EVERY_US:
            self._complained_us = now_us()
            self._chronicle.tell(NodeComplaint("", now_us(), f"control socket: {why} ({self.refusals} so far)"))

    # ---- in -----------------------------------------------------------------------------------------------------

    def batch(self, guest: NodeGuest, batch: Batch) -> None:
        if guest.epoch != self._fleet.epoch(guest.node):
            return  # the last words of a process that has been replaced
        for event in batch.events:
            if event.node != guest.node:
                raise ProtocolError(f"node {guest.node} speaks for {event.node}")
            self._chronicle.tell(event)
            if isinstance(event, NodeReady):
                self._fleet.ready(event)

    # ---- out ----------------------------------------------------------------------------------------------------

    def set_plan(self, plan: FaultPlan) -> None:
        self.plan = plan
        for node in self._nodes.values():
            node.set_plan(plan)

    def set_policy(self, raft: RaftPolicy) -> None:
        """Every node's, from now on."""
        self.raft = raft
        for node in self._nodes.values():
            node.set_policy(raft)

    def meet(self, members: dict[NodeId, int]) -> None:
        """Tell everyone who is there now."""
        for node in self._nodes.values():
            node.meet(members)
        for client in self.clients.values():
            client.meet(members)

    def order(self, node: NodeId, verb: str, argument: str) -> bool:
        """False when that node is not connected."""
        guest = self._nodes.get(node)
        if guest is not None:
            guest.order(verb, argument)
        return guest is not None

    def set_rate(self, each: float) -> None:
        self.rate_each = each
        for client in self.clients.values():
            client.set_rate(each)

    def close(self) -> bool:
        """No new party, no socket file; those who are here are closed. True when the file is gone."""
        if self._server is not None:
            self._server.close()
            self._server = None
        if self._path and os.path.exists(self._path):
            os.unlink(self._path)
        for node in self._nodes.values():
            node.close()
        for client in self.clients.values():
            client.close()
        return not os.path.exists(self._path)
