"""A port per node on 127.0.0.1, free for TCP and UDP alike, and ours for the life of the lab.

Law 1: outside the ephemeral range, where an outgoing connection of anybody could take a port between our probe and the bind.
Law 2: two labs never share a block, whoever runs them and wherever their run directories are: each holds its block's first port,
so that a probe cannot race with the other's start, and the kernel gives it back whatever becomes of the holder.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from cluster.core.errors import EnvironmentFailed, UsageError

_LOWEST = 15_000
_BLOCK = 128
_EPHEMERAL_FILE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_EPHEMERAL_USUAL = 32_768


class Ports:
    """`ports[i]` belongs to the i-th node. `close` gives the block back."""

    def __init__(self, ports: tuple[int, ...], guard: socket.socket | None) -> None:
        self.ports = ports
        self._guard = guard

    def close(self) -> None:
        if self._guard is not None:
            self._guard.close()
            self._guard = None


def allocate(count: int, explicit: int = 0) -> Ports:
    """Free ports: from `explicit` on if given (`EnvironmentFailed` names the first one in use), else a block of our own."""
    if explicit:
        return Ports(_exactly(count, explicit), None)
    ephemeral = _ephemeral_start()
    for first in range(_LOWEST, ephemeral - _BLOCK, _BLOCK):
        guard = _guard(first)
        if guard is None:
            continue
        found = tuple(islice(filter(free, range(first + 1, first + _BLOCK)), count))
        if len(found) == count:
            return Ports(found, guard)
        guard.close()
    raise EnvironmentFailed(f"no {count} free ports between {_LOWEST} and {ephemeral} on 127.0.0.1")


def another(taken: Iterable[int]) -> int:
    """One more, behind those that a lab has, in the block that is its own. Raises `EnvironmentFailed` when that is full."""
    last = max(taken)
    end = last - (last - _LOWEST) % _BLOCK + _BLOCK
    for port in range(last + 1, end):
        if free(port):
            return port
    raise EnvironmentFailed(f"no free port between {last} and {end} on 127.0.0.1")


def _exactly(count: int, first: int) -> tuple[int, ...]:
    wanted = tuple(range(first, first + count))
    if first < 1024 or wanted[-1] > 65_535:
        raise UsageError(f"ports {first} to {wanted[-1]} are not all between 1024 and 65535")
    for port in wanted:
        if not free(port):
            raise EnvironmentFailed(f"port {port} is in use (the nodes want {first} to {wanted[-1]}): choose another base")
    return wanted


def _guard(port: int) -> socket.socket | None:
    """The block's first port, bound and never listened on; None when another lab holds it."""
    guard = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        guard.bind(("127.0.0.1", port))
    except OSError as error:
        guard.close()
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            return None
        raise
    return guard


def _ephemeral_start() -> int:
    try:
        return max(_LOWEST + 2 * _BLOCK, int(_EPHEMERAL_FILE.read_text().split()[0]))
    except (OSError, ValueError, IndexError):
        return _EPHEMERAL_USUAL


def free(port: int) -> bool:
    """Whether both TCP and UDP can be bound on loopback now."""
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            if kind == socket.SOCK_STREAM:
                # As a server would: connections of a lab just ended linger in TIME_WAIT and do not matter.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                if error.errno in (errno.EADDRINUSE, errno.EACCES):
                    return False
                raise
    return True
