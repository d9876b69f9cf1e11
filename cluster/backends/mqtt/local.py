"""mosquitto as the run's own broker: the program that is installed here, in the place of amqtt (`--backend mqtt=mosquitto`).

Law 1: the password stands in files that only we can read, and in mosquitto's only as its hash.
Law 2: a session that was promised to outlive its client outlives the broker as well, if the broker is ended and not killed.
"""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path

import msgspec

from cluster.backends.group import Ask, Group, Launch, Trace
from cluster.backends.mqtt.embedded import PACKAGES, PORTS_EACH, PRELOADS, SCHEMES, USER, Server, answers
from cluster.core.errors import EnvironmentFailed

__all__ = ["PACKAGES", "PORTS_EACH", "PRELOADS", "SCHEMES", "Mosquittos", "prepare", "serve"]

_ENTRY = "cluster.backends.mqtt.local:serve"
# Debian keeps servers where a user's path does not lead.
_PATHS = ("/usr/sbin", "/usr/local/sbin")
_ITERATIONS = 101  # what mosquitto_passwd takes


class Mosquittos(Group):
    """Brokers that share nothing."""

    def __init__(self, servers: dict[str, Server], argv: Mapping[str, tuple[str, ...]]) -> None:
        self._servers = servers
        self._argv = argv
        self.urls = tuple(server.url for server in servers.values())

    def launch(self, name: str, urls: tuple[str, ...] = ()) -> Launch:
        return Launch(_ENTRY, msgspec.msgpack.encode(self._argv[name]))

    async def answers(self, name: str) -> None:
        await answers(self._servers[name])


def prepare(ask: Ask, trace: Trace) -> Mosquittos:
    """Raises `EnvironmentFailed` when there is no such program here."""
    program = find()
    if program is None:
        raise EnvironmentFailed("no mosquitto here: install it, give --backend mqtt=mqtt://…, or leave it out")
    servers = {name: Server(port, secrets.token_hex(16)) for name, port in zip(ask.names, ask.ports, strict=True)}
    configs = {name: _configure(ask.folder / name, server) for name, server in servers.items()}
    return Mosquittos(servers, {name: (program, "-c", str(config)) for name, config in configs.items()})


def find() -> str | None:
    return shutil.which("mosquitto", path=os.pathsep.join((os.environ.get("PATH", ""), *_PATHS)))


def _configure(folder: Path, server: Server) -> Path:
    folder.mkdir(mode=0o700)
    passwords, config = folder / "passwords", folder / "mosquitto.conf"
    _write(passwords, f"{USER}:{_hashed(server.password)}\n")
    lines = (
        f"listener {server.port} 127.0.0.1", "allow_anonymous false", f"password_file {passwords}", "persistence true",
        f"persistence_location {folder}/", "log_dest stderr",
    )  # fmt: skip
    _write(config, "\n".join((*_who_we_are(), *lines)) + "\n")
    return config


def _who_we_are() -> tuple[str, ...]:
    """Started by root, mosquitto becomes somebody else, who could not read its folder."""
    return ("user root",) if os.geteuid() == 0 else ()


def _hashed(password: str) -> str:
    """As `mosquitto_passwd` writes it: PBKDF2 with SHA-512."""
    salt = secrets.token_bytes(12)
    key = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ITERATIONS)
    return f"$7${_ITERATIONS}${base64.b64encode(salt).decode()}${base64.b64encode(key).decode()}"


def _write(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")


def serve(payload: bytes) -> None:
    """Become the broker; the entry of a forked process. The death signal that it carries outlives the exec."""
    argv = msgspec.msgpack.decode(payload, type=tuple[str, ...])
    os.execv(argv[0], argv)
