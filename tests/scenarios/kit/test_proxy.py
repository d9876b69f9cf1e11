"""Through a real proxy over real sockets: what a cut, a delay, a reset, an eaten and a held answer are to both ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from cluster.backends.redis import embedded
from cluster.backends.redis.client import RedisPort
from cluster.faults import LinkFault
from cluster.supervisor import ports
from scenarios.kit.calls import OK, Caller, Undecided, serve
from scenarios.kit.proxy import CONNECTIONS_MAX
from scenarios.links import Rule
from tests.scenarios.kit.proxied import CUT, HEALTHY, Between, between, eats, running


class Payd:
    """Counts what it did, and rings for each."""

    def __init__(self) -> None:
        self.charged: list[str] = []
        self.rung = asyncio.Event()

    async def charge(self, args: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.charged.append(args["payment"])
        self.rung.set()
        return OK, {"payment": args["payment"]}


async def test_calls_pass_and_their_answers_come_back(tmp_path: Path) -> None:
    async with between(tmp_path, calls=True) as (_, tasks):
        await serve(str(tmp_path / "s"), {"charge": Payd().charge}, tasks)
        caller = await Caller.connect(str(tmp_path / "x1"))
        answers = await asyncio.gather(*(caller.call("charge", payment=f"p-{number}") for number in range(50)))
        assert [answer.body["payment"] for answer in answers] == [f"p-{number}" for number in range(50)]


async def test_an_eaten_answer_leaves_the_effect_and_the_connection(tmp_path: Path) -> None:
    payd = Payd()
    async with between(tmp_path, calls=True) as (proxy, tasks):
        await serve(str(tmp_path / "s"), {"charge": payd.charge}, tasks)
        proxy.obey(eats("p-1"))
        caller = await Caller.connect(str(tmp_path / "x1"))
        first = asyncio.ensure_future(caller.call("charge", payment="p-1"))
        await proxy.lived.caught.wait()
        assert payd.charged == ["p-1"]
        assert proxy.caught == [(0, "p-1")]
        assert (await caller.call("charge", payment="p-1")).status == OK  # the second attempt's is not eaten
        assert (await caller.call("charge", payment="p-2")).status == OK
        assert not first.done()
        first.cancel()
        assert proxy.lived.traced == ["proxy.ate"]


@pytest.mark.parametrize("hold_ms", [60_000.0, 1.0])
async def test_a_held_answer_comes_late_and_the_others_pass_it(tmp_path: Path, hold_ms: float) -> None:
    async with between(tmp_path, calls=True) as (proxy, tasks):
        await serve(str(tmp_path / "s"), {"charge": Payd().charge}, tasks)
        proxy.obey(eats("p-1", hold_ms=hold_ms))
        caller = await Caller.connect(str(tmp_path / "x1"))
        held = asyncio.ensure_future(caller.call("charge", payment="p-1"))
        await proxy.lived.caught.wait()
        assert (await caller.call("charge", payment="p-2")).body == {"payment": "p-2"}
        if hold_ms > 1:
            assert not held.done()
            held.cancel()
        else:
            assert (await held).body == {"payment": "p-1"}
        assert proxy.lived.traced == ["proxy.held"]


async def test_a_cut_is_silence_and_what_was_sent_into_it_arrives_afterwards(tmp_path: Path) -> None:
    payd = Payd()
    async with between(tmp_path, calls=True) as (proxy, tasks):
        await serve(str(tmp_path / "s"), {"charge": payd.charge}, tasks)
        caller = await Caller.connect(str(tmp_path / "x1"))
        assert (await caller.call("charge", payment="p-1")).status == OK
        proxy.obey(CUT, CUT)
        with pytest.raises(Undecided, match="no answer within"):
            await caller.call("charge", within_ms=20, payment="p-2")
        assert payd.charged == ["p-1"]
        payd.rung.clear()
        proxy.obey()
        await payd.rung.wait()
        assert payd.charged == ["p-1", "p-2"]
        assert (await caller.call("charge", payment="p-3")).status == OK  # over the same connection: nobody had hung up


async def test_a_cut_one_way_is_one(tmp_path: Path) -> None:
    payd = Payd()
    async with between(tmp_path, calls=True) as (proxy, tasks):
        await serve(str(tmp_path / "s"), {"charge": payd.charge}, tasks)
        caller = await Caller.connect(str(tmp_path / "x1"))
        await caller.call("charge", payment="p-1")
        payd.rung.clear()
        proxy.obey(HEALTHY, CUT)
        call = asyncio.ensure_future(caller.call("charge", payment="p-2"))
        await payd.rung.wait()  # it had its effect, and nobody hears of it
        proxy.obey(CUT, HEALTHY)
        assert (await call).status == OK
        with pytest.raises(Undecided):
            await caller.call("charge", within_ms=20, payment="p-3")
        assert payd.charged == ["p-1", "p-2"]


async def test_who_connects_into_a_cut_waits_and_who_hangs_up_is_not_noticed(tmp_path: Path) -> None:
    payd = Payd()
    async with between(tmp_path, calls=True) as (proxy, tasks):
        await serve(str(tmp_path / "s"), {"charge": payd.charge}, tasks)
        proxy.obey(CUT, CUT)
        caller = await Caller.connect(str(tmp_path / "x1"))
        with pytest.raises(Undecided):
            await caller.call("charge", within_ms=20, payment="p-1")
        caller.close()
        proxy.obey()
        await payd.rung.wait()  # as with a packet that was under way
        assert payd.charged == ["p-1"]


async def test_a_reset_hangs_up_and_the_next_call_connects_again(tmp_path: Path) -> None:
    async with between(tmp_path, calls=True) as (proxy, tasks):
        await serve(str(tmp_path / "s"), {"charge": Payd().charge}, tasks)
        caller = await Caller.connect(str(tmp_path / "x1"))
        await caller.call("charge", payment="p-1")
        proxy.obey(CUT, CUT)
        waiting = asyncio.ensure_future(caller.call("charge", payment="p-2"))
        await asyncio.sleep(0)
        proxy.obey(Rule(LinkFault("a", "b"), resets=1))
        with pytest.raises(Undecided, match="connection ended"):
            await waiting
        assert (await caller.call("charge", payment="p-3")).status == OK


async def test_while_it_refuses_nobody_gets_through(tmp_path: Path) -> None:
    async with between(tmp_path, calls=True) as (proxy, tasks):
        await serve(str(tmp_path / "s"), {"charge": Payd().charge}, tasks)
        proxy.obey(Rule(LinkFault("a", "b"), refused=True, resets=1))
        caller = Caller(str(tmp_path / "x1"))
        with pytest.raises(Undecided):
            await caller.call("charge", payment="p-1")
        proxy.obey(Rule(LinkFault("a", "b"), resets=1))
        assert (await caller.call("charge", payment="p-1")).status == OK


async def test_where_nobody_listens_the_caller_hears_of_it(tmp_path: Path) -> None:
    async with between(tmp_path, calls=True):
        caller = await Caller.connect(str(tmp_path / "x1"))
        with pytest.raises(Undecided):
            await caller.call("charge", payment="p-1")


@pytest.mark.parametrize("garbage", [b"\xff\xff\xff\xff and so on", b"\x00\x00\x00\x01\xc1"])
async def test_what_it_cannot_read_is_answered_by_hanging_up(tmp_path: Path, garbage: bytes) -> None:
    async with between(tmp_path, calls=True) as (proxy, tasks):
        await serve(str(tmp_path / "s"), {"charge": Payd().charge}, tasks)
        reader, writer = await asyncio.open_unix_connection(str(tmp_path / "x1"))
        writer.write(garbage)
        assert await reader.read() == b""
        assert proxy.lived.traced == ["proxy.garbage"]
        writer.close()
        caller = await Caller.connect(str(tmp_path / "x1"))
        assert (await caller.call("charge", payment="p-1")).status == OK


class Shout(asyncio.Protocol):
    """A server of bytes: what it hears, louder; it hangs up when it is told to."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._transport.write(data.upper())
        if b"quit" in data:
            self._transport.close()


