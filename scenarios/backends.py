"""`[backend.NAME]` of a card: which servers a run has besides its own processes, and what they are called.

Law 1: the servers of a backend are processes like the others: `redis` alone, or `redlock1` to `redlock5`; members of a group are always
numbered (`kv1`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec

from cluster.backends.etcd.policy import policy_of
from cluster.commands.words import did_you_mean
from cluster.core.errors import UsageError
from scenarios.parts import NAME

COUNT_MAX = 9


class Backend(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Servers that are not ours. `when`: "TOGGLE=VALUE", the only case in which they are needed; otherwise always.

    `policy` and `timers_ms` are for `etcd`, our own Raft group: fields of its policy, and `heartbeat`, `election` (the smallest
    timeout), `spread` (how far above it the largest is). A value may be `$toggle`; timers follow the scale. A
    hot toggle reaches a group that runs.

    `replicate` is for `redis`: the first server's data goes to the others, asynchronously. A `[[link]]` from a replica to the backend
    lays a proxy between the two.
    """

    use: str
    kind: Literal["redis", "etcd", "mqtt"] = "redis"
    count: int = 1
    when: str = ""
    policy: dict[str, str] = {}
    timers_ms: dict[str, str | int | float] = {}
    replicate: bool = False


def server_names(name: str, backend: Backend) -> tuple[str, ...]:
    """The processes of a backend."""
    if backend.count == 1 and backend.kind != "etcd":
        return (name,)
    return tuple(f"{name}{i}" for i in range(1, backend.count + 1))


def replicas(name: str, backend: Backend | None) -> tuple[str, ...]:
    """Its servers that follow the first one, and may do so through a proxy."""
    return server_names(name, backend)[1:] if backend is not None and backend.replicate else ()


def needed(backends: Mapping[str, Backend], toggles: Mapping[str, str]) -> dict[str, Backend]:
    """The backends that a run with these toggles needs."""
    settings = {f"{name}={value}" for name, value in toggles.items()}
    return {name: backend for name, backend in backends.items() if backend.when in {"", *settings}}


def options(backend: Backend, toggles: Mapping[str, str]) -> dict[str, Any]:
    """What its servers are configured with: toggles filled in."""
    parts: dict[str, Mapping[str, str | int | float]] = {"policy": backend.policy, "timers_ms": backend.timers_ms}
    filled = {part: {name: _filled(value, toggles) for name, value in values.items()} for part, values in parts.items()}
    return {**filled, "replicate": backend.replicate}


def _filled(value: str | float, toggles: Mapping[str, str]) -> str:
    text = str(value)
    return toggles[text[1:]] if text.startswith("$") else text


def backend_faults(backends: Mapping[str, Backend], toggles: Mapping[str, tuple[str, ...]], taken: set[str]) -> Iterator[str]:
    """What is wrong with them, a line each. `toggles`: name -> values; `taken`: names of processes."""
    settings = {f"{name}={value}" for name, values in toggles.items() for value in values}
    for name, backend in backends.items():
        if not NAME.match(name):
            yield f"backend.{name}: {name!r} is not a letter followed by at most 11 letters and digits"
        if not 1 <= backend.count <= COUNT_MAX:
            yield f"backend.{name}.count: expected 1 to {COUNT_MAX}"
            continue
        for server in server_names(name, backend):
            if server in taken:
                yield f"backend.{name}: {server!r} is the name of another process already"
            taken.add(server)
        if backend.when and backend.when not in settings:
            yield f"backend.{name}.when: {backend.when!r} is not TOGGLE=VALUE of this file{did_you_mean(backend.when, settings)}"
        yield from _option_faults(f"backend.{name}", backend, toggles)


def _option_faults(key: str, backend: Backend, toggles: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    if backend.replicate and (backend.kind != "redis" or backend.count < 2):
        yield f"{key}.replicate: expected two or more servers of the kind 'redis'"
    for part in ("policy", "timers_ms"):
        values = getattr(backend, part)
        if values and backend.kind != "etcd":
            yield f"{key}.{part}: only backends of the kind 'etcd' have one"
        unknown = [name for name, value in values.items() if str(value).startswith("$") and str(value)[1:] not in toggles]
        for field in unknown:
            yield f"{key}.{part}.{field}: {values[field]!r} is no toggle{did_you_mean(values[field][1:], toggles)}"
        if unknown or backend.kind != "etcd":
            return
    for settings in _every_value(toggles):
        try:
            policy_of(options(backend, settings), 1.0)
        except UsageError as error:
            yield f"{key}.{error}"
            return


def _every_value(toggles: Mapping[str, tuple[str, ...]]) -> Iterator[dict[str, str]]:
    """Settings in which each toggle has each of its values at least once."""
    for i in range(max(map(len, toggles.values()), default=0)):
        yield {name: values[i % len(values)] for name, values in toggles.items()}
