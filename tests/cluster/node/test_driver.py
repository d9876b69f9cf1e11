"""A turn's order: the clock, then what arrived, then timers; effects as given. The replica is a script, the clock the test's."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any

import pytest

from cluster.core.effects import Answer, Effect, FromPeer, ReplicaInput, Report, SendGossip, SendPeer
from cluster.core.gossip.messages import Syn
from cluster.core.kv.ops import Reply
from cluster.core.raft.messages import TimeoutNow
from cluster.core.raft.ready import Froze, Persist, Persisted, RoleChanged, Tick
from cluster.core.types import MS, SECOND, Micros, Role
from cluster.faults import FaultPlan, NodeFault
from cluster.node import driver as driver_module
from cluster.node.complaints import Complaints
from cluster.node.driver import Driver
from cluster.node.fault_shim import FaultShim
from cluster.telemetry.events import ClockGap, FaultHeard, RoleTaken

START: Micros = 1_000 * SECOND
NEVER: Micros = 1 << 62


class Script:
    """A replica that writes down its inputs and does as the test says."""

    node, members = "n1", ("n1", "n2")
    proposals_waiting = 0

    def __init__(self) -> None:
        self.inputs: list[ReplicaInput] = []
        self.times: list[Micros] = []
        self.due: Micros = NEVER
        self.effects: list[Effect] = []
        self.news = asyncio.Event()

    def handle(self, input: ReplicaInput, now: Micros) -> list[Effect]:
        self.inputs.append(input)
        self.times.append(now)
        if isinstance(input, Tick):
            self.due = NEVER
        self.news.set()
        effects, self.effects = self.effects, []
        return effects

    def deadline(self) -> Micros:
        return self.due


class Around:
    """Transport, storage and control at once: writes down what the driver asks of them, in order."""

    telemetry_lost = 0

    def __init__(self) -> None:
        self.done: list[Any] = []
        self.quick_writes = 0

    def send_peer(self, to: str, message: object, now_us: Micros) -> None:
        self.done.append(("peer", to, message))

    def send_gossip(self, to: str, message: object, now_us: Micros) -> None:
        self.done.append(("gossip", to, message))

    def submit(self, persist: Persist) -> None:
        self.done.append(persist)

    def write(self, *, aside: bool) -> int:
        """The disk: quick as often as the test says."""
        if aside:
            self.done.append("aside")
        if aside or not self.quick_writes:
            return 0
        self.quick_writes -= 1
        self.done.append("write")
        return 7

    def set_fault(self, mode: str, delay_us: Micros) -> None:
        self.done.append(("disk", mode, delay_us))

    def urgent(self, event: object) -> None:
        self.done.append(event)

    def evidence(self, event: object) -> None:
        self.done.append(("evidence", event))

    def trickle(self, now_us: Micros) -> None:
        self.done.append("trickle")

    def flush(self) -> None:
        self.done.append("flush")


class Bench:
    """A driver on the bench, with its clock in the test's hands."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch | None) -> None:
        self.replica, self.around = Script(), Around()
        self.now = START
        self.errors: list[BaseException] = []
        if monkeypatch is not None:
            monkeypatch.setattr(driver_module, "true_us", lambda: self.now)
        self.driver = Driver(
            self.replica,  # type: ignore[arg-type]
            epoch=1,
            freeze_gap_us=100 * MS,
            shim=FaultShim("n1", random.Random(1)),
            complaints=Complaints(lambda text: None, lambda: 0),
            control=self.around,  # type: ignore[arg-type]
            broken=self.errors.append,
        )
        self.driver.start(self.around, self.around, FaultPlan())  # type: ignore[arg-type]
        self.driver._turn()
        self.replica.inputs.clear()
        self.around.done.clear()

    def turn(self, after_us: Micros) -> None:
        self.now += after_us
        self.driver._turn()

    def did(self, kind: type | Callable[[Any], bool]) -> list[Any]:
        return [each for each in self.around.done if isinstance(each, kind)]  # type: ignore[arg-type]


@pytest.fixture
async def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    bench = Bench(monkeypatch)
    await asyncio.sleep(0)  # the turn that starting has scheduled
    bench.around.done.clear()
    return bench


