"""The key-value store as a program uses it: writes that are asked again safely, leases that are kept, watches that go on elsewhere.

Law 1: "ok" and "fail" are certain. Once an attempt ended unknown, only an answer from the store itself makes the write certain again.
Law 2: a lease is good until its time has passed since the last request that renewed it was *sent*: its holder stops first.
Law 3: a watch yields every change once, in order, whichever node tells it, or ends with the reason why it cannot.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from cluster.core.kv.ops import NO_SESSION, Changes, Grant, KeepAlive, KeyValue, Leased, Operation, Reply, Revoke, Watch, Write
from cluster.core.kv.retries import Retries, Wish
from cluster.core.policy import ClientPolicy
from cluster.core.types import MS, Micros, NodeId
from cluster.monotonic import now_us
from cluster.workload.route import Route

# Before a write is asked again, or somebody else is asked to go on with a watch.
_PAUSE_US: Micros = 50 * MS
_SHORTEST_ATTEMPT_US: Micros = 50 * MS


class WatchEnded(Exception):
    """No node will tell what comes next; the text says why (compacted, too slow, too many)."""


class LeaseLost(Exception):
    """A lease could not be had or kept; the text says why."""


class KeyValueClient:
    """Over one route. Writes may overlap; they share a session if `policy` asks more than once."""

    def __init__(self, route: Route, policy: ClientPolicy = ClientPolicy(), timeout_us: Micros = 1_000 * MS) -> None:
        self._route, self._timeout_us = route, timeout_us
        self._retries = Retries(policy)
        self._opening = asyncio.Lock()

    async def ask(self, operation: Operation) -> Reply:
        """Once, whoever leads."""
        reply, _ = await self._route.ask(operation, self._timeout_us)
        return reply

    # ---- writes -------------------------------------------------------------------------------------------------

    async def write(self, write: Write) -> tuple[Reply, NodeId]:
        """As often as the policy says within the time-out; the reply, and the node that was asked last."""
        if self._retries.attempts == 1:
            return await self._route.ask(write, self._timeout_us)
        ends_us = now_us() + self._timeout_us
        reply, node = await self._once(write, ends_us)
        if (reply.outcome, reply.error) == ("fail", NO_SESSION):
            reply, node = await self._once(write, ends_us)  # the old session had been silent for too long
        return reply, node

    async def _once(self, write: Write, ends_us: Micros) -> tuple[Reply, NodeId]:
        if self._retries.needs_session and not await self._open():
            return Reply("fail", error="no session could be opened"), self._route.target
        wish = self._retries.begin(write)
        try:
            return await self._insist(wish, ends_us)
        finally:
            self._retries.settle(wish)

    async def _insist(self, wish: Wish, ends_us: Micros) -> tuple[Reply, NodeId]:
        attempts, unsure = self._retries.attempts, False
        reply, node = Reply("fail", error="nobody was asked"), self._route.target
        for attempt in range(attempts):
            share_us = max(_SHORTEST_ATTEMPT_US, (ends_us - now_us()) // (attempts - attempt))
            reply, node = await self._route.ask(self._retries.ask(wish), share_us)
            if reply.error == NO_SESSION:
                self._retries.expired(wish)
                # No attempt before this one: the session that is gone cannot have let one in.
                return (reply if unsure else Reply("fail", error=NO_SESSION)), node
            if reply.outcome == "ok" or self._is_final(reply):
                return reply, node
            unsure = unsure or reply.outcome == "unknown"
            if now_us() + _PAUSE_US >= ends_us:
                break
            await asyncio.sleep(_PAUSE_US / 1e6)
        return (Reply("unknown", error=reply.error, leader=reply.leader) if unsure else reply), node

    def _is_final(self, reply: Reply) -> bool:
        """Whether this failure speaks for all attempts: the store's own does, a node's refusal only for the one it refused.

        A client that retries blindly takes every failure at its word; that is part of its mistake.
        """
        return reply.outcome == "fail" and (reply.revision > 0 or self._retries.blind)

    async def _open(self) -> bool:
        async with self._opening:
            if not self._retries.needs_session:
                return True
            reply, _ = await self._route.ask(self._retries.hello(), self._timeout_us)
            return self._retries.opened(reply)

    # ---- leases -------------------------------------------------------------------------------------------------

    async def grant(self, ttl_us: Micros) -> Lease:
        """A lease to be kept with `Lease.keep`. Raises `LeaseLost` when there is none to be had."""
        sent_us = now_us()
        reply = await self.ask(Grant(ttl_us))
        if not isinstance(reply.body, Leased):
            raise LeaseLost(reply.error or reply.outcome)
        return Lease(self, reply.body.lease, ttl_us, sent_us + ttl_us)

    # ---- watches ------------------------------------------------------------------------------------------------

    async def watch(self, first: str, end: str | None, revision: int = 0) -> AsyncIterator[KeyValue]:
        """Changes of a range from `revision` (0: from now) on, over lost connections. Raises `WatchEnded`."""
        told: set[str] = set()  # keys whose change under `revision` is told already: a batch may end within a revision
        while True:
            stream = await self._route.watch(Watch(first, end, revision), self._timeout_us)
            try:
                async for reply in stream:
                    assert isinstance(reply.body, Changes)
                    revision = revision or reply.revision + 1
                    for change in reply.body.changes:
                        if change.mod_revision != revision:
                            revision, told = change.mod_revision, set()
                        if change.key not in told:
                            told.add(change.key)
                            yield change
            finally:
                stream.close()
            if stream.end is None or stream.end.outcome != "unknown":
                raise WatchEnded("closed" if stream.end is None else stream.end.error)
            await asyncio.sleep(_PAUSE_US / 1e6)


class Lease:
    """One lease and until when its holder may trust in it."""

    def __init__(self, client: KeyValueClient, lease: int, ttl_us: Micros, good_until_us: Micros) -> None:
        self.id, self._client, self._ttl_us, self._good_until_us = lease, client, ttl_us, good_until_us

    @property
    def left_us(self) -> Micros:
        """How long the holder may go on without asking."""
        return max(0, self._good_until_us - now_us())

    async def keep(self) -> None:
        """Renew it three times per its time, until cancelled. Raises `LeaseLost` once the holder must stop."""
        while True:
            await asyncio.sleep(min(self._ttl_us // 3, self.left_us) / 1e6)
            sent_us = now_us()
            reply = await self._client.ask(KeepAlive(self.id))
            if reply.outcome == "ok":
                self._good_until_us = sent_us + self._ttl_us
            elif not self.left_us or reply.revision:
                raise LeaseLost(reply.error)

    async def revoke(self) -> Reply:
        """End it, and the keys that are bound to it."""
        self._good_until_us = 0
        return await self._client.ask(Revoke(self.id))
