"""The node's line to its supervisor: nothing safety-related is lost silently, and nobody's memory grows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from cluster import wire
from cluster.core.types import NodeId
from cluster.faults import FaultPlan
from cluster.framing import FrameSplitter
from cluster.node import control as control_module
from cluster.node.control import ControlLink, connect
from cluster.node.failures import NoSupervisor
from cluster.telemetry.control import Batch, Do, Goodbye, Hello, SetPlan
from cluster.telemetry.events import LeaderCommit, NodeState, TelemetryLost
from tests.cluster.node.lab import Supervisor


class Ears:
    """What a node's control link has been told."""

    def __init__(self) -> None:
        self.orders: list[SetPlan | Do] = []
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.news = asyncio.Event()
        self.link = ControlLink("n1", self._obey, self.ended.set_result)

    def _obey(self, message: SetPlan | Do) -> None:
        self.orders.append(message)
        self.news.set()


def commit(index: int) -> LeaderCommit:
    return LeaderCommit("n1", 0, index, 1)


def state(node: NodeId, at_us: int) -> NodeState:
    fields = dict.fromkeys(NodeState.__struct_fields__, 0)
    for name in ("log", "progress", "beliefs", "dropped", "rtt"):
        fields[name] = ()  # type: ignore[assignment]
    return NodeState(**fields | {"node": node, "at_us": at_us, "role": "follower", "vote": None, "leader": None})


@pytest.fixture
async def ears(supervisor: Supervisor) -> AsyncIterator[Ears]:
    ears = Ears()
    await connect(ears.link, supervisor.path, 3)
    yield ears
    ears.link.close()


async def test_the_first_frame_says_who_speaks(ears: Ears, supervisor: Supervisor) -> None:
    ears.link.urgent(commit(1))
    ears.link.flush()
    await supervisor.heard("lcommit")
    assert supervisor.hellos == [Hello("node", "n1", 3)]


async def test_orders_arrive(ears: Ears, supervisor: Supervisor) -> None:
    ears.link.urgent(commit(1))
    ears.link.flush()
    await supervisor.heard("lcommit")
    supervisor.tell("n1", SetPlan(FaultPlan(4)))
    supervisor.tell("n1", Do("transfer", "n2"))
    async with asyncio.timeout(10):
        while len(ears.orders) < 2:
            ears.news.clear()
            await ears.news.wait()
    assert ears.orders == [SetPlan(FaultPlan(4)), Do("transfer", "n2")]


async def test_eof_is_the_end(ears: Ears, supervisor: Supervisor) -> None:
    ears.link.urgent(commit(1))
    ears.link.flush()
    await supervisor.heard("lcommit")
    supervisor.hang_up("n1")
    async with asyncio.timeout(10):
        assert await ears.ended == ""


async def test_what_a_supervisor_does_not_say_is_the_end(ears: Ears, supervisor: Supervisor) -> None:
    ears.link.urgent(commit(1))
    ears.link.flush()
    await supervisor.heard("lcommit")
    supervisor.lines["n1"].transport.write(wire.CONTROL.encode(Goodbye()))
    async with asyncio.timeout(10):
        assert "Goodbye" in await ears.ended


async def test_a_missing_supervisor_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(NoSupervisor, match="nowhere"):
        await connect(Ears().link, str(tmp_path / "nowhere"), 1)


class Wire:
    """Stands for the transport of a supervisor that reads when the test says so."""

    def __init__(self) -> None:
        self.events: list[object] = []
        self._splitter = FrameSplitter()

    def write(self, data: bytes) -> None:
        for body in self._splitter.feed(data):
            batch = wire.CONTROL.decode_body(body)
            assert isinstance(batch, Batch)
            self.events += batch.events

    def set_write_buffer_limits(self, high: int) -> None: ...

    def is_closing(self) -> bool:
        return False


@pytest.fixture
async def slow() -> tuple[ControlLink, Wire]:
    """A link whose supervisor has stopped reading."""
    link, far_end = Ears().link, Wire()
    link.connection_made(far_end)  # type: ignore[arg-type]
    link.pause_writing()
    return link, far_end


async def test_of_the_states_only_the_newest_waits(slow: tuple[ControlLink, Wire]) -> None:
    link, far_end = slow
    for at_us in range(50):
        link.periodic(state("n1", at_us))
        link.flush()
    assert far_end.events == []
    link.resume_writing()
    assert [each.at_us for each in far_end.events if isinstance(each, NodeState)] == [49]
    assert link.telemetry_lost == 49


async def test_urgent_events_wait_in_order(slow: tuple[ControlLink, Wire]) -> None:
    link, far_end = slow
    for index in range(1_000):
        link.urgent(commit(index))
        link.flush()
    link.resume_writing()
    assert far_end.events == [commit(index) for index in range(1_000)]
    assert link.telemetry_lost == 0


async def test_dropped_safety_events_are_announced_where_the_gap_is(
    slow: tuple[ControlLink, Wire], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control_module, "URGENT_MAX", 300)
    link, far_end = slow
    for index in range(310):
        link.urgent(commit(index))
    link.resume_writing()
    link.urgent(commit(1_000))
    link.flush()
    kept, lost, after = far_end.events[:300], far_end.events[300], far_end.events[301:]
    assert kept == [commit(index) for index in range(300)]
    assert isinstance(lost, TelemetryLost)
    assert (lost.node, lost.count) == ("n1", 10)
    assert after == [commit(1_000)]
    assert link.telemetry_lost == 10


def test_every_event_of_a_node_fits_a_batch() -> None:
    batch = Batch((commit(1), state("n1", 5)))
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(batch), type=Batch) == batch
