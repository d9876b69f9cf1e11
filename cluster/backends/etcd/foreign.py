"""etcd itself, through aetcd. Imported only by a process that needs it and forks no more: grpc's threads do not survive a fork.

Law 1: whatever ends a write but etcd's own refusal leaves it undecided: of "unavailable" nobody can say whether it was before or after.
Law 2: comparisons, revisions and leases are etcd's own; only lives of leases are rounded up to its whole seconds.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Iterable
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

import aetcd
from aetcd import exceptions, rpc

from cluster.backends.etcd.port import Compare, Delete, Deleted, DeleteRange, KeyValue, Page, Put, Range, Refused, Txned, TxnStep, Wrote
from cluster.core.errors import EnvironmentFailed, Undecided, UsageError
from cluster.core.kv import span

CONNECT_TIMEOUT_S = 10.0
_RETRY_S = 0.05
_END_OF_KEYS = b"\0"  # as a range's end: no end
# It says so itself, before doing anything.
_REFUSALS = (
    exceptions.InvalidArgumentError, exceptions.PreconditionFailedError, exceptions.DuplicateLeaseError, exceptions.UnauthenticatedError,
)  # fmt: skip
_TARGETS = {"version": "VERSION", "create": "CREATE", "mod": "MOD", "value": "VALUE", "lease": "LEASE"}
_FIELDS = {"version": "version", "create": "create_revision", "mod": "mod_revision", "value": "value", "lease": "lease"}
_RELATIONS = {"=": "EQUAL", "!=": "NOT_EQUAL", "<": "LESS", ">": "GREATER"}
T = TypeVar("T")


class EtcdKv:
    """One channel to the servers that were given; grpc goes to the next when one is gone."""

    def __init__(self, client: Any) -> None:
        self._client = client

    @classmethod
    async def open(cls, urls: Iterable[str], timeout_ms: float) -> EtcdKv:
        """Raises `EnvironmentFailed` when nobody there serves a linearizable read in time."""
        hosts = [_host(url) for url in urls]
        # `ipv4:` lets one channel have several addresses; the port is part of each.
        target, _, last = f"ipv4:{','.join(hosts)}".rpartition(":")
        client = aetcd.Client(host=target, port=int(last), timeout=cast(Any, timeout_ms / 1_000))
        kv = cls(client)
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await kv._until_it_serves()
        except TimeoutError:
            await kv.close()
            raise EnvironmentFailed(f"no etcd serves at {', '.join(hosts)}") from None
        return kv

    async def _until_it_serves(self) -> None:
        while True:
            try:
                await self._client.get(b"\0")
            except exceptions.ClientError:
                await asyncio.sleep(_RETRY_S)
            else:
                return

    # ---- reads --------------------------------------------------------------------------------------------------

    async def get(self, key: str) -> KeyValue | None:
        held = await _read(self._client.get(key.encode()))
        return None if held is None else _key_value(held)

    async def range(self, first: str, end: str | None, limit: int = 1_000) -> tuple[KeyValue, ...]:
        return (await self.txn((), (Range(first, end, limit),), reads=True)).steps[0].items  # type: ignore[union-attr]

    async def prefix(self, prefix: str, limit: int = 1_000) -> tuple[KeyValue, ...]:
        first, end = span.of_prefix(prefix)
        return await self.range(first, end, limit)

    # ---- writes -------------------------------------------------------------------------------------------------

    async def put(self, key: str, value: str, lease: int = 0) -> int:
        done = await _write(self._client.put(key.encode(), value.encode(), lease=lease or None))
        return cast(int, done.header.revision)

    async def delete(self, key: str) -> bool:
        return bool(await _write(self._client.delete(key.encode())))

    async def txn(
        self, compares: tuple[Compare, ...], then: tuple[TxnStep, ...], otherwise: tuple[TxnStep, ...] = (), *, reads: bool = False
    ) -> Txned:
        """At the stub: aetcd's own transactions have neither limits nor leases to compare, and keep revisions to themselves."""
        request = rpc.TxnRequest(
            compare=[_compare(compare) for compare in compares],
            success=[_request(step) for step in then],
            failure=[_request(step) for step in otherwise],
        )
        await self._client.connect()
        sent = self._send(self._client.kvstub.Txn, request)
        answer = await (_read(sent) if reads else _write(sent))
        return Txned(answer.succeeded, tuple(map(_answered, answer.responses)))

    # ---- leases -------------------------------------------------------------------------------------------------

    async def grant(self, ttl_ms: float) -> int:
        return cast(int, (await _write(self._client.lease(math.ceil(ttl_ms / 1_000)))).id)

    async def keep_alive(self, lease: int) -> bool:
        return bool((await _write(self._client.refresh_lease(lease))).TTL > 0)

    async def revoke(self, lease: int) -> bool:
        try:
            await _write(self._send(self._client.leasestub.LeaseRevoke, rpc.LeaseRevokeRequest(ID=lease)))
        except Refused:
            return False
        return True

    async def close(self) -> None:
        await self._client.close()

    async def _send(self, method: Any, request: Any) -> Any:
        """With aetcd's errors, so that they are told apart in one place."""
        try:
            return await method(request, timeout=self._client._timeout, metadata=self._client.metadata)
        except rpc.AioRpcError as error:
            exceptions._handle_exception(error)


