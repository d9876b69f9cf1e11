"""etcd, as its packagers ship it, with its defaults."""

from __future__ import annotations

import asyncio
import shutil
import urllib.request
from typing import Final

from cluster.core.errors import EnvironmentFailed
from tui.bench.rivals.grpc_load import GrpcLoad
from tui.bench.rivals.household import Household
from tui.bench.rivals.measure import measured
from tui.bench.rivals.rival import Loaded, Slots, shares

LEADER_WITHIN_S: Final = 20.0
LOOK_EVERY_S: Final = 0.1
PUT: Final = b"/etcdserverpb.KV/Put"


class Etcd:
    """The `etcd` on the path (Debian: `etcd-server`)."""

    name = "etcd"

    def __init__(self) -> None:
        self._house: Household | None = None
        self._leader_port = 0

    async def start(self, nodes: int) -> None:
        program = shutil.which("etcd")
        if program is None:
            raise EnvironmentFailed("there is no etcd on the path (Debian, Ubuntu: apt-get install etcd-server)")
        self._house = house = Household(self.name, 2 * nodes)
        clients, peers = house.ports[:nodes], house.ports[nodes:]
        names = [f"n{number}" for number in range(1, nodes + 1)]
        urls = [f"http://127.0.0.1:{port}" for port in peers]
        cluster = ",".join(f"{name}={url}" for name, url in zip(names, urls, strict=True))
        for name, port, url in zip(names, clients, urls, strict=True):
            client = f"http://127.0.0.1:{port}"
            house.spawn(name, [
                program, "--name", name, "--data-dir", str(house.path / name), "--initial-cluster", cluster, "--log-level", "error",
                "--listen-client-urls", client, "--advertise-client-urls", client,
                "--listen-peer-urls", url, "--initial-advertise-peer-urls", url,
            ])  # fmt: skip
        self._leader_port = await self._led(clients)

    async def _led(self, ports: tuple[int, ...]) -> int:
        try:
            async with asyncio.timeout(LEADER_WITHIN_S):
                while True:
                    for port in ports:
                        if await asyncio.to_thread(_leads, port):
                            return port
                    await asyncio.sleep(LOOK_EVERY_S)
        except TimeoutError:
            assert self._house is not None, "it was started"
            raise EnvironmentFailed(f"etcd elected nobody within {LEADER_WITHIN_S:g} s: {self._house.last_words('n1')}") from None

    async def load(self, inflight: int, for_s: float) -> Loaded:
        assert self._house is not None, "it was started"
        slots = Slots()
        loop = asyncio.get_running_loop()
        loads = [GrpcLoad(PUT, share, slots) for share in shares(inflight)]
        for load in loads:
            await loop.create_connection(lambda load=load: load, "127.0.0.1", self._leader_port)  # type: ignore[misc]
            load.begin()
        found = await measured(slots, self._house.pids, for_s)
        for load in loads:
            load.close()
        return found

    async def stop(self) -> None:
        if self._house is not None:
            self._house.close()


def _leads(port: int) -> bool:
    """By its own metrics."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=2) as answer:
            return b"\netcd_server_is_leader 1\n" in answer.read()
    except OSError:
        return False
