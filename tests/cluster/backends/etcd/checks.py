"""What every adapter of the port must do, against a server that runs. The same for our own group and for etcd.

`python -m tests.cluster.backends.etcd.checks NAME etcd://HOST:PORT` does one in a process of its own: grpc must not be loaded in one
that goes on to fork.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable

from cluster.backends.etcd.port import Compare, Deleted, DeleteRange, Kv, Page, Put, Range, Refused, Wrote


async def put_get_delete(kv: Kv) -> None:
    assert await kv.get("a/none") is None
    first = await kv.put("a/1", "one")
    second = await kv.put("a/1", "ein")
    assert second == first + 1
    held = await kv.get("a/1")
    assert held is not None
    assert (held.value, held.create_revision, held.mod_revision, held.version) == ("ein", first, second, 2)
    assert await kv.delete("a/1")
    assert not await kv.delete("a/1")
    assert await kv.get("a/1") is None


async def ranges_are_in_order_and_end(kv: Kv) -> None:
    for key in ("b/2", "b/1", "b/3", "c/1"):
        await kv.put(key, key.upper())
    assert [held.key for held in await kv.prefix("b/")] == ["b/1", "b/2", "b/3"]
    assert [held.key for held in await kv.range("b/2", "c/2")] == ["b/2", "b/3", "c/1"]
    assert [held.key for held in await kv.range("b/2", None, limit=2)] == ["b/2", "b/3"]


async def a_transaction_compares_and_takes_one_branch(kv: Kv) -> None:
    absent = Compare("d/1", "create", "=", 0)
    made = await kv.txn((absent,), (Put("d/1", "x"),), (Range("d/1", "d/2"),))
    assert made.succeeded
    (wrote,) = made.steps
    assert isinstance(wrote, Wrote)
    held = await kv.get("d/1")
    assert held is not None
    assert held.create_revision == wrote.revision > 0
    found = await kv.txn((absent,), (Put("d/1", "y"),), (Range("d/1", "d/2"),))
    assert not found.succeeded
    (page,) = found.steps
    assert isinstance(page, Page)
    assert [(item.key, item.value) for item in page.items] == [("d/1", "x")]
    for compare in (
        Compare("d/1", "value", "=", "x"), Compare("d/1", "version", "=", 1), Compare("d/1", "mod", "=", wrote.revision),
        Compare("d/1", "create", "<", wrote.revision + 1), Compare("d/1", "value", "!=", "y"),
    ):  # fmt: skip
        assert (await kv.txn((compare,), ())).succeeded, compare
    gone = await kv.txn((), (DeleteRange("d/", "d0"),))
    assert gone.steps == (Deleted(1),)


async def a_revoked_lease_takes_its_keys(kv: Kv) -> None:
    lease = await kv.grant(60_000)
    await kv.put("e/1", "leased", lease)
    await kv.put("e/2", "free")
    held = await kv.get("e/1")
    assert held is not None
    assert held.lease == lease
    assert await kv.keep_alive(lease)
    assert await kv.revoke(lease)
    assert not await kv.revoke(lease)
    assert not await kv.keep_alive(lease)
    assert [held.key for held in await kv.prefix("e/")] == ["e/2"]


async def a_lease_that_nobody_keeps_expires(kv: Kv) -> None:
    lease = await kv.grant(300)
    await kv.put("f/1", "leased", lease)
    async with asyncio.timeout(30):
        while await kv.get("f/1") is not None:  # without a rest: time has to pass for a leader that has none, too
            pass
    assert not await kv.keep_alive(lease)


async def what_it_refuses_is_definite(kv: Kv) -> None:
    try:
        await kv.put("g/1", "x", lease=12_345)
    except Refused:
        assert await kv.get("g/1") is None
        return
    raise AssertionError("a key was bound to a lease that there is not")


CHECKS: dict[str, Callable[[Kv], Awaitable[None]]] = {
    check.__name__: check
    for check in (
        put_get_delete, ranges_are_in_order_and_end, a_transaction_compares_and_takes_one_branch, a_revoked_lease_takes_its_keys,
        a_lease_that_nobody_keeps_expires, what_it_refuses_is_definite,
    )
}  # fmt: skip


async def _main(name: str, url: str) -> None:
    from cluster.backends.etcd.foreign import EtcdKv

    kv = await EtcdKv.open([url], 5_000)
    await CHECKS[name](kv)
    await kv.close()


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
