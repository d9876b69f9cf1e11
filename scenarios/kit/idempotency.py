"""What a server remembers of the intentions that it has served: for each key the fingerprint of the request, the status and the body.

Law 1: kept in the transaction of the effect itself, a result is there if and only if the effect is. Every other place (`memory`,
`separate`, `redis`) has a moment in which the effect is there and the result is not, and a crash in that moment makes it two effects.
Law 2: with `locks`, whoever comes while somebody is at work on the same key is told so (409, and when to ask again). Without, both have
looked and found nothing; the second to finish overwrites what the first one kept, as code does that looks and then writes; unless keys
are `unique`: then it cannot keep its own (`Taken`), and if that is one transaction with its effect, it has none.
Law 3: one key with two requests is somebody's mistake and is told (422), if fingerprints are compared; else it is answered with the
first one's result, and nobody will ever know.

The shape is that of Stripe's idempotent requests and of the IETF's draft on the header Idempotency-Key. The lock is in the memory of the
one process that serves: a crash that loses it loses the work that it guarded as well.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any, Literal, Protocol

import msgspec

from cluster.core.errors import FaultlineError
from scenarios.kit.calls import CONFLICT, MISMATCH, OK
from scenarios.lines import now_ns

SCHEMA = "CREATE TABLE IF NOT EXISTS idempotency (key TEXT PRIMARY KEY, kept BLOB NOT NULL)"
_INSERT = "INSERT INTO idempotency VALUES (?, ?)"
_UPSERT = "INSERT OR REPLACE INTO idempotency VALUES (?, ?)"
KEYS_MAX = 100_000
How = Literal["done", "replayed", "busy", "mismatch"]
Answered = tuple[int, dict[str, Any]]
_canonical = msgspec.json.Encoder(order="deterministic")


class Taken(FaultlineError):
    """Somebody else was faster with this key: whatever stands in the same transaction must not happen."""


class Kept(msgspec.Struct, frozen=True):
    fingerprint: str
    status: int
    body: dict[str, Any]
    at_ns: int


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Kept).decode
Keep = Callable[[Answered], None]  # inside the transaction of the effect


def fingerprint(request: dict[str, Any]) -> str:
    """The same for the same request, in whatever order its fields come. Amounts are whole cents: 60 and 60.00 do not meet here."""
    return hashlib.sha256(_canonical.encode(request)).hexdigest()


class Store(Protocol):
    async def find(self, key: str) -> Kept | None: ...

    async def keep(self, key: str, kept: Kept) -> None:
        """After the effect, by itself. May raise `Taken`."""

    async def forget(self, key: str) -> None: ...


class MemoryStore:
    """Gone with the process."""

    def __init__(self) -> None:
        self._kept: dict[str, Kept] = {}

    async def find(self, key: str) -> Kept | None:
        return self._kept.get(key)

    async def keep(self, key: str, kept: Kept) -> None:
        assert len(self._kept) < KEYS_MAX
        self._kept[key] = kept

    async def forget(self, key: str) -> None:
        self._kept.pop(key, None)


class SqlStore:
    """In the database of the business rows: `keep_within` their transaction, or `keep` in another one.

    `unique`: a key that is there is an error, and not written over.
    """

    def __init__(self, db: sqlite3.Connection, *, unique: bool = False) -> None:
        self._db = db
        self._insert = _INSERT if unique else _UPSERT

    async def find(self, key: str) -> Kept | None:
        row = self._db.execute("SELECT kept FROM idempotency WHERE key = ?", (key,)).fetchone()
        return None if row is None else _decode(row[0])

    async def keep(self, key: str, kept: Kept) -> None:
        self.keep_within(key, kept)  # autocommit: a transaction of its own

    def keep_within(self, key: str, kept: Kept) -> None:
        try:
            self._db.execute(self._insert, (key, _encode(kept)))
        except sqlite3.IntegrityError:
            raise Taken(key) from None

    async def forget(self, key: str) -> None:
        self._db.execute("DELETE FROM idempotency WHERE key = ?", (key,))


class Once:
    """Each key's effect once, as far as its store can promise it. `ttl_ms`: how long a key is remembered."""

    def __init__(
        self, store: Store, *, within: Callable[[str, Kept], None] | None, locks: bool, compares: Callable[[], bool], ttl_ms: float,
        retry_after_ms: float = 0.0,
    ) -> None:  # fmt: skip
        self._store = store
        self._within = within
        self._locks = locks
        self._compares = compares
        self._ttl_ns = ttl_ms * 1e6
        self._retry_after_ms = retry_after_ms
        self._busy: set[str] = set()

    async def serve(self, key: str, request: dict[str, Any], effect: Callable[[Keep], Awaitable[Answered]]) -> tuple[How, Answered]:
        """`effect` does it, and calls what it is given inside its own transaction, which ends with it if that raises `Taken`.

        What it refuses is not remembered.
        """
        if self._locks:
            if key in self._busy:
                return "busy", (CONFLICT, {"retry_after_ms": self._retry_after_ms})
            self._busy.add(key)
        try:
            return await self._serve(key, request, effect)
        finally:
            self._busy.discard(key)

    async def _serve(self, key: str, request: dict[str, Any], effect: Callable[[Keep], Awaitable[Answered]]) -> tuple[How, Answered]:
        print_of = fingerprint(request)
        kept = await self._store.find(key)
        if kept is not None:
            if now_ns() - kept.at_ns < self._ttl_ns:
                return self._again(kept, print_of)
            await self._store.forget(key)

        def keep_within(answered: Answered) -> None:
            if self._within is not None and answered[0] == OK:
                self._within(key, Kept(print_of, *answered, now_ns()))

        try:
            answered = await effect(keep_within)
            if self._within is None and answered[0] == OK:
                await self._store.keep(key, Kept(print_of, *answered, now_ns()))
        except Taken:
            first = await self._store.find(key)
            assert first is not None, key
            return self._again(first, print_of)
        return "done", answered

    def _again(self, kept: Kept, print_of: str) -> tuple[How, Answered]:
        if self._compares() and kept.fingerprint != print_of:
            return "mismatch", (MISMATCH, {"why": "this key was used for another request"})
        return "replayed", (kept.status, {**kept.body, "replayed": True})
