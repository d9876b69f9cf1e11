"""A lock on a consensus store, the way etcd's own does it: a key that is bound to a lease, made only where there is none.

Law 1: the token is the revision that made the key. Revisions grow with every write of the store, over every failover, so a newer holder
has a higher one; whatever a resource has seen, it can refuse the past by it.
Law 2: an acquisition that may or may not have happened is given back: once its lease is revoked, the key cannot come into being any more.
"""

from __future__ import annotations

from cluster.backends.etcd.port import Compare, Kv, Put, Refused, Wrote
from cluster.core.errors import Undecided


class KvLock:
    """`prefix` keeps runs on a shared server apart."""

    def __init__(self, kv: Kv, prefix: str) -> None:
        self._kv = kv
        self._prefix = prefix
        self._leases: dict[str, int] = {}  # owner -> the lease of its acquisition

    async def acquire(self, name: str, owner: str, ttl_ms: int) -> int | None:
        if await self.holder(name) is not None:
            return None  # a look costs nothing; a lease that is granted and not used, two writes
        try:
            lease = await self._kv.grant(ttl_ms)
        except Undecided:
            return None  # a lease that nobody knows of binds nothing, and ends by itself
        token = await self._make(self._key(name), owner, lease)
        if token is None:
            await self._give_back(lease)
        else:
            self._leases[owner] = lease
        return token

    async def _make(self, key: str, owner: str, lease: int) -> int | None:
        try:
            made = await self._kv.txn((Compare(key, "create", "=", 0),), (Put(key, owner, lease),))
        except (Undecided, Refused):
            return None
        if not made.succeeded:
            return None
        (wrote,) = made.steps
        assert isinstance(wrote, Wrote)
        return wrote.revision

    async def _give_back(self, lease: int) -> None:
        try:
            await self._kv.revoke(lease)
        except (Undecided, Refused):
            pass  # nobody keeps it alive: it ends by itself

    async def extend(self, name: str, owner: str, ttl_ms: int) -> bool:
        """For as long again as it was granted for; the lease is this owner's alone, so there is nothing to compare."""
        return owner in self._leases and await self._kv.keep_alive(self._leases[owner])

    async def release(self, name: str, owner: str) -> bool:
        return owner in self._leases and await self._kv.revoke(self._leases.pop(owner))

    async def holder(self, name: str) -> str | None:
        held = await self._kv.get(self._key(name))
        return None if held is None else held.value

    def _key(self, name: str) -> str:
        return f"{self._prefix}lock:{name}"
