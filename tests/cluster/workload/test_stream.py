"""A watch through a real port: batches and their acknowledgements, and every way to end."""

from __future__ import annotations

import asyncio

import pytest

from cluster.core.errors import ProtocolError
from cluster.core.kv.ops import SLOW_WATCHER, Acknowledge, Changes, Get, KeyValue, Operation, Reply, Unwatch, Watch
from cluster.core.kv.watch import CREDIT
from cluster.core.types import MS, SECOND
from cluster.workload.connection import Connection
from cluster.workload.stream import Stream
from tests.cluster.workload.shop import Shop


def batch(*values: str) -> Reply:
    return Reply("ok", revision=9, body=Changes(tuple(KeyValue("k", value, 1, 9, 1) for value in values)))


async def watched(shop: Shop, client: Connection) -> tuple[Stream, int]:
    """A watch that stands, and the node's token of it."""
    stream = await client.watch(Watch("k"), 10 * SECOND)
    ((token, operation),) = await shop.requests(1)
    assert operation == Watch("k")
    shop.answer(token, batch(), more=True)
    assert (await anext(stream)).body == Changes(())
    return stream, token


async def ended(stream: Stream) -> Reply:
    async with asyncio.timeout(10):
        assert [reply async for reply in stream] == []
    assert stream.end is not None
    return stream.end


async def test_batches_come_in_order_and_are_acknowledged_when_the_next_is_wanted(shop: Shop, client: Connection) -> None:
    stream, token = await watched(shop, client)
    shop.answer(token, batch("1", "2"), more=True)
    shop.answer(token, batch("3"), more=True)
    first = await anext(stream)
    assert len(shop.inbox) == 0
    second = await anext(stream)
    assert [reply.body for reply in (first, second)] == [batch("1", "2").body, batch("3").body]
    ((about, operation),) = await shop.requests(1)
    assert (about, type(operation)) == (token, Acknowledge)


async def test_other_requests_go_on_beside_a_watch(shop: Shop, client: Connection) -> None:
    stream, token = await watched(shop, client)
    asked = asyncio.create_task(client.request(Get("k"), 10 * SECOND))
    ((other, _),) = await shop.requests(1)
    shop.answer(token, batch("1"), more=True)
    shop.answer(other, Reply("ok", value="v"))
    assert (await asked).value == "v"
    assert (await anext(stream)).body == batch("1").body


async def test_the_nodes_reason_is_the_last_word(shop: Shop, client: Connection) -> None:
    stream, token = await watched(shop, client)
    shop.answer(token, Reply("fail", error=SLOW_WATCHER))
    assert (await ended(stream)).error == SLOW_WATCHER
    assert shop.clients._open == {}
    stream.close()
    assert len(shop.inbox) == 0


async def test_closing_asks_once_and_waits_for_the_end(shop: Shop, client: Connection) -> None:
    stream, token = await watched(shop, client)
    stream.close()
    stream.close()
    ((about, operation),) = await shop.requests(1)
    assert (about, type(operation)) == (token, Unwatch)
    shop.answer(token, Reply("ok"))
    assert (await ended(stream)).outcome == "ok"


async def test_a_lost_connection_ends_it_as_unknown_after_what_had_arrived(shop: Shop, client: Connection) -> None:
    stream, token = await watched(shop, client)
    shop.answer(token, batch("1"), more=True)
    assert (await anext(stream)).body == batch("1").body
    shop.door.close()
    assert (await ended(stream)).outcome == "unknown"


async def test_without_a_connection_there_is_only_an_end(shop: Shop) -> None:
    shop.close()
    stream = await Connection("c1", shop.port, b"any").watch(Watch("k"), 50 * MS)
    assert (await ended(stream)).outcome == "unknown"


async def test_the_node_forgets_the_watches_of_a_client_that_left(shop: Shop, client: Connection) -> None:
    _, token = await watched(shop, client)
    client.close()
    ((about, operation),) = await shop.requests(1)
    assert (about, type(operation)) == (token, Unwatch)


async def test_a_watch_keeps_its_request_id_until_it_has_ended(shop: Shop, client: Connection) -> None:
    _, token = await watched(shop, client)
    (session,) = {id(session): session for session, _ in shop.clients._open.values()}.values()
    (request_id,) = session.watches
    assert client._wire is not None
    client._next_id = request_id - 1
    asked = asyncio.create_task(client.request(Get("k"), 10 * SECOND))
    while not asked.done():
        shop.clients.flush()
        await asyncio.sleep(0)
    assert "open watch" in (await asked).error
    assert token in shop.clients._open


async def test_orders_about_no_watch_are_ignored(shop: Shop, client: Connection) -> None:
    stream, _ = await watched(shop, client)
    sent: list[Operation] = [Acknowledge(77), Unwatch(77)]
    assert client._wire is not None
    for operation in sent:
        client._wire._send(1, operation)
    stream.close()
    assert [type(operation) for _, operation in await shop.requests(1)] == [Unwatch]


async def test_a_node_that_sends_more_than_was_acknowledged_is_refused() -> None:
    stream = Stream(1, lambda operation: None)
    for _ in range(CREDIT + 1):  # the first one is the notice that the watch stands
        stream.feed(batch("v"))
    with pytest.raises(ProtocolError):
        stream.feed(batch("v"))
    assert not stream.feed(Reply("unknown", error="connection lost"))  # there is always room for the end
