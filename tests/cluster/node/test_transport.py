"""A node's sockets: what honest peers say arrives, and whatever else comes is closed, counted and bounded."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import AsyncIterator, Callable

import pytest

from cluster import wire
from cluster.core.effects import FromGossip, FromPeer
from cluster.core.gossip.messages import Digest, Syn
from cluster.core.raft.messages import Append, Entry, TimeoutNow
from cluster.core.types import FRAME_BYTES_MAX
from cluster.faults import FaultPlan, LinkFault
from cluster.node import lane, listener
from cluster.node.client_port import ClientPort
from cluster.node.complaints import Complaints
from cluster.node.failures import PortTaken
from cluster.node.fault_shim import FaultShim
from cluster.node.inbox import Inbox
from cluster.node.listener import Identity
from cluster.node.transport import Transport
from tests.cluster.node.lab import PATIENCE_S, SECRET, free_ports


class Port:
    """One node's transport, with an inbox that says when something came."""

    def __init__(self, node: str, members: dict[str, int], secret: bytes = SECRET, epoch: int = 1) -> None:
        self.node, self.port = node, members[node]
        self.told: list[str] = []
        self.news = asyncio.Event()
        self.inbox = Inbox(self.news.set)
        self.heard: list[object] = []
        self.complaints = Complaints(self._tell, lambda: 0)
        self.shim = FaultShim(node, random.Random(1))
        self.transport = Transport(
            Identity(node, epoch, members, secret),
            self.shim,
            self.inbox,
            ClientPort(self.inbox).open,
            self.complaints,
            random.Random(1),
        )

    def _tell(self, text: str) -> None:
        self.told.append(text)
        self.news.set()

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait for news until `holds`; connections coming and going are looked for every few milliseconds."""
        async with asyncio.timeout(PATIENCE_S):
            while not holds():
                self.news.clear()
                try:
                    async with asyncio.timeout(0.005):
                        await self.news.wait()
                except TimeoutError:
                    continue
                self.heard += self.inbox.take()

    async def hears(self, what: object) -> None:
        await self.until(lambda: what in self.heard)

    async def counts(self, kind: str, number: int = 1) -> None:
        await self.until(lambda: self.complaints.counts[kind] >= number)

    async def linked(self, *peers: str) -> None:
        await self.until(lambda: set(self.transport.connected()) >= set(peers))


class Ports:
    """Transports of one run, all in this process."""

    def __init__(self, tasks: asyncio.TaskGroup) -> None:
        self.tasks = tasks
        numbers = free_ports(3)
        self.members = {f"n{number}": port for number, port in enumerate(numbers, 1)}
        self.open: list[Port] = []

    async def start(self, node: str, secret: bytes = SECRET, epoch: int = 1) -> Port:
        port = Port(node, self.members, secret, epoch)
        await port.transport.listen()
        port.transport.dial(self.tasks, [peer for peer in self.members if peer != node])
        self.open.append(port)
        return port

    async def stop(self, port: Port) -> None:
        self.open.remove(port)
        port.transport.hang_up()
        port.transport.close()
        await asyncio.sleep(0)


@pytest.fixture
async def ports() -> AsyncIterator[Ports]:
    async with asyncio.TaskGroup() as tasks:
        ports = Ports(tasks)
        yield ports
        for port in list(ports.open):
            await ports.stop(port)


async def knock(port: Port, *chunks: bytes) -> bytes:
    """A stranger connects and sends these bytes; returns what it was sent until the node hung up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port.port)
    try:
        for chunk in chunks:
            writer.write(chunk)
        async with asyncio.timeout(PATIENCE_S):
            return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def until_hung_up(reader: asyncio.StreamReader) -> bool:
    """Whether the node hung up, in whichever way; waits for it."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            await reader.read()
    except ConnectionError:
        return True
    return reader.at_eof()


async def challenge(reader: asyncio.StreamReader) -> wire.Challenge:
    header = await reader.readexactly(4)
    message = wire.HANDSHAKE.decode_body(await reader.readexactly(int.from_bytes(header, "big")))
    assert isinstance(message, wire.Challenge)
    return message


# ---- honest peers


async def test_raft_messages_arrive_from_whom_the_connection_proved(ports: Ports) -> None:
    one, two = await ports.start("n1"), await ports.start("n2")
    await one.linked("n2")
    one.transport.send_peer("n2", TimeoutNow(7), 0)
    one.transport.flush()
    await two.hears(FromPeer("n1", TimeoutNow(7)))


async def test_gossip_arrives_on_the_same_port_number(ports: Ports) -> None:
    one, two = await ports.start("n1"), await ports.start("n2")
    message = Syn((Digest("n1", 1, 2, 3),))
    one.transport.send_gossip("n2", message, 0)
    await two.hears(FromGossip("n1", message))


async def test_a_turns_messages_leave_in_one_piece_and_in_order(ports: Ports) -> None:
    one, two = await ports.start("n1"), await ports.start("n2")
    await one.linked("n2")
    for term in range(300):
        one.transport.send_peer("n2", TimeoutNow(term), 0)
    one.transport.flush()
    await two.hears(FromPeer("n1", TimeoutNow(299)))
    assert two.heard == [FromPeer("n1", TimeoutNow(term)) for term in range(300)]


async def test_the_largest_append_passes(ports: Ports) -> None:
    one, two = await ports.start("n1"), await ports.start("n2")
    await one.linked("n2")
    message = Append(1, 0, 0, (Entry(1, 1, bytes(FRAME_BYTES_MAX - 64)),), 0, 1)
    one.transport.send_peer("n2", message, 0)
    one.transport.flush()
    await two.hears(FromPeer("n1", message))


async def test_one_encoding_serves_all_followers(ports: Ports, monkeypatch: pytest.MonkeyPatch) -> None:
    one = await ports.start("n1")
    encoded: list[object] = []
    encode = wire.PEER.encode
    monkeypatch.setattr(wire.PEER, "encode", lambda message: (encoded.append(message), encode(message))[1])
    message = TimeoutNow(1)
    one.transport.send_peer("n2", message, 0)
    one.transport.send_peer("n3", message, 0)
    assert len(encoded) == 1


async def test_a_restarted_peer_is_found_again(ports: Ports) -> None:
    one, two = await ports.start("n1"), await ports.start("n2")
    await one.linked("n2")
    await ports.stop(two)
    await one.until(lambda: one.transport.connected() == [])
    again = await ports.start("n2", epoch=2)
    await one.linked("n2")
    one.transport.send_peer("n2", TimeoutNow(1), 0)
    one.transport.flush()
    await again.hears(FromPeer("n1", TimeoutNow(1)))


async def test_without_a_connection_messages_are_dropped_and_counted(ports: Ports) -> None:
    one = await ports.start("n1")
    one.transport.send_peer("n2", TimeoutNow(1), 0)
    assert one.transport.lost() == 1


async def test_a_peer_that_does_not_read_costs_bounded_memory(ports: Ports, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lane, "QUEUE_BYTES_MAX", 200_000)
    one, two = await ports.start("n1"), await ports.start("n2")
    await one.linked("n2")
    await two.until(lambda: "n1" in two.transport._sessions)
    two.transport._sessions["n1"].transport.pause_reading()
    message = Append(1, 0, 0, (Entry(1, 1, bytes(100_000)),), 0, 1)
    for _ in range(400):  # forty megabytes: more than any kernel's buffers
        one.transport.send_peer("n2", message, 0)
        one.transport.flush()
        await asyncio.sleep(0)
    way = one.transport._dialers["n2"].lane
    assert way.overflowed > 0
    assert way._queued_bytes <= 200_000
    two.transport._sessions["n1"].transport.resume_reading()
    sent_in_full = 400 - way.overflowed
    await two.until(lambda: len(two.heard) == sent_in_full)


async def test_a_cut_holds_at_the_receiver_too(ports: Ports) -> None:
    one, two = await ports.start("n1"), await ports.start("n2")
    await one.linked("n2")
    two.shim.apply(FaultPlan(1, (LinkFault("n1", "n2", cut=True),)), 0)
    one.transport.send_peer("n2", TimeoutNow(1), 0)
    one.transport.send_gossip("n2", Syn(()), 0)
    one.transport.flush()
    await two.until(lambda: two.shim.dropped.get("n1") == 2)
    assert two.heard == []


# ---- whoever else comes


@pytest.mark.parametrize("garbage", [b"GET / HTTP/1.1\r\n\r\n", bytes(64), b"\xff" * 4, b"\x00\x00\x00\x01\xc1"])
async def test_garbage_closes_the_connection_and_is_counted(ports: Ports, garbage: bytes) -> None:
    one = await ports.start("n1")
    await knock(one, garbage)
    await one.counts("garbage")
    assert len(one.told) == 1


async def test_a_flood_of_garbage_is_one_line(ports: Ports) -> None:
    one = await ports.start("n1")
    for _ in range(20):
        await knock(one, b"\xff" * 16)
    await one.counts("garbage", 20)
    assert len(one.told) == 1


@pytest.mark.parametrize(
    ("secret", "kind", "name", "why"),
    [
        (b"wrong", "peer", "n2", "secret"),
        (SECRET, "peer", "n9", "no peer"),
        (SECRET, "peer", "n1", "no peer"),
        (SECRET, "admin", "n2", "unknown kind"),
    ],
)
async def test_a_bad_proof_is_refused(ports: Ports, secret: bytes, kind: str, name: str, why: str) -> None:
    one = await ports.start("n1")
    reader, writer = await asyncio.open_connection("127.0.0.1", one.port)
    proof = wire.prove(secret, (await challenge(reader)).nonce, kind, name, 1)
    writer.write(wire.HANDSHAKE.encode(proof))
    await one.counts("garbage")
    assert why in one.told[0]
    writer.close()


async def test_whoever_speaks_before_being_accepted_is_closed(ports: Ports) -> None:
    one = await ports.start("n1")
    reader, writer = await asyncio.open_connection("127.0.0.1", one.port)
    proof = wire.prove(SECRET, (await challenge(reader)).nonce, "peer", "n2", 1)
    writer.write(wire.HANDSHAKE.encode(proof) + wire.PEER.encode(TimeoutNow(1)))
    await one.counts("garbage")
    assert one.heard == []
    writer.close()


async def test_an_authentic_peer_that_sends_nonsense_is_closed(ports: Ports) -> None:
    one = await ports.start("n1")
    reader, writer = await asyncio.open_connection("127.0.0.1", one.port)
    writer.write(wire.HANDSHAKE.encode(wire.prove(SECRET, (await challenge(reader)).nonce, "peer", "n2", 1)))
    await one.until(lambda: "n2" in one.transport._sessions)
    writer.write((FRAME_BYTES_MAX + 1).to_bytes(4, "big"))
    await one.counts("garbage")
    await one.until(lambda: one.transport._sessions == {})
    writer.close()


async def test_an_older_process_of_a_peer_is_refused(ports: Ports) -> None:
    one = await ports.start("n1")
    newer = await ports.start("n2", epoch=5)
    await newer.linked("n1")
    reader, writer = await asyncio.open_connection("127.0.0.1", one.port)
    writer.write(wire.HANDSHAKE.encode(wire.prove(SECRET, (await challenge(reader)).nonce, "peer", "n2", 4)))
    await one.counts("garbage")
    assert "after one of epoch 5" in one.told[0]
    writer.close()


async def test_a_connection_that_never_proves_itself_is_closed_in_time(ports: Ports, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "HANDSHAKE_TIMEOUT_S", 0.05)
    one = await ports.start("n1")
    await knock(one, b"\x00\x00")
    assert one.complaints.counts["silent"] == 1


async def test_strangers_at_the_door_are_bounded(ports: Ports, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "UNPROVEN_MAX", 3)
    one = await ports.start("n1")
    crowd = [await asyncio.open_connection("127.0.0.1", one.port) for _ in range(5)]
    await one.counts("crowded", 2)
    assert one.transport._door.unproven == 3
    for reader, _ in crowd[:2]:  # the oldest are sent away
        assert await until_hung_up(reader)
    two = await ports.start("n2")
    await two.linked("n1")  # whoever proves itself comes through the crowd
    for _, writer in crowd:
        writer.close()
    await one.until(lambda: one.transport._door.unproven == 0)


async def test_a_peer_of_another_run_is_no_peer(ports: Ports) -> None:
    one = await ports.start("n1")
    await ports.start("n2", secret=b"another run")
    await one.counts("garbage")
    assert one.transport.connected() == []


@pytest.mark.parametrize("datagram", [b"", b"x" * 10, b"\x00" * 60_000])
async def test_bad_datagrams_are_counted(ports: Ports, datagram: bytes) -> None:
    one = await ports.start("n1")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.sendto(datagram, ("127.0.0.1", one.port))
        await one.counts("garbage")
    assert one.heard == []


@pytest.mark.parametrize(("sender", "target"), [("n1", "n3"), ("n9", "n1")])
async def test_a_datagram_for_another_node_or_of_a_stranger_is_stray(ports: Ports, sender: str, target: str) -> None:
    one = await ports.start("n1")
    sealed = wire.seal(SECRET, wire.GossipDatagram(sender, target, 1, Syn(())))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.sendto(sealed, ("127.0.0.1", one.port))
        await one.counts("stray")


async def test_gossip_too_large_for_a_datagram_is_counted_not_sent(ports: Ports) -> None:
    one = await ports.start("n1")
    one.transport.send_gossip("n2", Syn(tuple(Digest(f"n{n}", 1, 1, 1) for n in range(3_000))), 0)
    assert one.complaints.counts["oversized"] == 1
    assert one.transport.sent == 0


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
async def test_a_taken_port_is_one_clear_line(ports: Ports, kind: int) -> None:
    with socket.socket(socket.AF_INET, kind) as squatter:
        squatter.bind(("127.0.0.1", ports.members["n1"]))
        if kind == socket.SOCK_STREAM:
            squatter.listen()
        with pytest.raises(PortTaken, match=rf"n1: port 127.0.0.1:{ports.members['n1']} is in use"):
            await ports.start("n1")
