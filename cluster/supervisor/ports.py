"""A port per node on 127.0.0.1, free for TCP and UDP alike, and ours for the life of the lab.

Law 1: outside the ephemeral range, where an outgoing connection of anybody could take a port between our probe and the bind.
Law 2: two labs of one user never share a block: each holds a lock file, so that a probe cannot race with the other's start.
"""

from __future__ import annotations

import errno
import fcntl
import os
import socket
from pathlib import Path

from cluster.core.errors import EnvironmentFailed, UsageError

_LOWEST = 15_000
_BLOCK = 128
_EPHEMERAL_FILE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_EPHEMERAL_USUAL = 32_768


class Ports:
    """`ports[i]` belongs to the i-th node. `close` gives the block back."""

    def __init__(self, ports: tuple[int, ...], lock: int | None) -> None:
        self.ports = ports
        self._lock = lock

    def close(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def allocate(count: int, base: Path, explicit: int = 0) -> Ports:
    """Free ports: from `explicit` on if given (`UsageError` names the first one in use), else a block of our own."""
    if explicit:
        wanted = tuple(range(explicit, explicit + count))
        if explicit < 1024 or wanted[-1] > 65_535:
            raise UsageError(f"ports {explicit} to {wanted[-1]} are not all between 1024 and 65535")
        for port in wanted:
            if not free(port):
                raise UsageError(f"port {port} is in use (the nodes want {explicit} to {wanted[-1]}): choose another base")
        return Ports(wanted, None)
    locks = base / "ports"
    locks.mkdir(mode=0o700, exist_ok=True)
    blocks = (_ephemeral_start() - _LOWEST) // _BLOCK
    for number in range(blocks):
        lock = _lock(locks / str(number))
        if lock is None:
            continue
        first = _LOWEST + number * _BLOCK
        found = [port for port in range(first, first + _BLOCK) if free(port)][:count]
        if len(found) == count:
            return Ports(tuple(found), lock)
        os.close(lock)
    raise EnvironmentFailed(f"no {count} free ports between {_LOWEST} and {_ephemeral_start()} on 127.0.0.1")


def _ephemeral_start() -> int:
    try:
        return max(_LOWEST + _BLOCK, int(_EPHEMERAL_FILE.read_text().split()[0]))
    except (OSError, ValueError, IndexError):
        return _EPHEMERAL_USUAL


def _lock(path: Path) -> int | None:
    """A held lock, or None when another lab holds it."""
    lock = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock


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
