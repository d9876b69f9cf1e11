"""One client: operations at a steady pace, one after the other, and an exact history of what it asked and heard.

Law 1: open loop: the pace does not slow down because the cluster does; what could not be asked in time is skipped, not saved up.
Law 2: an unknown outcome ends the logical process that asked; the client goes on as another one.
Law 3: reads have no effect, so one without an answer has failed; writes without an answer are unknown.
"""

from __future__ import annotations

import asyncio
import random

from cluster.core.kv.ops import Cas, Get, Operation, Put, Reply, Scan
from cluster.core.types import KEY_BYTES_MAX, Micros, NodeId
from cluster.monotonic import now_us
from cluster.telemetry.control import CountAcked, Counted, History, HistoryLine, Meet, RanOnce, RunOnce, SetRate, WorkloadSpec
from cluster.telemetry.histories import asked, outcome
from cluster.workload.choice import SLOTS, Chooser, Chosen
from cluster.workload.kv import KeyValueClient
from cluster.workload.link import FromSupervisor, Link
from cluster.workload.pace import Pace
from cluster.workload.promises import Promises
from cluster.workload.route import Route

_PROCESSES_PER_LIFE = 100_000
_COUNT_TRIES = 12
_COUNT_PAUSE_S = 0.25
_ORDER_TRIES = 10
_ORDER_PAUSE_S = 0.05


class Client:
    """`run(link)` until cancelled; `obey` for the supervisor's orders."""

    def __init__(self, spec: WorkloadSpec, tasks: asyncio.TaskGroup) -> None:
        self._spec = spec
        self._tasks = tasks
        dice = random.Random(spec.seed)
        self._route = Route(spec.client, spec.members, spec.voters, spec.secret, dice)
        # Orders have their own connections: an operator's `get` must not wait behind a hanging operation.
        self._aside = Route(f"{spec.client}.orders", spec.members, spec.voters, spec.secret, dice)
        self._kv = KeyValueClient(self._route, spec.policy, spec.timeout_us)
        self._chooser = Chooser(spec.client, spec.incarnation, spec.secret, spec.clients, dice)
        self._promises = Promises()
        self._pace = Pace(spec.rate)
        self._process = (spec.incarnation * 100 + int(spec.client[1:])) * _PROCESSES_PER_LIFE
        self._link: Link

    # ---- the steady work ----------------------------------------------------------------------------------------

    async def run(self, link: Link) -> None:
        self._link = link
        while True:
            await self._pace.turn()
            await self._operate(self._chooser.next(now_us(), self._pace.rate))

    async def _operate(self, chosen: Chosen) -> None:
        began_us = now_us()
        self._tell(self._line(chosen.operation, "invoke", asked(chosen.operation), began_us, self._route.target))
        await self._link.settled()
        reply, node = await self._ask(chosen.operation)
        ended_us = now_us()
        kind, value, error = outcome(chosen.operation, reply)
        latencies = (ended_us - began_us,) if reply.outcome == "ok" else ()
        self._tell(self._line(chosen.operation, kind, value, ended_us, node, error), latencies)
        if kind == "info":
            self._process += 1
        if reply.outcome == "ok":
            self._learn(chosen, reply)

    async def _ask(self, operation: Operation) -> tuple[Reply, NodeId]:
        if isinstance(operation, Put | Cas):
            return await self._kv.write(operation)
        return await self._route.ask(operation, self._spec.timeout_us)

    def _learn(self, chosen: Chosen, reply: Reply) -> None:
        if chosen.slot >= 0:
            self._promises.acknowledge(self._chooser.slot_key(chosen.slot), chosen.number)
        elif isinstance(chosen.operation, Get):
            self._chooser.saw(chosen.operation.key, reply.value)

    def _tell(self, line: HistoryLine, latencies: tuple[Micros, ...] = ()) -> None:
        self._link.send(History((line,), latencies))

    def _line(
        self, operation: Operation, kind: str, value: tuple[str | None, ...], at_us: Micros, node: NodeId, error: str = ""
    ) -> HistoryLine:
        assert isinstance(operation, Get | Put | Cas), "the history knows registers"
        f = {Get: "read", Put: "write", Cas: "cas"}[type(operation)]
        return HistoryLine(self._process, kind, f, operation.key, value, at_us, node, error)

    # ---- orders -------------------------------------------------------------------------------------------------

    def obey(self, order: FromSupervisor) -> None:
        match order:
            case SetRate(rate=rate):
                self._pace.set(rate)
            case Meet(members=members):
                self._route.meet(members)
                self._aside.meet(members)
            case CountAcked(request=request):
                self._tasks.create_task(self._count(request))
            case RunOnce():
                self._tasks.create_task(self._run_once(order))

    async def _count(self, request: int) -> None:
        """Scan the own slots until the cluster answers; no answer is said to be none."""
        # Promises first: what is acknowledged while the scan runs might not be in it.
        promised = self._promises.snapshot()
        prefix = self._chooser.slot_prefix
        for _ in range(_COUNT_TRIES):
            reply, _ = await self._aside.ask(Scan(prefix, SLOTS), self._spec.timeout_us)
            if reply.outcome == "ok":
                count = promised.compare(reply.items)
                self._link.send(Counted(request, promised.total, count.lost, count.examples, complete=True))
                return
            await asyncio.sleep(_COUNT_PAUSE_S)
        self._link.send(Counted(request, promised.total, 0, (), complete=False))

    async def _run_once(self, order: RunOnce) -> None:
        if len(order.key.encode()) > KEY_BYTES_MAX:
            self._link.send(RanOnce(order.request, "fail", f"a key has at most {KEY_BYTES_MAX} bytes"))
            return
        operation = Put(order.key, order.value) if order.verb == "put" else Get(order.key, order.mode)
        reply, node = await self._aside.ask(operation, self._spec.timeout_us)
        for _ in range(_ORDER_TRIES - 1):
            # Definite, so it may be asked again: a node just started has not heard of the leader that others know.
            if reply.error != "not leader":
                break
            await asyncio.sleep(_ORDER_PAUSE_S)
            reply, node = await self._aside.ask(operation, self._spec.timeout_us)
        self._link.send(RanOnce(order.request, reply.outcome, _in_words(operation, reply, node)))


def _in_words(operation: Operation, reply: Reply, node: NodeId) -> str:
    if reply.outcome != "ok":
        return f"{reply.error or 'no reason given'} (asked {node})"
    if isinstance(operation, Get):
        return (
            f"{operation.key} = {reply.value} ({node}, revision {reply.revision})"
            if reply.value is not None
            else (f"{operation.key} does not exist ({node}, revision {reply.revision})")
        )
    return f"written by {node}, revision {reply.revision}"
