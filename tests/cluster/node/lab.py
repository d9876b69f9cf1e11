"""A supervisor's side of the control socket, free ports, and nodes in this process or in their own."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import msgspec

from cluster import wire
from cluster.core.policy import Policy
from cluster.core.types import NodeId
from cluster.faults import FaultPlan
from cluster.framing import FrameSplitter
from cluster.node.node import Node
from cluster.telemetry.control import Batch, Do, Hello, NodeSpec, SetPlan
from cluster.telemetry.events import NodeState, RoleTaken

SECRET = b"a secret of this run"
PATIENCE_S = 10.0


def free_ports(count: int) -> list[int]:
    """Ports that are free for TCP and UDP alike (until someone else takes them)."""
    held: list[socket.socket] = []
    ports: list[int] = []
    while len(ports) < count:
        tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        held += [tcp, udp]
        tcp.bind(("127.0.0.1", 0))
        try:
            udp.bind(tcp.getsockname())
        except OSError:
            continue
        ports.append(tcp.getsockname()[1])
    for each in held:
        each.close()
    return ports


class Line(asyncio.Protocol):
    """The supervisor's end of one node's control connection."""

    def __init__(self, owner: Supervisor) -> None:
        self._owner = owner
        self._splitter = FrameSplitter()
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        for body in self._splitter.feed(data):
            self._owner.take(self, wire.CONTROL.decode_body(body))


class Supervisor:
    """Listens on the control socket, keeps every event, and says when something has been heard."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        self.events: list[Any] = []
        self.hellos: list[Hello] = []
        self.lines: dict[NodeId, Line] = {}
        self._news: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        self._server = await asyncio.get_running_loop().create_unix_server(lambda: Line(self), self.path)

    async def close(self) -> None:
        for line in self.lines.values():
            line.transport.abort()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    def hang_up(self, node: NodeId) -> None:
        self.lines.pop(node).transport.abort()

    def tell(self, node: NodeId, message: SetPlan | Do) -> None:
        self.lines[node].transport.write(wire.CONTROL.encode(message))

    async def plan(self, plan: FaultPlan) -> None:
        """Put a plan in force everywhere and wait until every node has said so."""
        since = len(self.events)
        for node in self.lines:
            self.tell(node, SetPlan(plan))
        for node in list(self.lines):
            await self.heard("fault-ack", lambda e, n=node: e.node == n and e.version == plan.version, since=since)

    async def heard(self, tag: str, wanted: Callable[[Any], bool] = lambda _: True, since: int = 0) -> Any:
        """The first event of this tag, from number `since` on, for which `wanted` holds; waits for it."""
        seen = since
        async with asyncio.timeout(PATIENCE_S):
            while True:
                for event in self.events[seen:]:
                    if type(event).__struct_config__.tag == tag and wanted(event):
                        return event
                seen = len(self.events)
                await asyncio.shield(self._news)

    async def leader(self, nodes: list[NodeId], since: int = 0) -> RoleTaken:
        """The first leader of the newest term that these nodes agree on, as a role event heard from number `since` on."""
        return await self.heard("role", lambda e: e.role == "leader" and e.node in nodes, since)

    async def state(self, wanted: Callable[[NodeState], bool]) -> NodeState:
        return await self.heard("state", wanted, since=len(self.events))

    def take(self, line: Line, message: object) -> None:
        """A message of the node at the other end of `line`."""
        if isinstance(message, Hello):
            self.hellos.append(message)
            self.lines[message.name] = line
        elif isinstance(message, Batch):
            self.events += message.events
        news, self._news = self._news, asyncio.get_running_loop().create_future()
        news.set_result(None)


def specs(run_dir: Path, count: int, voters: int | None = None, policy: Policy | None = None) -> dict[NodeId, NodeSpec]:
    """Specs of n1…n`count`, all in one run."""
    nodes = [f"n{number}" for number in range(1, count + 1)]
    members = dict(zip(nodes, free_ports(count), strict=True))
    return {
        node: NodeSpec(
            node=node,
            epoch=1,
            members=members,
            voters=tuple(nodes[: voters or count]),
            policy=policy or Policy(),
            secret=SECRET,
            data_dir=str(run_dir / node),
            control_path=str(run_dir / "s"),
            seed=7,
            state_interval_us=50_000,
        )
        for node in nodes
    }


class Nodes:
    """Nodes of one run inside this process."""

    def __init__(self, specs: dict[NodeId, NodeSpec]) -> None:
        self.specs = specs
        self.nodes: dict[NodeId, Node] = {}
        self.runs: dict[NodeId, asyncio.Task[int]] = {}

    def start(self, name: NodeId) -> Node:
        node = self.nodes[name] = Node(self.specs[name], lambda reason: node.end())
        self.runs[name] = asyncio.create_task(node.run())
        return node

    async def stop(self, name: NodeId) -> int:
        self.nodes[name].end()
        return await self.runs.pop(name)

    async def restart(self, name: NodeId) -> None:
        await self.stop(name)
        self.specs[name] = msgspec.structs.replace(self.specs[name], epoch=self.specs[name].epoch + 1)
        self.start(name)


class Processes:
    """Nodes of one run, each in a process of its own."""

    def __init__(self, run_dir: Path) -> None:
        self._run_dir = run_dir
        self.running: dict[NodeId, subprocess.Popen[bytes]] = {}

    def start(self, spec: NodeSpec) -> subprocess.Popen[bytes]:
        return self.start_from(spec.node, msgspec.msgpack.encode(spec))

    def start_from(self, node: NodeId, spec: bytes) -> subprocess.Popen[bytes]:
        path = self._run_dir / f"{node}.spec"
        path.write_bytes(spec)
        return self.start_command(node, ["-m", "cluster.node", str(path)])

    def start_command(self, name: str, arguments: list[str]) -> subprocess.Popen[bytes]:
        process = subprocess.Popen([sys.executable, *arguments], stderr=subprocess.PIPE, cwd=Path.cwd())
        self.running[name] = process
        return process

    def end(self) -> None:
        for process in self.running.values():
            process.kill()
            process.communicate()


async def exit_of(process: subprocess.Popen[bytes]) -> tuple[int, str]:
    """Exit code and standard error of a process that is about to end."""
    _, stderr = await asyncio.to_thread(process.communicate, timeout=PATIENCE_S)
    return process.returncode, stderr.decode()


async def soon(holds: Callable[[], bool]) -> None:
    """Wait, with a deadline, for what another connection's callbacks bring about and nobody announces."""
    async with asyncio.timeout(PATIENCE_S):
        while not holds():  # noqa: ASYNC110 - the thing under test has no event for it
            await asyncio.sleep(0.001)
