"""Buses as `open_bus` makes them, for a process that is no process of a run."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from types import SimpleNamespace
from typing import Any, cast

from scenarios.kit.bus import Bus, open_bus
from scenarios.kit.process import Process

PREFIX = "faultline:test:"


def bus_of(kind: str, url: str, name: str, *, qos: int, acks_itself: bool = True) -> AbstractAsyncContextManager[Bus]:
    process: Any = SimpleNamespace(name=name, backends={kind: (url,)}, key_prefix=PREFIX)
    return open_bus(cast(Process, process), kind, qos=qos, acks_itself=acks_itself)
