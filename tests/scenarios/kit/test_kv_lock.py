"""The lock on a consensus store, over a store of the test's own: what it does when an answer is lost cannot be asked of a real one."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from cluster.backends.etcd.port import Compare, KeyValue, Put, Txned, TxnStep, Wrote
from cluster.core.errors import Undecided
from scenarios.kit.kv_lock import KvLock

TTL_MS = 1_000


@dataclass
class Store:
    """As much of the port as the lock uses. `lose`: calls whose answer is lost; `done`: whether they have had their effect."""

    keys: dict[str, KeyValue] = field(default_factory=dict)
    leases: set[int] = field(default_factory=set)
    revision: int = 0
    granted: int = 0
    lose: set[str] = field(default_factory=set)
    done: bool = True

    def _lost(self, call: str) -> None:
        if call in self.lose:
            raise Undecided(f"{call}: no answer")

    async def get(self, key: str) -> KeyValue | None:
        return self.keys.get(key)

    async def grant(self, ttl_ms: float) -> int:
        self.granted += 1
        self.leases.add(self.granted)
        self._lost("grant")
        return self.granted

    async def txn(self, compares: tuple[Compare, ...], then: tuple[TxnStep, ...], otherwise: tuple[TxnStep, ...] = ()) -> Txned:
        ((compare,), (put,)) = compares, then
        assert compare == Compare(compare.key, "create", "=", 0)
        assert isinstance(put, Put)
        if "txn" in self.lose and not self.done:
            self._lost("txn")
        if put.key in self.keys:
            return Txned(False, ())
        assert put.lease in self.leases
        self.revision += 1
        self.keys[put.key] = KeyValue(put.key, put.value, self.revision, self.revision, 1, put.lease)
        self._lost("txn")
        return Txned(True, (Wrote(self.revision),))

    async def keep_alive(self, lease: int) -> bool:
        return lease in self.leases

    async def revoke(self, lease: int) -> bool:
        there = lease in self.leases
        self.leases.discard(lease)
        self.keys = {key: held for key, held in self.keys.items() if held.lease != lease}
        return there


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def lock(store: Store) -> KvLock:
    return KvLock(store, "run:")  # type: ignore[arg-type]


async def test_one_holder_at_a_time_and_tokens_grow(lock: KvLock) -> None:
    assert await lock.acquire("order-1", "w1", TTL_MS) == 1
    assert await lock.acquire("order-1", "w2", TTL_MS) is None
    assert await lock.acquire("order-2", "w2", TTL_MS) == 2
    assert await lock.holder("order-1") == "w1"
    assert not await lock.release("order-1", "w3")
    assert await lock.release("order-1", "w1")
    assert await lock.acquire("order-1", "w2b", TTL_MS) == 3


async def test_who_loses_the_race_gives_its_lease_back(lock: KvLock, store: Store) -> None:
    lock.holder = _nobody  # type: ignore[method-assign]
    assert await lock.acquire("order-1", "w1", TTL_MS) == 1
    assert await lock.acquire("order-1", "w2", TTL_MS) is None
    assert store.leases == {1}


async def test_an_expired_lease_can_neither_be_extended_nor_released(lock: KvLock, store: Store) -> None:
    await lock.acquire("order-1", "w1", TTL_MS)
    assert await lock.extend("order-1", "w1", TTL_MS)
    await store.revoke(1)  # as its time does
    assert not await lock.extend("order-1", "w1", TTL_MS)
    assert not await lock.release("order-1", "w1")


@pytest.mark.parametrize("done", [True, False])
async def test_an_acquisition_that_nobody_knows_of_is_given_back(lock: KvLock, store: Store, done: bool) -> None:
    store.lose, store.done = {"txn"}, done
    assert await lock.acquire("order-1", "w1", TTL_MS) is None
    assert (store.keys, store.leases) == ({}, set())
    store.lose = set()
    assert await lock.acquire("order-1", "w1b", TTL_MS) is not None


async def test_a_lost_grant_is_no_lock(lock: KvLock, store: Store) -> None:
    store.lose = {"grant"}
    assert await lock.acquire("order-1", "w1", TTL_MS) is None
    assert store.keys == {}


async def _nobody(name: str) -> None:
    return None
