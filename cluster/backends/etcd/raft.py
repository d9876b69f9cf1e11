"""A client of our own Raft group, by URLs of the form `raft://:SECRET@127.0.0.1:PORT/NODE`.

Law 1: what nobody has taken in is asked again, elsewhere, until the time is up; what was sent and not answered is not.
Law 2: a read may be asked again whatever became of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from urllib.parse import urlsplit

from cluster.backends.etcd.port import Refused, Txned, Wrote
from cluster.core.errors import Undecided, UsageError
from cluster.core.kv import span
from cluster.core.kv.limits import unfit
from cluster.core.kv.ops import (
    COMPACTED,
    FUTURE,
    NO_LEASE,
    NO_SPACE,
    READS,
    Branch,
    Compare,
    Deleted,
    DeleteRange,
    Get,
    Grant,
    KeepAlive,
    KeyValue,
    Leased,
    Operation,
    Page,
    Put,
    Range,
    Reply,
    Revoke,
    Txn,
    TxnStep,
)
from cluster.core.types import MS, Dice
from cluster.monotonic import now_us
from cluster.workload.route import Route

# One node that is alone must not eat the whole time of a read that others could answer.
ATTEMPT_MS = 500
TIMEOUT_MS = 5_000
_PAUSE_S = 0.02
_FINAL = (COMPACTED, FUTURE, NO_LEASE, NO_SPACE)


def url_of(node: str, port: int, secret: bytes) -> str:
    return f"raft://:{secret.hex()}@127.0.0.1:{port}/{node}"


class RaftKv:
    """`first`: the node to be asked first. `attempt_ms`: how long one is waited for; `timeout_ms`: for how long one is looked for."""

    def __init__(
        self, urls: Iterable[str], name: str, dice: Dice, *, first: str = "",
        attempt_ms: float = ATTEMPT_MS, timeout_ms: float = TIMEOUT_MS,
    ) -> None:  # fmt: skip
        members, secret = _read(urls)
        self._route = Route(name, members, tuple(members), secret, dice)
        self._route.target = first or self._route.target
        self._attempt_us, self._timeout_us = round(attempt_ms * MS), round(timeout_ms * MS)

    # ---- reads --------------------------------------------------------------------------------------------------

    async def get(self, key: str) -> KeyValue | None:
        # By range, which tells revisions.
        items = await self.range(*span.of_key(key), 1)
        return items[0] if items else None

    async def range(self, first: str, end: str | None, limit: int = 1_000) -> tuple[KeyValue, ...]:
        reply = await self._ask(Range(first, end, limit))
        assert isinstance(reply.body, Page)
        return reply.body.items

    async def prefix(self, prefix: str, limit: int = 1_000) -> tuple[KeyValue, ...]:
        first, end = span.of_prefix(prefix)
        return await self.range(first, end, limit)

    async def barrier(self) -> None:
        """A linearizable read of nothing: somebody leads, and a majority follows."""
        await self._ask(Get("\0"))

    # ---- writes -------------------------------------------------------------------------------------------------

    async def put(self, key: str, value: str, lease: int = 0) -> int:
        return (await self._ask(Put(key, value, lease))).revision

    async def delete(self, key: str) -> bool:
        reply = await self._ask(DeleteRange(*span.of_key(key)))
        assert isinstance(reply.body, Deleted)
        return reply.body.count > 0

    async def txn(self, compares: tuple[Compare, ...], then: tuple[TxnStep, ...], otherwise: tuple[TxnStep, ...] = ()) -> Txned:
        reply = await self._ask(Txn(compares, then, otherwise))
        assert isinstance(reply.body, Branch)
        return Txned(reply.body.succeeded, tuple(map(_step, reply.body.replies)))

    # ---- leases -------------------------------------------------------------------------------------------------

    async def grant(self, ttl_ms: float) -> int:
        reply = await self._ask(Grant(round(ttl_ms * MS)))
        assert isinstance(reply.body, Leased)
        return reply.body.lease

    async def keep_alive(self, lease: int) -> bool:
        return await self._about_lease(KeepAlive(lease))

    async def revoke(self, lease: int) -> bool:
        return await self._about_lease(Revoke(lease))

    async def _about_lease(self, operation: KeepAlive | Revoke) -> bool:
        try:
            await self._ask(operation)
        except Refused as refused:
            if str(refused) == NO_LEASE:
                return False
            raise
        return True

    async def close(self) -> None:
        self._route.close()

    # ---- asking -------------------------------------------------------------------------------------------------

    async def _ask(self, operation: Operation) -> Reply:
        if reason := unfit(operation):
            raise Refused(reason)
        ends_us = now_us() + self._timeout_us
        while True:
            # A write has the whole time for its one attempt: giving it up early would only make it undecided.
            left_us = max(0, ends_us - now_us())
            reads = isinstance(operation, READS)
            reply, node = await self._route.ask(operation, min(self._attempt_us, left_us) if reads else left_us)
            if reply.outcome == "ok":
                return reply
            if reply.outcome == "unknown" and not reads:
                raise Undecided(f"{node}: {reply.error}")
            if reply.outcome == "fail" and (reply.revision > 0 or reply.error in _FINAL):
                raise Refused(reply.error)  # the store's own word: asking again would not change it
            if now_us() >= ends_us:
                raise Refused(f"nobody served it within {self._timeout_us // MS} ms; {node} last: {reply.error}")
            await asyncio.sleep(_PAUSE_S)


def _read(urls: Iterable[str]) -> tuple[dict[str, int], bytes]:
    members, secret = {}, b""
    for url in urls:
        parts = urlsplit(url)
        if parts.scheme != "raft" or parts.port is None or parts.password is None:
            raise UsageError(f"{url!r} is no address of a node: expected raft://:SECRET@127.0.0.1:PORT/NODE")
        members[parts.path.removeprefix("/")] = parts.port
        secret = bytes.fromhex(parts.password)
    return members, secret


def _step(reply: Reply) -> Wrote | Deleted | Page:
    if isinstance(reply.body, Deleted | Page):
        return reply.body
    return Wrote(reply.revision)