@asynccontextmanager
async def shouted_at(root: Path, *, delay_ms: float = 0.0) -> AsyncIterator[tuple[Between, asyncio.TaskGroup]]:
    async with between(root, calls=False, delay_ms=delay_ms) as (proxy, tasks):
        server = await asyncio.get_running_loop().create_unix_server(Shout, str(root / "s"))
        yield proxy, tasks
        server.close()


async def test_bytes_pass_whatever_they_are_and_so_does_the_end(tmp_path: Path) -> None:
    async with shouted_at(tmp_path):
        reader, writer = await asyncio.open_unix_connection(str(tmp_path / "x1"))
        writer.write(b"\xff\xff\xff\xff hello")
        assert await reader.readexactly(10) == b"\xff\xff\xff\xff HELLO"
        writer.write(b"quit")
        assert await reader.read() == b"QUIT"
        writer.close()


async def test_a_slow_link_keeps_the_order_of_bytes(tmp_path: Path) -> None:
    async with shouted_at(tmp_path, delay_ms=1.0) as (proxy, _):
        proxy.obey(Rule(LinkFault("a", "b", delay_us=2_000, jitter_us=2_000)))
        reader, writer = await asyncio.open_unix_connection(str(tmp_path / "x1"))
        sent = [b"%d " % number for number in range(200)]
        for piece in sent:
            writer.write(piece)
            await asyncio.sleep(0)
        assert await reader.readexactly(sum(map(len, sent))) == b"".join(sent)
        writer.close()


