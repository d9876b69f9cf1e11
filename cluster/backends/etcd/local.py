"""etcd itself as the run's own servers: the program that is installed here, in the place of our Raft group (`--backend kv=etcd`).

Law 1: it is up when it says so of itself: `/health` is a linearizable read.
Law 2: it listens on loopback only. It knows no password: whoever is on this machine may look in while the run lasts.
Law 3: who leads and what the links between members are like are etcd's own affair: it has no roles here, and breaks no links.
"""

from __future__ import annotations

import asyncio
import os
import shutil

import msgspec

from cluster.backends.group import Ask, Group, Launch, Trace
from cluster.core.errors import EnvironmentFailed

PACKAGES = ("aetcd",)
PRELOADS: tuple[str, ...] = ()  # grpc may not be loaded before a fork
SCHEMES = ("etcd://",)
PORTS_EACH = 2

_ENTRY = "cluster.backends.etcd.local:serve"
_RETRY_S = 0.02
# As our own group's at scale 1; etcd gives no lease a shorter life than one and a half of these timeouts, in whole seconds.
_HEARTBEAT_MS, _ELECTION_MS = 100, 500


class Etcds(Group):
    """`ask.ports`: those for clients, then those for each other."""

    def __init__(self, ask: Ask, program: str) -> None:
        count = len(ask.names)
        clients = [f"http://127.0.0.1:{port}" for port in ask.ports[:count]]
        peers = [f"http://127.0.0.1:{port}" for port in ask.ports[count:]]
        cluster = ",".join(f"{name}={peer}" for name, peer in zip(ask.names, peers, strict=True))
        self._ports = dict(zip(ask.names, ask.ports, strict=False))
        self._argv = {
            name: (
                program, "--name", name, "--data-dir", str(ask.folder / name), "--initial-cluster", cluster,
                "--listen-client-urls", client, "--advertise-client-urls", client,
                "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
                "--heartbeat-interval", str(round(_HEARTBEAT_MS * ask.scale)), "--election-timeout", str(round(_ELECTION_MS * ask.scale)),
            )
            for name, client, peer in zip(ask.names, clients, peers, strict=True)
        }  # fmt: skip
        self.urls = tuple(client.replace("http://", "etcd://") for client in clients)

    def launch(self, name: str, urls: tuple[str, ...] = ()) -> Launch:
        return Launch(_ENTRY, msgspec.msgpack.encode(self._argv[name]))

    async def answers(self, name: str) -> None:
        while True:
            if await _healthy(self._ports[name]):
                return
            await asyncio.sleep(_RETRY_S)


def prepare(ask: Ask, trace: Trace) -> Etcds:
    """Raises `EnvironmentFailed` when there is no such program here."""
    program = shutil.which("etcd")
    if program is None:
        raise EnvironmentFailed("no etcd on the path: install it (etcd-server), give --backend kv=etcd://HOST:PORT, or leave it out")
    return Etcds(ask, program)


def serve(payload: bytes) -> None:
    """Become the server; the entry of a forked process. The death signal that it carries outlives the exec."""
    argv = msgspec.msgpack.decode(payload, type=tuple[str, ...])
    os.execv(argv[0], argv)


async def _healthy(port: int) -> bool:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    try:
        writer.write(b"GET /health HTTP/1.0\r\n\r\n")
        return b'"health":"true"' in await reader.read()
    except OSError:
        return False
    finally:
        writer.close()
