"""A client's connection: every request ends with an honest outcome, whatever the other side does."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import pytest

from cluster import wire
from cluster.core.kv.ops import Get, Put, Reply
from cluster.core.types import MS, SECOND
from cluster.node import client_port
from cluster.workload.connection import Connection
from tests.cluster.node.lab import soon
from tests.cluster.workload.shop import SECRET, Shop


async def test_pipelined_requests_get_their_own_answers(shop: Shop, client: Connection) -> None:
    asked = [asyncio.create_task(client.request(Put("k", str(n)), 10 * SECOND)) for n in range(20)]
    for token, operation in reversed(await shop.requests(20)):
        assert isinstance(operation, Put)
        shop.answer(token, Reply("ok", value=operation.value))
    assert [(await each).value for each in asked] == [str(n) for n in range(20)]


async def test_nobody_there_is_a_failure(shop: Shop) -> None:
    shop.close()
    reply = await Connection("c1", shop.port, SECRET).request(Get("k"), SECOND)
    assert reply.outcome == "fail"


async def test_a_refused_secret_is_a_failure(shop: Shop) -> None:
    reply = await Connection("c1", shop.port, b"wrong").request(Get("k"), 10 * SECOND)
    assert reply.outcome == "fail"


async def test_no_answer_in_time_is_unknown(shop: Shop, client: Connection) -> None:
    reply = await client.request(Put("k", "v"), 50 * MS)
    assert (reply.outcome, reply.error) == ("unknown", "timeout")
    # The late answer finds nobody, and the connection serves on.
    (late,) = await shop.requests(1)
    asked = asyncio.create_task(client.request(Get("k"), 10 * SECOND))
    (fresh,) = await shop.requests(1)
    shop.answer(late[0], Reply("ok", value="late"))
    shop.answer(fresh[0], Reply("ok", value="fresh"))
    assert (await asked).value == "fresh"


async def test_a_connection_lost_after_sending_is_unknown(shop: Shop, client: Connection) -> None:
    asked = asyncio.create_task(client.request(Put("k", "v"), 10 * SECOND))
    await shop.requests(1)
    shop.door.close()
    reply = await asked
    assert (reply.outcome, reply.error) == ("unknown", "connection lost")


async def test_it_connects_again_after_a_loss(shop: Shop, client: Connection) -> None:
    for _ in range(2):
        asked = asyncio.create_task(client.request(Get("k"), 10 * SECOND))
        ((token, _),) = await shop.requests(1)
        shop.answer(token, Reply("ok"))
        assert (await asked).outcome == "ok"
        shop.door.close()
        await soon(lambda: not client.connected)


async def test_a_node_that_never_greets_is_a_failure_in_time() -> None:
    """A frozen process: the kernel accepts, nobody speaks. Nothing was sent, so nothing can have happened."""
    async with silent_server(lambda reader, writer: None) as port:
        client = Connection("c1", port, SECRET)
        reply = await client.request(Put("k", "v"), 50 * MS)
        assert (reply.outcome, reply.error) == ("fail", "no connection in time")


async def test_a_node_that_speaks_nonsense_is_a_failure() -> None:
    async with silent_server(lambda reader, writer: writer.write(b"\xff" * 8)) as port:
        client = Connection("c1", port, SECRET)
        assert (await client.request(Put("k", "v"), 10 * SECOND)).outcome == "fail"


@contextlib.asynccontextmanager
async def silent_server(greet: Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]) -> AsyncIterator[int]:
    writers: list[asyncio.StreamWriter] = []

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        greet(reader, writer)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    for writer in writers:
        writer.close()
    server.close()


async def test_a_cancelled_request_leaves_nothing_behind(shop: Shop, client: Connection) -> None:
    asked = asyncio.create_task(client.request(Get("k"), 10 * SECOND))
    await shop.requests(1)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert client._wire is not None
    assert client._wire.waiting == {}


# ---- the node's side


async def test_too_many_requests_in_flight_are_refused(shop: Shop, client: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_port, "INFLIGHT_MAX", 3)
    asked = [asyncio.create_task(client.request(Get("k"), 10 * SECOND)) for _ in range(5)]
    taken = await shop.requests(3)
    shop.clients.flush()
    refused, _ = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED, timeout=10)
    for token, _ in taken:
        shop.answer(token, Reply("ok"))
    outcomes = sorted([(await each).outcome for each in asked])
    assert refused
    assert outcomes == ["fail", "fail", "ok", "ok", "ok"]


async def test_an_answer_that_fits_no_frame_is_a_failure(shop: Shop, client: Connection) -> None:
    asked = asyncio.create_task(client.request(Get("k"), 10 * SECOND))
    ((token, _),) = await shop.requests(1)
    shop.answer(token, Reply("ok", items=(("k", "v" * 5_000_000),)))
    assert (await asked).outcome == "fail"


async def test_answers_for_a_client_that_left_go_nowhere(shop: Shop, client: Connection) -> None:
    asked = asyncio.create_task(client.request(Get("k"), 10 * SECOND))
    ((token, _),) = await shop.requests(1)
    client.close()
    await asked
    await soon(lambda: not shop.clients._open)
    shop.answer(token, Reply("ok"))


async def test_a_client_that_sends_replies_is_closed(shop: Shop) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", shop.port)
    header = await reader.readexactly(4)
    greeting = wire.HANDSHAKE.decode_body(await reader.readexactly(int.from_bytes(header, "big")))
    assert isinstance(greeting, wire.Challenge)
    writer.write(wire.HANDSHAKE.encode(wire.prove(SECRET, greeting.nonce, "client", "c1", 0)))
    await reader.readexactly(1)
    writer.write(wire.CLIENT.encode(wire.ClientReply(1, Reply("ok"))))
    async with asyncio.timeout(10):
        await reader.read()
    assert shop.complaints.counts["garbage"] == 1
    writer.close()
