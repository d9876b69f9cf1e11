"""A backend's servers, whatever they are: what a run asks of them, so that the runner knows no kind by name.

A kind is a module (`KINDS`) with `prepare(ask, trace) -> Group` and four constants: `PACKAGES` (what must be installed),
`PRELOADS` (modules to be imported once, before processes are forked), `SCHEMES` (of URLs that may stand in its place) and
`PORTS_EACH` (that a server needs; the first of each server's come first in `Ask.ports`).

Law 1: `prepare` starts nothing and opens nothing: it writes configuration, or raises `EnvironmentFailed` with what is missing.
Law 2: a server is up when it answers (`answers`), not when its port is open.
Law 3: the runner starts, signals and reaps the processes; a group hears of it (`heard`) and never signals by itself.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, cast

import msgspec

from cluster.core.errors import UsageError
from cluster.faults import LinkFault
from cluster.supervisor.zygote import Report

KINDS = {
    "redis": "cluster.backends.redis.embedded",
    "etcd": "cluster.backends.etcd.embedded",
    "mqtt": "cluster.backends.mqtt.embedded",
}

# Kind -> program that can stand in for the run's own servers -> the module that starts it. A program is asked for by its name.
STAND_INS = {
    "redis": {"redis-server": "cluster.backends.redis.local"},
    "etcd": {"etcd": "cluster.backends.etcd.local"},
    "mqtt": {"mosquitto": "cluster.backends.mqtt.local"},
}

# (process, event, fields): a line in the trace of one server, for display and coverage.
Trace = Callable[[str, str, Mapping[str, Any]], None]


class Ask(msgspec.Struct, frozen=True):
    """What a run wants of a kind. `names[i]` is a process of its own, with `ports[i]` on 127.0.0.1; `folder` is the backend's alone.

    `options` are the card's, toggles filled in; durations (`_ms`) follow the scale already.
    """

    names: tuple[str, ...]
    ports: tuple[int, ...]
    folder: Path
    seed: int
    scale: float = 1.0
    options: dict[str, Any] = {}


class Launch(msgspec.Struct, frozen=True):
    """What the zygote is told: `entry` ("module:function") and its payload."""

    entry: str
    payload: bytes


class Group:
    """Servers that belong together. A kind overrides what it has; what is here is true of servers that know nothing of each other."""

    # One a server, in the order of its names: what `process.backends[NAME]` of every process is.
    urls: tuple[str, ...]
    # Whether its servers talk to each other over links that they can break (`apply`).
    breaks_links = False

    async def open(self) -> None:
        """Before the first process: whatever they need of this one."""

    def launch(self, name: str, urls: tuple[str, ...] = ()) -> Launch:
        """How to start a server, at first or again: with what it had on disk.

        `urls`: where it is to find the group's servers, if not at their own addresses, because proxies lie between.
        """
        raise NotImplementedError

    async def answers(self, name: str) -> None:
        """Until it serves. For ever, if it never does: the caller has the deadline, and hears if the process ends."""
        raise NotImplementedError

    def heard(self, report: Report) -> None:
        """What the kernel says of one of its processes."""

    def retune(self, options: Mapping[str, Any]) -> None:
        """Other options while it runs. Those of servers that read theirs once, at the start, do not change."""

    def resolve(self, role: str) -> tuple[str, ...]:
        """`leader`, `followers`, … -> processes, as of now. Raises `UsageError` where there is none."""
        raise UsageError(f"servers of this kind have no role {role!r}")

    async def apply(self, links: tuple[LinkFault, ...]) -> None:
        """Put in force, between its own servers, all link faults there are (not a change of them), by process names.

        Returns when every server that runs has confirmed. What is not between two of its servers is not its business.
        """

    def close(self) -> None:
        """After the last process: give back sockets and files."""


class Kind(Protocol):
    """A module of `KINDS`."""

    PACKAGES: tuple[str, ...]
    PRELOADS: tuple[str, ...]
    SCHEMES: tuple[str, ...]
    PORTS_EACH: int

    def prepare(self, ask: Ask, trace: Trace) -> Group: ...


def kind_of(name: str, program: str = "") -> Kind:
    return cast(Kind, importlib.import_module(STAND_INS[name][program] if program else KINDS[name]))
