"""Strangers at every port of a living lab: they are counted and sent away, and the lab goes on as if they were not there."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

import psutil
import pytest

from cluster import wire
from cluster.core.types import FRAME_BYTES_MAX
from cluster.supervisor import rundir
from cluster.telemetry.control import Ask, Hello
from cluster.telemetry.events import NodeComplaint, ProcessChanged
from cluster.telemetry.roster import leader_of
from tests.cluster.supervisor.labs import DEADLINE_S, Labs, Listener

pytestmark = pytest.mark.processes

MB = 1024 * 1024
GROWTH_BYTES_MAX = 32 * MB
DICE = random.Random(20)

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Connect = Callable[[], Awaitable[Streams]]

# What a stranger may say first. Each must lead to the end of the connection, the last ones by the clock.
OPENINGS = {
    "noise": DICE.randbytes(4_096),
    "http": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "zeros": bytes(4_096),
    "huge length": b"\xff\xff\xff\xff" + b"x" * 1_000,
    "length of a frame, without end": (FRAME_BYTES_MAX - 1).to_bytes(4, "big") + b"x" * 100_000,
    "deep nesting": (2_000).to_bytes(4, "big") + b"\x91" * 2_000,
    "wrong proof": wire.HANDSHAKE.encode(wire.prove(b"no secret of yours", b"n" * 16, "peer", "n2", 1)),
    "wrong name": wire.CONTROL.encode(Hello("node", "n9", 1)),
    "order before a name": wire.CONTROL.encode(Ask(1, "crash all")),
    "half a header": b"\x00\x00",
    "half a frame": b"\x00\x00\x00\x40" + b"x" * 10,
    "silence": b"",
}


def _doors(lab: Listener) -> dict[str, Connect]:
    """A way in for each TCP port of each node and for the supervisor's socket."""
    path = str(lab.session.run_dir / rundir.SOCKET_NAME)
    return {
        **{f"{node}": (lambda port=port: asyncio.open_connection("127.0.0.1", port)) for node, port in _ports(lab).items()},
        "": lambda: asyncio.open_unix_connection(path),
    }


def _ports(lab: Listener) -> dict[str, int]:
    return {
        node.node: next(c.laddr.port for c in psutil.Process(node.pid).net_connections("tcp") if c.status == psutil.CONN_LISTEN)
        for node in lab.view.nodes.values()
    }


async def _sent_away(connect: Connect, opening: bytes) -> None:
    """Until the other side hangs up, in whichever way."""
    try:
        reader, writer = await connect()
    except ConnectionError:
        return
    try:
        async with asyncio.timeout(DEADLINE_S):
            writer.write(opening)
            await writer.drain()
            while await reader.read(65_536):
                pass
    except ConnectionError:
        return
    finally:
        writer.close()


def _memory(lab: Listener) -> dict[str, int]:
    """The most that each process ever held, in bytes: what is given back afterwards counts as well."""
    pids = {node.node: node.pid for node in lab.view.nodes.values()} | {"": lab.session.supervisor_pid}
    status = {name: Path(f"/proc/{pid}/status").read_text() for name, pid in pids.items()}
    return {name: 1024 * int(text.partition("VmHWM:")[2].split()[0]) for name, text in status.items()}


def _complained(lab: Listener, about: set[str]) -> bool:
    return {event.node for event in lab.all_of(NodeComplaint)} >= about


async def _unmoved(lab: Listener, memory: dict[str, int], leader: str | None) -> None:
    """The lab serves, has lost nobody, has kept its leader, and holds no more memory than it may."""
    assert (await lab.order("put still here")).answer.startswith("written by")
    assert leader_of(lab.view) == leader
    assert not [event for event in lab.all_of(ProcessChanged) if event.state == "down"]
    grown = {name: now - memory[name] for name, now in _memory(lab).items()}
    assert max(grown.values()) < GROWTH_BYTES_MAX, grown


async def test_whatever_a_stranger_says_first_is_the_end_of_it(labs: Labs) -> None:
    lab = await labs.open()
    leader, memory = leader_of(lab.view), _memory(lab)
    doors = _doors(lab)
    await asyncio.gather(*(_sent_away(connect, opening) for connect in doors.values() for opening in OPENINGS.values()))
    await lab.until(lambda _: _complained(lab, set(doors)))
    await _unmoved(lab, memory, leader)


