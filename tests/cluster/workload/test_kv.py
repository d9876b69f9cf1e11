"""The client that programs use, at a port whose node the test plays: what it calls certain, and what it goes on with."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator

import pytest

from cluster.core.kv.ops import (
    COMPACTED,
    NO_LEASE,
    NO_SESSION,
    Acknowledge,
    Changes,
    Grant,
    InSession,
    KeepAlive,
    KeyValue,
    Leased,
    Opened,
    OpenSession,
    Operation,
    Put,
    Reply,
    Unwatch,
    Watch,
)
from cluster.core.policy import ClientPolicy
from cluster.core.types import MS, SECOND
from cluster.workload.kv import KeyValueClient, LeaseLost, WatchEnded
from cluster.workload.route import Route
from tests.cluster.workload.shop import SECRET, Shop

SAFE, BLIND = ClientPolicy(attempts=3), ClientPolicy(retry_without_session=True)
PUT = Put("k", "v")
LOST = Reply("unknown", error="connection lost")


@pytest.fixture
async def route(shop: Shop) -> AsyncIterator[Route]:
    route = Route("c1", {"n1": shop.port}, ("n1",), SECRET, random.Random(1))
    yield route
    route.close()


async def play(shop: Shop, asked: asyncio.Task[tuple[Reply, str]], *answers: Reply) -> list[Operation]:
    """Answer one request after the other, or hang up instead, then wait for the client's verdict."""
    heard = []
    for answer in answers:
        ((token, operation),) = await shop.requests(1)
        heard.append(operation)
        if answer is LOST:
            shop.door.close()
        else:
            shop.answer(token, answer)
    await asked
    return heard


def writing(route: Route, policy: ClientPolicy) -> asyncio.Task[tuple[Reply, str]]:
    return asyncio.create_task(KeyValueClient(route, policy, 10 * SECOND).write(PUT))


OPENED = Reply("ok", body=Opened(7))


async def test_by_default_a_write_is_sent_once_and_bare(shop: Shop, route: Route) -> None:
    asked = writing(route, ClientPolicy())
    assert await play(shop, asked, LOST) == [PUT]
    assert (await asked)[0].outcome == "unknown"


async def test_a_lost_answer_is_asked_for_again_under_the_same_number(shop: Shop, route: Route) -> None:
    asked = writing(route, SAFE)
    heard = await play(shop, asked, OPENED, LOST, Reply("ok", revision=5))
    assert heard == [OpenSession(), InSession(7, 1, 1, PUT), InSession(7, 1, 1, PUT)]
    assert (await asked)[0] == Reply("ok", revision=5)


async def test_after_an_unknown_outcome_a_refusal_says_nothing_about_the_first_attempt(shop: Shop, route: Route) -> None:
    asked = writing(route, SAFE)
    await play(shop, asked, OPENED, LOST, Reply("fail", error="overloaded"), Reply("fail", error="overloaded"))
    assert (await asked)[0].outcome == "unknown"


async def test_after_an_unknown_outcome_the_stores_own_failure_is_certain(shop: Shop, route: Route) -> None:
    asked = writing(route, SAFE)
    await play(shop, asked, OPENED, LOST, Reply("fail", revision=5, error=NO_LEASE))
    assert (await asked)[0].outcome == "fail"


async def test_refusals_alone_stay_certain_and_are_asked_again(shop: Shop, route: Route) -> None:
    asked = writing(route, SAFE)
    await play(shop, asked, OPENED, *[Reply("fail", error="overloaded")] * 3)
    assert (await asked)[0] == Reply("fail", error="overloaded")


async def test_what_the_store_refuses_is_not_asked_again(shop: Shop, route: Route) -> None:
    asked = writing(route, SAFE)
    await play(shop, asked, OPENED, Reply("fail", revision=5, error=NO_LEASE))
    assert (await asked)[0].error == NO_LEASE


async def test_a_session_that_had_expired_is_replaced_before_the_write_is_sent_again(shop: Shop, route: Route) -> None:
    asked = writing(route, SAFE)
    gone = Reply("unknown", error=NO_SESSION)
    heard = await play(shop, asked, OPENED, gone, Reply("ok", body=Opened(9)), Reply("ok", revision=5))
    assert heard[-1] == InSession(9, 1, 1, PUT)
    assert (await asked)[0].outcome == "ok"


async def test_a_session_that_expires_between_two_attempts_leaves_the_outcome_unknown(shop: Shop, route: Route) -> None:
    asked = writing(route, SAFE)
    await play(shop, asked, OPENED, LOST, Reply("unknown", error=NO_SESSION))
    assert (await asked)[0].outcome == "unknown"


