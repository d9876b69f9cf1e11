"""Each key's effect once, as far as its store can promise it; and what is said to the second one, in each case."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from cluster.backends.redis.client import RedisPort
from scenarios.kit.calls import CONFLICT, MISMATCH, OK, STALE
from scenarios.kit.idempotency import SCHEMA, Answered, Keep, Kept, MemoryStore, Once, SqlStore, Store, Taken, fingerprint
from scenarios.kit.redis_idempotency import RedisStore

RENT, UTILITIES = {"cents": 90_000, "recipient": "landlord"}, {"cents": 6_000, "recipient": "city"}
DAY_MS = 86_400_000.0


def database(path: Path | str = ":memory:") -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None)
    db.execute(SCHEMA)
    db.execute("CREATE TABLE IF NOT EXISTS charges (id INTEGER PRIMARY KEY)")
    return db


class Effects:
    """A charge in a transaction of its own; `gate`, if there is one, is waited for before it."""

    def __init__(self, db: sqlite3.Connection, status: int = OK) -> None:
        self._db = db
        self._status = status
        self.gate: asyncio.Event | None = None

    async def __call__(self, keep: Keep) -> Answered:
        if self.gate is not None:
            await self.gate.wait()
        self._db.execute("BEGIN IMMEDIATE")
        row = self._db.execute("INSERT INTO charges DEFAULT VALUES").lastrowid
        answered = (self._status, {"receipt": row})
        try:
            keep(answered)
        except Taken:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")
        return answered

    @property
    def count(self) -> int:
        found: int = self._db.execute("SELECT count(*) FROM charges").fetchone()[0]
        return found


def once_of(store: Store, *, within: bool = False, locks: bool = False, compares: bool = False, ttl_ms: float = DAY_MS) -> Once:
    keep = store.keep_within if within and isinstance(store, SqlStore) else None
    return Once(store, within=keep, locks=locks, compares=lambda: compares, ttl_ms=ttl_ms, retry_after_ms=300.0)


@pytest.mark.parametrize("kind", ["memory", "separate", "same_txn"])
async def test_the_second_time_it_is_answered_from_memory(kind: str) -> None:
    db = database()
    once = once_of(MemoryStore() if kind == "memory" else SqlStore(db), within=kind == "same_txn")
    effects = Effects(db)
    assert await once.serve("k", RENT, effects) == ("done", (OK, {"receipt": 1}))
    assert await once.serve("k", RENT, effects) == ("replayed", (OK, {"receipt": 1, "replayed": True}))
    assert await once.serve("k2", RENT, effects) == ("done", (OK, {"receipt": 2}))
    assert effects.count == 2


@pytest.mark.processes
async def test_redis_answers_from_memory_too(port: RedisPort) -> None:
    db = database()
    effects = Effects(db)
    first, second = (once_of(RedisStore(port, "run:", DAY_MS)) for _ in range(2))
    assert (await first.serve("k", RENT, effects))[0] == "done"
    assert await second.serve("k", RENT, effects) == ("replayed", (OK, {"receipt": 1, "replayed": True}))
    assert await port.keys("run:") == ["run:idem:k"]


async def test_the_result_is_in_the_effects_own_transaction_or_it_is_not(tmp_path: Path) -> None:
    """Whoever looks from outside while the transaction is open sees neither; after a rollback neither is there."""
    db, other = database(tmp_path / "db"), database(tmp_path / "db")
    once = once_of(SqlStore(db), within=True)

    async def dies_before_its_commit(keep: Keep) -> Answered:
        db.execute("BEGIN IMMEDIATE")
        db.execute("INSERT INTO charges DEFAULT VALUES")
        keep((OK, {}))
        assert await SqlStore(other).find("k") is None
        db.execute("ROLLBACK")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await once.serve("k", RENT, dies_before_its_commit)
    assert await SqlStore(other).find("k") is None
    assert (await once.serve("k", RENT, Effects(db)))[0] == "done"


async def test_a_store_beside_the_effect_forgets_what_a_crash_came_before() -> None:
    db = database()
    effects = Effects(db)

    async def dies_behind_its_commit(keep: Keep) -> Answered:
        await effects(keep)
        raise ZeroDivisionError

    for within, kept in ((False, None), (True, {"receipt": 2})):
        with pytest.raises(ZeroDivisionError):
            await once_of(SqlStore(db), within=within).serve("k", RENT, dies_behind_its_commit)
        found = await SqlStore(db).find("k")
        assert (found.body if found else None) == kept


async def two_at_once(once: Once, effects: Effects) -> list[tuple[str, Answered]]:
    """The second comes while the first is at work."""
    effects.gate = asyncio.Event()
    first = asyncio.ensure_future(once.serve("k", RENT, effects))
    await asyncio.sleep(0)
    second = asyncio.ensure_future(once.serve("k", RENT, effects))
    await asyncio.sleep(0)
    effects.gate.set()
    return [await first, await second]


async def test_who_looks_and_then_writes_does_it_twice() -> None:
    effects = Effects(database())
    outcomes = await two_at_once(once_of(MemoryStore()), effects)
    assert [how for how, _ in outcomes] == ["done", "done"]
    assert effects.count == 2


@pytest.mark.parametrize(("within", "count", "how"), [(True, 1, "replayed"), (False, 2, "replayed")])
async def test_under_a_unique_key_the_second_to_write_fails_and_takes_back_what_is_one_with_it(within: bool, count: int, how: str) -> None:
    db = database()
    effects = Effects(db)
    outcomes = await two_at_once(once_of(SqlStore(db, unique=True), within=within), effects)
    assert [how for how, _ in outcomes] == ["done", how]
    assert outcomes[1][1] == (OK, {"receipt": 1, "replayed": True})
    assert effects.count == count


async def test_with_a_lock_the_second_is_told_when_to_ask_again() -> None:
    effects = Effects(database())
    once = once_of(MemoryStore(), locks=True)
    outcomes = await two_at_once(once, effects)
    assert outcomes[1] == ("busy", (CONFLICT, {"retry_after_ms": 300.0}))
    assert (await once.serve("k", RENT, effects))[0] == "replayed"
    assert effects.count == 1


async def test_a_lock_is_given_back_whatever_happens() -> None:
    once = once_of(MemoryStore(), locks=True)

    async def fails(_keep: Keep) -> Answered:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await once.serve("k", RENT, fails)
    assert (await once.serve("k", RENT, Effects(database())))[0] == "done"


@pytest.mark.parametrize(
    ("compares", "how", "answered"),
    [(True, "mismatch", (MISMATCH, {"why": "this key was used for another request"})),
     (False, "replayed", (OK, {"receipt": 1, "replayed": True}))],
)  # fmt: skip
async def test_one_key_for_two_requests_is_told_or_swallowed(compares: bool, how: str, answered: Answered) -> None:
    effects = Effects(database())
    once = once_of(MemoryStore(), compares=compares)
    await once.serve("k", RENT, effects)
    assert await once.serve("k", UTILITIES, effects) == (how, answered)
    assert effects.count == 1


async def test_a_key_is_forgotten_after_its_time() -> None:
    db = database()
    effects = Effects(db)
    for store in (MemoryStore(), SqlStore(db), SqlStore(db, unique=True)):
        once = once_of(store, within=True, ttl_ms=0.0)
        assert [(await once.serve("k", RENT, effects))[0] for _ in range(2)] == ["done", "done"]


@pytest.mark.parametrize("within", [True, False])
async def test_what_was_refused_is_not_remembered(within: bool) -> None:
    db = database()
    once = once_of(SqlStore(db), within=within)
    assert await once.serve("k", RENT, Effects(db, STALE)) == ("done", (STALE, {"receipt": 1}))
    assert await SqlStore(db).find("k") is None


@pytest.mark.parametrize(
    ("other", "same"), [({"recipient": "landlord", "cents": 90_000}, True), (UTILITIES, False), ({**RENT, "x": 1}, False)]
)
def test_a_fingerprint_is_the_requests_and_not_its_spelling(other: dict[str, Any], same: bool) -> None:
    assert (fingerprint(RENT) == fingerprint(other)) is same


async def test_memory_is_as_it_was_given() -> None:
    kept = Kept("f", OK, {"receipt": "charged-1"}, 7)
    for store in (MemoryStore(), SqlStore(database())):
        await store.keep("k", kept)
        assert await store.find("k") == kept
        assert await store.find("k2") is None
