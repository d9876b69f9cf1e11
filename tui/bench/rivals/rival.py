"""What the throughput bench asks of every store.

Law 1: all of them get the same: so many nodes on loopback, values of `VALUE_BYTES`, keys drawn from `KEYS`, puts only, a fixed number
in flight over at most `CONNECTIONS_MAX` connections, each answered before the next of its slot is sent (a closed loop).
Law 2: CPU time is the servers' own, counted by the kernel; the load's stands apart, so that nobody takes the load's limit for the
store's.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import msgspec
import psutil

VALUE_BYTES: Final = 100
KEYS: Final = 20_000
CONNECTIONS_MAX: Final = 8
# Of each slot: enough different keys that no cache flatters, few enough to be encoded beforehand.
REQUESTS_PER_SLOT: Final = 64
WARM_S: Final = 1.0


class Loaded(msgspec.Struct, frozen=True):
    """One measurement. `server_cpu_s` of all nodes together; `load_cpu_s` is -1 when the load runs inside a node."""

    done: int
    failed: int
    took_s: float
    latencies_us: list[int]
    server_cpu_s: float
    load_cpu_s: float


class Rival(Protocol):
    """A cluster of one kind."""

    name: str

    async def start(self, nodes: int) -> None:
        """Until it has a leader that takes puts. Raises `EnvironmentFailed` when it cannot be had on this machine."""
        ...

    async def load(self, inflight: int, for_s: float) -> Loaded:
        """Warm up, then measure."""
        ...

    async def stop(self) -> None:
        """No process and no file of it is left."""
        ...


class Slots:
    """Who counts: a closed loop's completions, while `counting`. Times are nanoseconds of one monotonic clock."""

    def __init__(self) -> None:
        self.running = True
        self.counting = False
        self.done = 0
        self.failed = 0
        self.latencies_us: list[int] = []

    def answered(self, ok: bool, took_ns: int) -> None:
        if not self.counting:
            return
        if ok:
            self.done += 1
            self.latencies_us.append(took_ns // 1_000)
        else:
            self.failed += 1


def shares(inflight: int) -> list[int]:
    """How many slots each connection has."""
    connections = min(CONNECTIONS_MAX, inflight)
    return [inflight // connections + (number < inflight % connections) for number in range(connections)]


def requests(slots: int, encode: Callable[[int, str, str], bytes]) -> list[list[bytes]]:
    """Encoded puts by slot: `encode(slot, key, value)`. Repeatable, and nothing is encoded while the clock runs."""
    dice = random.Random(slots)
    value = "v" * VALUE_BYTES
    return [[encode(slot, f"key-{dice.randrange(KEYS):012}", value) for _ in range(REQUESTS_PER_SLOT)] for slot in range(slots)]


def cpu_s(pids: Sequence[int]) -> float:
    """User and system seconds of these processes so far."""
    times = [psutil.Process(pid).cpu_times() for pid in pids]
    return float(sum(each.user + each.system for each in times))
