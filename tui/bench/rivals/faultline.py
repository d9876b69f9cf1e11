"""Our own nodes: the processes of a lab, without its supervisor; their telemetry is read, and dropped."""

from __future__ import annotations

import asyncio
import secrets
import sys
import time
from typing import Final, cast

import msgspec

from cluster import wire
from cluster.core.errors import EnvironmentFailed
from cluster.core.kv.ops import Put
from cluster.core.types import MS, NodeId
from cluster.framing import FrameSplitter
from cluster.node.listener import send_at_once
from cluster.supervisor.profiles import PROFILES
from cluster.telemetry.control import Batch, NodeSpec
from cluster.telemetry.events import RoleTaken
from tui.bench.rivals.household import Household
from tui.bench.rivals.measure import measured
from tui.bench.rivals.rival import Loaded, Slots, requests, shares

LEADER_WITHIN_S: Final = 15.0
# etcd's own pace: a heartbeat every 100 ms, elections after a second.
PROFILE: Final = "lan"
STATE_INTERVAL_US: Final = 100 * MS


class Faultline:
    """Nodes by exec, as a supervisor's zygote would fork them."""

    name = "faultline"

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(16)
        self._house: Household | None = None
        self._server: asyncio.Server | None = None
        self._led: asyncio.Future[NodeId] | None = None
        self._members: dict[NodeId, int] = {}

    async def start(self, nodes: int) -> None:
        loop = asyncio.get_running_loop()
        self._house = house = Household(self.name, nodes)
        self._led = led = loop.create_future()
        control = str(house.path / "control.sock")
        self._server = await loop.create_unix_server(lambda: _Listener(led), control)
        self._members = {f"n{number}": port for number, port in enumerate(house.ports, 1)}
        for number, node in enumerate(self._members, 1):
            spec = NodeSpec(
                node=node, epoch=1, members=self._members, voters=tuple(self._members), policy=PROFILES[PROFILE],
                secret=self._secret, data_dir=str(house.path / node), control_path=control, seed=number,
                state_interval_us=STATE_INTERVAL_US, niceness=0,  # as the peers' servers
            )  # fmt: skip
            path = house.path / f"{node}.spec"
            path.write_bytes(msgspec.msgpack.encode(spec))
            house.spawn(node, [sys.executable, "-P", "-m", "cluster.node", str(path)])
        try:
            await asyncio.wait_for(asyncio.shield(led), LEADER_WITHIN_S)
        except TimeoutError:
            raise EnvironmentFailed(f"our own nodes elected nobody within {LEADER_WITHIN_S:g} s: {house.last_words('n1')}") from None

    async def load(self, inflight: int, for_s: float) -> Loaded:
        assert self._house is not None, "it was started"
        assert self._led is not None, "it was started"
        port = self._members[self._led.result()]
        slots = Slots()
        loads = [_Load(self._secret, share, slots) for share in shares(inflight)]
        loop = asyncio.get_running_loop()
        for load in loads:
            await loop.create_connection(lambda load=load: load, "127.0.0.1", port)  # type: ignore[misc]
            await load.accepted
        for load in loads:
            load.begin()
        found = await measured(slots, self._house.pids, for_s)
        for load in loads:
            load.close()
        return found

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        if self._house is not None:
            self._house.close()


class _Listener(asyncio.Protocol):
    """A node's line to its supervisor: only who leads is of interest."""

    def __init__(self, led: asyncio.Future[NodeId]) -> None:
        self._led = led
        self._splitter = FrameSplitter()

    def data_received(self, data: bytes) -> None:
        bodies = self._splitter.feed(data)
        if self._led.done():
            return
        for body in bodies:
            message = wire.CONTROL.decode_body(body)
            for event in message.events if isinstance(message, Batch) else ():
                if isinstance(event, RoleTaken) and event.role == "leader" and not self._led.done():
                    self._led.set_result(event.node)


class _Load(asyncio.Protocol):
    """One connection with `slots` puts in flight. A slot is its request's id: all frames are made before the clock runs."""

    def __init__(self, secret: bytes, slots: int, count: Slots) -> None:
        self._secret, self._count = secret, count
        self._frames = requests(slots, lambda slot, key, value: wire.CLIENT.encode(wire.ClientRequest(slot, Put(key, value))))
        self._turn = [0] * slots
        self._sent_ns = [0] * slots
        self._splitter = FrameSplitter()
        self.accepted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        send_at_once(self._transport)

    def begin(self) -> None:
        now_ns = time.perf_counter_ns()
        self._sent_ns = [now_ns] * len(self._frames)
        self._transport.write(b"".join(frames[0] for frames in self._frames))

    def close(self) -> None:
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        bodies = self._splitter.feed(data)
        if self.accepted.done():
            self._answered(bodies)
        else:
            for body in bodies:
                self._shake(wire.HANDSHAKE.decode_body(body))

    def _shake(self, message: wire.Handshake) -> None:
        if isinstance(message, wire.Challenge):
            proof = wire.prove(self._secret, message.nonce, "client", "bench", 0)
            self._transport.write(wire.HANDSHAKE.encode(proof))
        else:
            self.accepted.set_result(None)

    def _answered(self, bodies: list[bytes]) -> None:
        now_ns, out = time.perf_counter_ns(), []
        count = self._count
        for message in [reply for body in bodies for reply in wire.replies_in(body)]:
            slot = message.id
            count.answered(message.reply.outcome == "ok", now_ns - self._sent_ns[slot])
            if count.running:
                frames = self._frames[slot]
                self._turn[slot] = turn = (self._turn[slot] + 1) % len(frames)
                self._sent_ns[slot] = now_ns
                out.append(frames[turn])
        if out:
            self._transport.write(b"".join(out))
