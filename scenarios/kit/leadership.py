"""Which of several coordinators is the one: whoever holds a key in the replicated store, and renews it.

Law 1: the holder writes the key anew all the time; who sees it unchanged for a lease's length, by its own clock, takes it by
compare-and-set. No clock is compared with another, and no server counts a time to live.
Law 2: a holder that could not renew for a lease's length has stepped down by itself.
Law 3: it spares work and no more. Two may believe that they lead for a moment: what must not be done twice is decided elsewhere, by
compare-and-set as well.

Source: the lease lock of Kubernetes' client library does it like this.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from typing import Protocol

from cluster.backends.etcd.port import Compare, Kv, Put, Refused
from cluster.core.errors import Undecided
from scenarios.lines import now_ns


class Leadership(Protocol):
    @property
    def held(self) -> bool: ...


class Alone:
    """There is nobody else."""

    held = True


class LeaseLeadership:
    """Run `contend` in the task group of its process. `tell` hears of every time that this one became the leader."""

    def __init__(self, kv: Kv, key: str, lease_ms: float, tell: Callable[[], None], clock_ns: Callable[[], int] = now_ns) -> None:
        self._kv = kv
        self._key = key
        self._lease_ns = lease_ms * 1e6
        self._tell = tell
        self._clock_ns = clock_ns
        self._life = secrets.token_hex(8)  # its second life is somebody else
        self._beats = 0
        self._seen = 0  # the key's revision when it was last looked at
        self._since_ns = clock_ns()  # and when it was first seen to be this one
        self._renewed_ns: int | None = None

    @property
    def held(self) -> bool:
        return self._renewed_ns is not None and self._clock_ns() - self._renewed_ns < self._lease_ns

    async def contend(self) -> None:
        while True:
            await self.turn()
            await asyncio.sleep(self._lease_ns / 8e9)

    async def turn(self) -> None:
        """Look once; renew, or take what nobody renews."""
        began_ns = self._clock_ns()
        try:
            held = await self._kv.get(self._key)
            revision = held.mod_revision if held else 0
            ours = held is not None and held.value.partition("/")[0] == self._life
            if revision != self._seen:
                self._seen, self._since_ns = revision, self._clock_ns()
            if ours or not held or self._clock_ns() - self._since_ns >= self._lease_ns:
                await self._take(revision, began_ns)
            elif not ours:
                self._renewed_ns = None
        except (Refused, Undecided):
            return  # law 2 sees to the rest

    async def _take(self, revision: int, began_ns: int) -> None:
        self._beats += 1
        unchanged = Compare(self._key, "mod", "=", revision)
        if (await self._kv.txn((unchanged,), (Put(self._key, f"{self._life}/{self._beats}"),))).succeeded:
            # From before it was asked: the others count from after it was written.
            was_held, self._renewed_ns = self.held, began_ns
            if not was_held:
                self._tell()