async def _read(asked: Awaitable[T]) -> T:
    try:
        return await asked
    except exceptions.ClientError as error:
        raise Refused(_said(error)) from error


async def _write(asked: Awaitable[T]) -> T:
    try:
        return await asked
    except _REFUSALS as error:
        raise Refused(_said(error)) from error
    except exceptions.ClientError as error:
        # Of a lease that there is not; aetcd has no name for it, and keeps etcd's own word as the cause.
        if isinstance(error.__cause__, rpc.AioRpcError) and error.__cause__.code() == rpc.StatusCode.NOT_FOUND:
            raise Refused(_said(error)) from error
        raise Undecided(_said(error)) from error


def _said(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _host(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "etcd" or parts.hostname is None:
        raise UsageError(f"{url!r} is no address of an etcd: expected etcd://HOST:PORT")
    host = "127.0.0.1" if parts.hostname == "localhost" else parts.hostname
    return f"{host}:{parts.port or 2379}"


# ---- messages -----------------------------------------------------------------------------------------------------------


def _compare(compare: Compare) -> Any:
    operand = compare.operand.encode() if isinstance(compare.operand, str) else compare.operand
    return rpc.Compare(
        key=compare.key.encode(),
        target=getattr(rpc.Compare, _TARGETS[compare.target]),
        result=getattr(rpc.Compare, _RELATIONS[compare.relation]),
        **{_FIELDS[compare.target]: operand},
    )


def _request(step: TxnStep) -> Any:
    match step:
        case Put(key=key, value=value, lease=lease):
            return rpc.RequestOp(request_put=rpc.PutRequest(key=key.encode(), value=value.encode(), lease=lease))
        case Delete(key=key):
            return rpc.RequestOp(request_delete_range=rpc.DeleteRangeRequest(key=key.encode()))
        case DeleteRange(first=first, end=end):
            return rpc.RequestOp(request_delete_range=rpc.DeleteRangeRequest(key=first.encode(), range_end=_end(end)))
        case Range(first=first, end=end, limit=limit, revision=revision):
            asked = rpc.RangeRequest(key=first.encode(), range_end=_end(end), limit=limit, revision=revision)
            return rpc.RequestOp(request_range=asked)


def _end(end: str | None) -> bytes:
    return _END_OF_KEYS if end is None else end.encode()


def _answered(response: Any) -> Wrote | Deleted | Page:
    match response.WhichOneof("response"):
        case "response_put":
            return Wrote(response.response_put.header.revision)
        case "response_delete_range":
            return Deleted(response.response_delete_range.deleted)
        case _:
            found = response.response_range
            return Page(tuple(map(_key_value, found.kvs)), found.more, found.count)


def _key_value(held: Any) -> KeyValue:
    return KeyValue(held.key.decode(), held.value.decode(), held.create_revision, held.mod_revision, held.version, held.lease)