async def test_without_a_session_nothing_is_sent(shop: Shop, route: Route) -> None:
    asked = writing(route, SAFE)
    assert await play(shop, asked, Reply("fail", error="not leader")) == [OpenSession()]
    assert (await asked)[0].outcome == "fail"


async def test_the_mistake_sends_the_bare_write_again_and_believes_every_answer(shop: Shop, route: Route) -> None:
    asked = writing(route, BLIND)
    assert await play(shop, asked, LOST, Reply("fail", error="overloaded")) == [PUT, PUT]
    assert (await asked)[0].outcome == "fail"


# ---- leases


async def test_a_lease_is_kept_until_the_store_no_longer_knows_it(shop: Shop, route: Route) -> None:
    client = KeyValueClient(route)
    granting = asyncio.create_task(client.grant(1_200 * MS))
    ((token, operation),) = await shop.requests(1)
    assert operation == Grant(1_200 * MS)
    shop.answer(token, Reply("ok", revision=1, body=Leased(4, 1_200 * MS, 1_200 * MS)))
    lease = await granting
    assert 0 < lease.left_us <= 1_200 * MS
    keeping = asyncio.create_task(lease.keep())
    for reply in (Reply("ok", revision=1), Reply("fail", revision=1, error=NO_LEASE)):
        ((token, operation),) = await shop.requests(1)
        assert operation == KeepAlive(4)
        shop.answer(token, reply)
    with pytest.raises(LeaseLost, match=NO_LEASE):
        await keeping


async def test_a_lease_that_nobody_renews_in_time_is_lost_to_its_holder_first(shop: Shop, route: Route) -> None:
    client = KeyValueClient(route, timeout_us=50 * MS)
    granting = asyncio.create_task(client.grant(150 * MS))
    ((token, _),) = await shop.requests(1)
    shop.answer(token, Reply("ok", body=Leased(4, 150 * MS, 150 * MS)))
    lease = await granting
    with pytest.raises(LeaseLost):
        await lease.keep()
    assert lease.left_us == 0


async def test_a_lease_that_is_refused_is_said_to_be(shop: Shop, route: Route) -> None:
    granting = asyncio.create_task(KeyValueClient(route).grant(SECOND))
    ((token, _),) = await shop.requests(1)
    shop.answer(token, Reply("fail", error="not a voter"))
    with pytest.raises(LeaseLost, match="not a voter"):
        await granting


# ---- watches


def changes(revision: int, *keys: str) -> Reply:
    return Reply("ok", revision=revision, body=Changes(tuple(KeyValue(key, "v", 1, revision, 1) for key in keys)))


async def next_watch(shop: Shop) -> tuple[int, Watch]:
    while True:
        ((token, operation),) = await shop.requests(1)
        if isinstance(operation, Watch):
            return token, operation
        assert isinstance(operation, (Acknowledge, Unwatch))


async def test_a_watch_goes_on_where_it_was_lost_in_the_middle_of_a_revision(shop: Shop, route: Route) -> None:
    watch = KeyValueClient(route).watch("a", "z")
    first = asyncio.ensure_future(anext(watch))  # type: ignore[arg-type]
    token, asked = await next_watch(shop)
    assert asked == Watch("a", "z", 0)
    shop.answer(token, changes(4), more=True)
    shop.answer(token, changes(6, "b"), more=True)
    assert (await first).key == "b"
    shop.door.close()
    second = asyncio.ensure_future(anext(watch))  # type: ignore[arg-type]
    token, asked = await next_watch(shop)
    assert asked == Watch("a", "z", 6)
    shop.answer(token, changes(6), more=True)
    shop.answer(token, changes(6, "b", "c"), more=True)
    assert (await second).key == "c"
    await watch.aclose()  # type: ignore[attr-defined]


async def test_a_watch_that_saw_nothing_yet_misses_nothing_either(shop: Shop, route: Route) -> None:
    watch = KeyValueClient(route).watch("a", "z")
    first = asyncio.ensure_future(anext(watch))  # type: ignore[arg-type]
    token, _ = await next_watch(shop)
    shop.answer(token, changes(4), more=True)
    shop.door.close()
    _, asked = await next_watch(shop)
    assert asked.revision in (0, 5)  # 0 only if the notice itself was lost
    first.cancel()


async def test_a_definite_end_is_raised(shop: Shop, route: Route) -> None:
    watch = KeyValueClient(route).watch("a", "z", 1)
    first = asyncio.ensure_future(anext(watch))  # type: ignore[arg-type]
    token, _ = await next_watch(shop)
    shop.answer(token, Reply("fail", error=COMPACTED))
    with pytest.raises(WatchEnded, match=COMPACTED):
        await first
