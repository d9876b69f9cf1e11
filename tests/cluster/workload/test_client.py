"""A client's history: an invocation before it is sent, an honest ending after, and another logical process after doubt."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from cluster.core.kv.ops import Cas, Get, Operation, Put, Reply, Scan
from cluster.core.types import KEY_BYTES_MAX, Micros
from cluster.telemetry.control import (
    NOT_SWAPPED,
    ControlMessage,
    CountAcked,
    Counted,
    History,
    HistoryLine,
    RanOnce,
    RunOnce,
    SetRate,
    WorkloadSpec,
)
from cluster.workload import client as client_module
from cluster.workload.choice import Chosen
from cluster.workload.client import Client
from cluster.workload.kv import KeyValueClient
from cluster.workload.link import Link
from cluster.workload.route import Route


class PretendLink:
    """What would reach the supervisor, and whether it has left this process."""

    def __init__(self) -> None:
        self.sent: list[ControlMessage] = []
        self.settling = asyncio.Event()
        self.settling.set()

    def send(self, message: ControlMessage) -> None:
        self.sent.append(message)

    async def settled(self) -> None:
        await self.settling.wait()

    @property
    def lines(self) -> list[HistoryLine]:
        return [line for message in self.sent if isinstance(message, History) for line in message.lines]


class PretendRoute:
    """A cluster that answers from a list."""

    target = "n1"

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)
        self.asked: list[Operation] = []

    async def ask(self, operation: Operation, timeout_us: Micros) -> tuple[Reply, str]:
        self.asked.append(operation)
        return (self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]), "n2"


class PretendWriter:
    """Writes as they are, without the session and its retries, which have tests of their own."""

    def __init__(self, route: PretendRoute) -> None:
        self._route = route

    async def write(self, operation: Operation) -> tuple[Reply, str]:
        return await self._route.ask(operation, 0)


class Bench:
    """A client between a pretended cluster and a pretended supervisor."""

    def __init__(self, *replies: Reply, incarnation: int = 0) -> None:
        spec = WorkloadSpec("c3", {"n1": 1, "n2": 2}, ("n1", "n2"), b"secret", "/nowhere", 1, 0.0, incarnation=incarnation)
        self.tasks: list[asyncio.Task[Any]] = []
        group = cast(asyncio.TaskGroup, self)
        self.client = Client(spec, group)
        self.link, self.route = PretendLink(), PretendRoute(*replies)
        self.client._link = cast(Link, self.link)
        self.client._route = self.client._aside = cast(Route, self.route)
        self.client._kv = cast(KeyValueClient, PretendWriter(self.route))

    def create_task(self, work: Any) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.append(task)
        return task

    async def operate(self, *operations: Operation) -> list[HistoryLine]:
        for operation in operations:
            await self.client._operate(Chosen(operation))
        return self.link.lines

    async def answered(self, order: Any) -> ControlMessage:
        self.client.obey(order)
        await asyncio.gather(*self.tasks)
        return self.link.sent[-1]


UNKNOWN = Reply("unknown", error="timeout")
REFUSED = Reply("fail", error="not leader")


@pytest.mark.parametrize(
    ("operation", "reply", "asked", "kind", "value", "error"),
    [
        (Put("k", "v"), Reply("ok"), ("v",), "ok", ("v",), ""),
        (Put("k", "v"), REFUSED, ("v",), "fail", ("v",), "not leader"),
        (Put("k", "v"), UNKNOWN, ("v",), "info", ("v",), "timeout"),
        (Get("k"), Reply("ok", value="v"), (), "ok", ("v",), ""),
        (Get("k"), Reply("ok", value=None), (), "ok", (None,), ""),
        (Get("k"), REFUSED, (), "fail", (), "not leader"),
        (Get("k"), UNKNOWN, (), "fail", (), "timeout"),  # a read has no effect: nobody saw it, so it did not happen
        (Cas("k", "a", "b"), Reply("ok", swapped=True), ("a", "b"), "ok", ("a", "b"), ""),
        (Cas("k", "a", "b"), Reply("ok", swapped=False), ("a", "b"), "fail", ("a", "b"), NOT_SWAPPED),
        (Cas("k", "a", "b"), UNKNOWN, ("a", "b"), "info", ("a", "b"), "timeout"),
        (Put("k", "v"), Reply("fail"), ("v",), "fail", ("v",), "fail"),
    ],
)
async def test_how_an_operation_stands_in_the_history(
    operation: Operation, reply: Reply, asked: tuple[str, ...], kind: str, value: tuple[str | None, ...], error: str
) -> None:
    invoked, ended = await Bench(reply).operate(operation)
    assert (invoked.kind, invoked.value, invoked.node, invoked.error) == ("invoke", asked, "n1", "")
    assert (ended.kind, ended.value, ended.node, ended.error) == (kind, value, "n2", error)
    assert invoked.process == ended.process
    assert invoked.f == ended.f == {Put: "write", Get: "read", Cas: "cas"}[type(operation)]
    assert invoked.at_us <= ended.at_us


async def test_nothing_is_asked_before_its_invocation_has_left_the_process() -> None:
    bench = Bench(Reply("ok"))
    bench.link.settling.clear()
    working = asyncio.create_task(bench.client._operate(Chosen(Put("k", "v"))))
    await asyncio.sleep(0)
    assert [line.kind for line in bench.link.lines] == ["invoke"]
    assert bench.route.asked == []
    bench.link.settling.set()
    await working
    assert bench.route.asked == [Put("k", "v")]


async def test_after_an_unknown_outcome_the_client_goes_on_as_another_process() -> None:
    lines = await Bench(Reply("ok"), UNKNOWN, Reply("ok"), UNKNOWN).operate(Put("a", "1"), Put("b", "2"), Get("c"), Get("d"))
    first = lines[0].process
    assert [line.process - first for line in lines] == [0, 0, 0, 0, 1, 1, 1, 1]  # a read without an answer is no doubt


async def test_no_two_clients_and_no_two_lives_are_the_same_process() -> None:
    spec = WorkloadSpec("c1", {"n1": 1}, ("n1",), b"s", "/", 1, 0.0)
    clients = [
        Client(WorkloadSpec(f"c{number}", spec.members, spec.voters, b"s", "/", 1, 0.0, incarnation=life), cast(Any, None))
        for number in range(1, 33) for life in range(3)
    ]  # fmt: skip
    assert len({client._process // client_module._PROCESSES_PER_LIFE for client in clients}) == len(clients)


async def test_only_answered_operations_have_a_latency() -> None:
    bench = Bench(Reply("ok"), REFUSED, UNKNOWN)
    await bench.operate(Put("a", "1"), Put("b", "2"), Put("c", "3"))
    latencies = [message.latencies_us for message in bench.link.sent if isinstance(message, History)]
    assert [len(each) for each in latencies] == [0, 1, 0, 0, 0, 0]


async def test_a_promise_is_what_was_acknowledged_and_nothing_else() -> None:
    bench = Bench(Reply("ok"), REFUSED, UNKNOWN)
    for number in (1, 2, 3):
        await bench.client._operate(Chosen(Put(bench.client._chooser.slot_key(number), str(number)), number, number))
    assert bench.client._promises.total == 1


# ---- orders -------------------------------------------------------------------------------------------------------


async def test_the_count_looks_for_every_promise_with_a_scan_of_the_own_slots() -> None:
    key = "slot"
    bench = Bench(Reply("ok", items=((key, "4"),)))
    bench.client._promises.acknowledge(key, 5)
    answer = await bench.answered(CountAcked(9))
    assert isinstance(answer, Counted)
    assert (answer.request, answer.acked, answer.lost, answer.complete) == (9, 1, 1, True)
    assert len(answer.examples) == 1
    (scan,) = bench.route.asked
    assert isinstance(scan, Scan)
    assert scan.prefix == bench.client._chooser.slot_prefix


async def test_a_cluster_that_cannot_be_read_is_said_to_be_that(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "_COUNT_PAUSE_S", 0.0)
    bench = Bench(UNKNOWN)
    bench.client._promises.acknowledge("slot", 5)
    assert await bench.answered(CountAcked(9)) == Counted(9, 1, 0, (), complete=False)
    assert len(bench.route.asked) == client_module._COUNT_TRIES


async def test_the_count_tries_again_while_an_election_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "_COUNT_PAUSE_S", 0.0)
    bench = Bench(REFUSED, REFUSED, Reply("ok"))
    assert await bench.answered(CountAcked(9)) == Counted(9, 0, 0, (), complete=True)


@pytest.mark.parametrize(
    ("order", "reply", "outcome", "text"),
    [
        (RunOnce(1, "put", "k", "v", ""), Reply("ok", revision=7), "ok", "written by n2, revision 7"),
        (RunOnce(1, "get", "k", "", "linearizable"), Reply("ok", value="v", revision=7), "ok", "k = v (n2, revision 7)"),
        (RunOnce(1, "get", "k", "", "serializable"), Reply("ok", revision=7), "ok", "k does not exist (n2, revision 7)"),
        (RunOnce(1, "put", "k", "v", ""), REFUSED, "fail", "not leader (asked n2)"),
        (RunOnce(1, "put", "k", "v", ""), Reply("unknown"), "unknown", "no reason given (asked n2)"),
    ],
)
async def test_an_operators_own_operation(order: RunOnce, reply: Reply, outcome: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "_ORDER_PAUSE_S", 0.0)
    bench = Bench(reply)
    assert await bench.answered(order) == RanOnce(1, outcome, text)
    assert bench.link.lines == []  # it is no part of the history that is judged
    # Only a definite "not leader" is asked again.
    asked = Put("k", "v") if order.verb == "put" else Get("k", order.mode)
    assert bench.route.asked == [asked] * (client_module._ORDER_TRIES if reply is REFUSED else 1)


async def test_a_key_that_is_too_long_is_never_sent() -> None:
    bench = Bench(Reply("ok"))
    answer = await bench.answered(RunOnce(1, "put", "k" * (KEY_BYTES_MAX + 1), "v", ""))
    assert answer == RanOnce(1, "fail", f"a key has at most {KEY_BYTES_MAX} bytes")
    assert bench.route.asked == []


async def test_the_pace_is_the_supervisors() -> None:
    bench = Bench(Reply("ok"))
    bench.client.obey(SetRate(12.5))
    assert bench.client._pace.rate == 12.5