async def test_after_a_freeze_the_replica_hears_of_it_before_anything_else(bench: Bench) -> None:
    bench.replica.due = START + 150 * MS
    bench.driver.inbox.peer("n2", [TimeoutNow(1)])
    bench.turn(after_us=2 * SECOND)
    assert bench.replica.inputs == [Froze(2 * SECOND), FromPeer("n2", TimeoutNow(1)), Tick()]
    assert bench.did(ClockGap) == [ClockGap("n1", START + 2 * SECOND, 2 * SECOND)]


async def test_on_a_busy_machine_arrivals_come_before_timers(bench: Bench) -> None:
    bench.replica.due = START + 50 * MS
    bench.driver.inbox.peer("n2", [TimeoutNow(1)])
    bench.turn(after_us=90 * MS)
    assert bench.replica.inputs == [FromPeer("n2", TimeoutNow(1)), Tick()]
    assert bench.did(ClockGap) == []


async def test_no_tick_before_its_time(bench: Bench) -> None:
    bench.replica.due = START + 50 * MS
    bench.turn(after_us=49 * MS)
    assert bench.replica.inputs == []
    bench.turn(after_us=1 * MS)
    assert bench.replica.inputs == [Tick()]


async def test_what_the_turn_made_durable_is_handled_in_the_same_turn_after_the_messages_left(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch)
    bench.around.quick_writes = 1
    bench.driver.inbox.peer("n2", [TimeoutNow(1)])
    bench.turn(after_us=MS)
    assert bench.replica.inputs == [FromPeer("n2", TimeoutNow(1)), Persisted(7)]
    assert bench.around.done.index("flush") < bench.around.done.index("write")


async def test_a_leader_under_load_does_not_wait_for_its_own_disk(bench: Bench) -> None:
    bench.around.quick_writes = 1
    bench.replica.proposals_waiting = driver_module.LOADED
    bench.driver.inbox.peer("n2", [TimeoutNow(1)])
    bench.turn(after_us=MS)
    assert "aside" in bench.around.done
    assert "write" not in bench.around.done
    bench.replica.proposals_waiting -= 1
    bench.turn(after_us=MS)
    assert "write" in bench.around.done


async def test_effects_are_performed_in_the_order_given(bench: Bench) -> None:
    persist = Persist(1, None, None, 1, ())
    bench.replica.effects = [
        persist,
        SendPeer("n2", TimeoutNow(2)),
        Report(RoleChanged(Role.LEADER, 2, "n1", "elected")),
        SendGossip("n2", Syn(())),
        Answer(99, Reply("ok")),
    ]
    bench.driver.inbox.peer("n2", [TimeoutNow(1)])
    bench.turn(after_us=1)
    assert bench.around.done == [
        persist,
        ("peer", "n2", TimeoutNow(2)),
        RoleTaken("n1", START + 1, "leader", 2, "n1", "elected"),
        ("gossip", "n2", Syn(())),
        "flush",
        "trickle",
    ]


async def test_the_replica_lives_in_skewed_time_and_telemetry_in_true_time(bench: Bench) -> None:
    bench.driver.apply(FaultPlan(1, (), (NodeFault("n1", skew_us=500 * MS, disk="slow", disk_delay_us=7),)))
    assert bench.did(FaultHeard) == [FaultHeard("n1", START, 1)]
    assert ("disk", "slow", 7) in bench.around.done
    bench.driver.inbox.peer("n2", [TimeoutNow(1)])
    bench.turn(after_us=10)
    assert bench.replica.times[-1] == START + 500 * MS + 10


async def test_a_broken_law_is_told_and_nothing_more_is_done(bench: Bench) -> None:
    def broken(input: ReplicaInput, now: Micros) -> list[Effect]:
        raise AssertionError("commit fell")

    bench.replica.handle = broken  # type: ignore[method-assign]
    bench.driver.inbox.peer("n2", [TimeoutNow(1)])
    bench.turn(after_us=1)
    bench.driver.inbox.peer("n2", [TimeoutNow(2)])
    bench.turn(after_us=1)
    assert [str(error) for error in bench.errors] == ["commit fell"]
    assert not bench.driver.started


async def test_the_timer_brings_the_tick() -> None:
    """On the real clock: nothing arrives, and yet the deadline is kept."""
    bench = Bench(None)
    bench.replica.news.clear()
    bench.replica.due = driver_module.true_us() + 30 * MS
    due = bench.replica.due
    bench.driver.wake()
    async with asyncio.timeout(10):
        await bench.replica.news.wait()
    assert bench.replica.inputs[-1] == Tick()
    assert bench.replica.times[-1] >= due
    bench.driver.stop()
