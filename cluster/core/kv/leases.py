"""Leases: keys that go when their owner no longer says that it lives.

Law 1: time is the leader's, read when it proposed and carried in the log; no replica looks at a clock of its own.
Law 2: a lease never expires early: while nobody leads, its time stands still, as with etcd.
Law 3: leases that are due expire in the order of their deadlines, then of their ids.
"""

from __future__ import annotations

import msgspec

from cluster.core.types import Micros

# Each costs every replica memory for as long as somebody keeps it alive.
LEASES_MAX = 4_096


class Lease(msgspec.Struct):
    """`keys` are those bound to it, as the keys of a dictionary."""

    ttl_us: Micros
    deadline_us: Micros
    keys: dict[str, None] = msgspec.field(default_factory=dict)


class Leases:
    """By id. Who binds a key to a lease has made sure that the lease is there."""

    __slots__ = ("_earliest_us", "_leases")

    def __init__(self) -> None:
        self._leases: dict[int, Lease] = {}
        self._earliest_us: Micros | None = None  # no deadline is earlier; it may be that none is so early

    def __contains__(self, lease: int) -> bool:
        return lease in self._leases

    def __len__(self) -> int:
        return len(self._leases)

    def items(self) -> list[tuple[int, Lease]]:
        """All of them, by id."""
        return sorted(self._leases.items())

    def find(self, lease: int) -> Lease | None:
        return self._leases.get(lease)

    def put(self, lease: int, ttl_us: Micros, deadline_us: Micros) -> Lease:
        self._leases[lease] = granted = Lease(ttl_us, deadline_us)
        self._earliest_us = min(self._earliest_us or deadline_us, deadline_us)
        return granted

    def renew(self, lease: int, now_us: Micros) -> Lease | None:
        """From now on it has its whole time again; None when it is gone."""
        held = self._leases.get(lease)
        if held is not None:
            held.deadline_us = now_us + held.ttl_us
        return held

    def end(self, lease: int) -> list[str]:
        """Take a lease away; the keys that go with it, in order."""
        return sorted(self._leases.pop(lease).keys)

    def bind(self, lease: int, key: str) -> None:
        self._leases[lease].keys[key] = None

    def release(self, lease: int, key: str) -> None:
        """`key` was overwritten or deleted. Its lease may itself be ending."""
        if held := self._leases.get(lease):
            held.keys.pop(key, None)

    def due(self, now_us: Micros) -> list[int]:
        """Whose time is over (Law 3)."""
        if self._earliest_us is None or now_us < self._earliest_us:
            return []
        over = sorted((held.deadline_us, lease) for lease, held in self._leases.items() if held.deadline_us <= now_us)
        return [lease for _, lease in over]

    def earliest_us(self, now_us: Micros) -> Micros | None:
        """The next deadline, exact once `now_us` has reached what it was last thought to be."""
        if self._earliest_us is not None and self._earliest_us <= now_us:
            self._earliest_us = min((held.deadline_us for held in self._leases.values()), default=None)
        return self._earliest_us
