"""A Redis primary and its replica, as a backend prepares them, started without a zygote."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

import msgspec

from cluster.backends.group import Ask
from cluster.backends.redis.embedded import Server, Valkeys, prepare
from cluster.supervisor import ports


class Pair:
    """`group.urls`: of the primary, and of the replica."""

    def __init__(self, folder: Path) -> None:
        self._ports = ports.allocate(2)
        ask = Ask(("redis1", "redis2"), self._ports.ports, folder, seed=1, options={"replicate": True})
        self.group: Valkeys = prepare(ask, lambda process, event, fields: None)
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        for name in ("redis1", "redis2"):
            server = msgspec.msgpack.decode(self.group.launch(name).payload, type=Server)
            follow = () if not server.primary else ("--replicaof", "127.0.0.1", str(self._ports.ports[0]))
            self.processes.append(subprocess.Popen((*server.argv, *follow), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

    async def answers(self) -> None:
        async with asyncio.timeout(30):
            await asyncio.gather(self.group.answers("redis1"), self.group.answers("redis2"))

    def close(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()
        self._ports.close()