async def test_a_cut_stops_the_sender_instead_of_filling_memory(tmp_path: Path) -> None:
    async with shouted_at(tmp_path) as (proxy, tasks):
        reader, writer = await asyncio.open_unix_connection(str(tmp_path / "x1"))
        writer.write(b"a")
        assert await reader.read(1) == b"A"
        proxy.obey(CUT, CUT)
        writer.write(bytes(8 * 1024 * 1024))
        drained = tasks.create_task(writer.drain())
        done, _ = await asyncio.wait({drained}, timeout=0.05)
        assert not done  # the kernel's buffers are full, and the proxy reads no more
        proxy.obey()
        assert len(await reader.readexactly(8 * 1024 * 1024)) == 8 * 1024 * 1024
        await drained
        writer.close()


async def test_connections_are_bounded(tmp_path: Path) -> None:
    async with shouted_at(tmp_path) as (proxy, _):
        ends = [await asyncio.open_unix_connection(str(tmp_path / "x1")) for _ in range(CONNECTIONS_MAX + 1)]
        assert await ends[-1][0].read() == b""
        assert proxy.lived.traced == ["proxy.full"]
        ends[0][1].write(b"a")
        assert await ends[0][0].read(1) == b"A"
        for _, writer in ends:
            writer.close()


async def test_over_tcp_a_reset_is_the_kernels(tmp_path: Path) -> None:
    allocated = ports.allocate(2)
    listen, target = allocated.ports
    args = {"src": "a", "dst": "b", "listen": listen, "target": f"127.0.0.1:{target}", "calls": False, "delay_ms": 0.0, "jitter_ms": 0.0}
    async with running(args) as (proxy, _), await asyncio.get_running_loop().create_server(Shout, "127.0.0.1", target):
        reader, writer = await asyncio.open_connection("127.0.0.1", listen)
        writer.write(b"a")
        assert await reader.read(1) == b"A"
        proxy.obey(Rule(LinkFault("a", "b"), resets=1))
        with pytest.raises(ConnectionResetError):
            await reader.read(1)
        writer.close()
    allocated.close()


@pytest.mark.processes
async def test_a_real_server_behind_it_is_silent_while_cut_and_answers_afterwards(port: RedisPort, server: embedded.Server) -> None:
    allocated = ports.allocate(1)
    args = {
        "src": "a", "dst": "b", "listen": allocated.ports[0], "target": f"127.0.0.1:{server.port}", "calls": False, "delay_ms": 0.0,
        "jitter_ms": 0.0,
    }  # fmt: skip
    await port.script("return redis.call('set', KEYS[1], 'v')", ("k",))
    async with running(args) as (proxy, _):
        through = RedisPort(server.url.replace(f":{server.port}", f":{allocated.ports[0]}"))
        assert await through.get("k") == "v"
        proxy.obey(CUT, CUT)
        asked = asyncio.ensure_future(through.get("k"))
        assert await port.get("k") == "v"  # a round trip on another way
        assert not asked.done()
        proxy.obey()
        assert await asked == "v"
        proxy.obey(Rule(LinkFault("a", "b"), resets=1))
        with pytest.raises(RedisConnectionError):
            await through.get("k")
        assert await through.get("k") == "v"
        await through.close()
    allocated.close()
