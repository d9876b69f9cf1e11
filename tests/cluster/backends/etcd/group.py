"""A Raft group with real node processes, started without a zygote; the test plays the runner."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from cluster.backends.etcd.embedded import RaftGroup, prepare
from cluster.backends.group import Ask
from cluster.monotonic import now_us
from cluster.supervisor import ports
from cluster.supervisor.zygote import Continued, Exited, Started, Stopped

ROOT = Path(__file__).resolve().parents[4]


class Running:
    """`traced`: what the group wrote into the traces of its servers."""

    def __init__(self, folder: Path, count: int = 3, options: dict[str, Any] | None = None) -> None:
        self._ports = ports.allocate(count)
        self.names = tuple(f"kv{i}" for i in range(1, count + 1))
        self.traced: list[tuple[str, str, dict[str, Any]]] = []
        ask = Ask(self.names, self._ports.ports, folder, seed=7, options=options or {})
        self.group: RaftGroup = prepare(ask, lambda process, event, fields: self.traced.append((process, event, dict(fields))))
        self._folder = folder
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    async def open(self) -> None:
        await self.group.open()
        for name in self.names:
            self.start(name)
        async with asyncio.timeout(30):
            await asyncio.gather(*map(self.group.answers, self.names))

    def start(self, name: str) -> None:
        file = self._folder / f"{name}.spec"
        file.write_bytes(self.group.launch(name).payload)
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        process = subprocess.Popen([sys.executable, "-P", "-m", "cluster.node", str(file)], env=environment, stderr=subprocess.DEVNULL)
        self._processes[name] = process
        self.group.heard(Started(name, process.pid, now_us()))

    def kill(self, name: str) -> None:
        self._processes[name].kill()
        self._processes[name].wait()
        self.group.heard(Exited(name, self._processes[name].pid, -signal.SIGKILL, now_us()))

    def pause(self, name: str) -> None:
        self._processes[name].send_signal(signal.SIGSTOP)
        self.group.heard(Stopped(name, now_us()))

    def resume(self, name: str) -> None:
        self._processes[name].send_signal(signal.SIGCONT)
        self.group.heard(Continued(name, now_us()))

    async def until(self, holds: Any) -> None:
        async with asyncio.timeout(30):
            while not holds():
                await self.group._rung()

    def roles(self, name: str) -> list[str]:
        """What one node said it was, in order."""
        return [fields["role"] for process, event, fields in self.traced if process == name and event == "raft.role"]

    def close(self) -> None:
        for process in self._processes.values():
            process.kill()
            process.wait()
        self.group.close()
        self._ports.close()