async def test_a_crowd_that_waits_does_not_bar_the_way(labs: Labs) -> None:
    """Twice as many slow connections as a node lets wait; a node that is restarted meanwhile finds its way through."""
    lab = await labs.open()
    leader = leader_of(lab.view)
    doors = _doors(lab)
    crowd = asyncio.gather(*(_sent_away(connect, b"\x00") for connect in doors.values() for _ in range(130)))
    follower = next(node for node in lab.view.nodes if node != leader)
    await lab.order(f"crash {follower}")
    await lab.until(lambda view: view.nodes[follower].process == "down")
    await lab.order(f"restart {follower}")
    await lab.until(lambda view: (state := view.nodes[follower].state) and view.nodes[follower].epoch == 2 and state.leader == leader)
    await crowd
    assert any("too many connections" in event.what for event in lab.all_of(NodeComplaint))


async def test_promised_megabytes_are_not_waited_for(labs: Labs) -> None:
    """Each stranger announces the largest frame and sends a part of it: together far more than may be kept."""
    lab = await labs.open()
    leader, memory = leader_of(lab.view), _memory(lab)
    promise = (FRAME_BYTES_MAX - 1).to_bytes(4, "big") + bytes(MB)
    await asyncio.gather(*(_sent_away(connect, promise) for connect in _doors(lab).values() for _ in range(100)))
    await _unmoved(lab, memory, leader)


async def test_datagrams_of_strangers_are_counted_and_forgotten(labs: Labs) -> None:
    lab = await labs.open()
    leader, memory = leader_of(lab.view), _memory(lab)
    kinds = [b"", b"x", DICE.randbytes(16), DICE.randbytes(1_400), bytes(60_000), bytes(16) + b"\x94\xa2n1\xa2n2\x01\xc0"]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        for _ in range(40):
            for port in _ports(lab).values():
                for datagram in kinds:
                    stranger.sendto(datagram, ("127.0.0.1", port))
            await asyncio.sleep(0)
    await lab.until(lambda _: _complained(lab, set(lab.view.nodes)))
    await _unmoved(lab, memory, leader)


async def test_a_seat_that_breaks_the_rules_loses_its_seat_only(labs: Labs) -> None:
    lab = await labs.open()
    leader, memory = leader_of(lab.view), _memory(lab)
    path = str(lab.session.run_dir / rundir.SOCKET_NAME)
    greeting = wire.CONTROL.encode(Hello("seat", "guest"))
    for nonsense in (
        wire.CONTROL.encode(Hello("seat", "again")),
        wire.CONTROL.encode(Ask(1, "x" * 100_000)),
        b"\x00\x00\x00\x04\xc1\xc1\xc1\xc1",
        b"\xff\xff\xff\xff",
    ):
        await _sent_away(lambda: asyncio.open_unix_connection(path), greeting + nonsense)
    await lab.until(lambda view: view.seats == ("tester",))
    await _unmoved(lab, memory, leader)


async def test_seats_that_never_read_do_not_grow_the_supervisor(labs: Labs) -> None:
    lab = await labs.open()
    leader, memory = leader_of(lab.view), _memory(lab)
    path = str(lab.session.run_dir / rundir.SOCKET_NAME)
    deaf: list[socket.socket] = []
    for number in range(12):
        seat = socket.socket(socket.AF_UNIX)
        seat.connect(path)
        seat.sendall(wire.CONTROL.encode(Hello("seat", f"deaf{number}", observer=True)))
        deaf.append(seat)
    await lab.until(lambda view: len(view.seats) == 13)
    for number in range(300):
        await lab.order(f"loss n1>n2 {1 + number % 90}% for 20ms")
    await _unmoved(lab, memory, leader)
    for seat in deaf:
        seat.close()


async def test_the_run_directory_is_for_its_owner_only(labs: Labs) -> None:
    lab = await labs.open(stand=False)
    assert _mode(lab.session.run_dir) == 0o700


def _mode(path: Path) -> int:
    return path.stat().st_mode & 0o777
