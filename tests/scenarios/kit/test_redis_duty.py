"""Duty on a primary and its replica, for real: one at a time while there is one primary, two with the same token once there are two."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from cluster.backends.redis.client import RedisPort
from scenarios.kit.redis_duty import NoPrimary, RedisDuty
from tests.cluster.backends.redis.pairs import Pair

pytestmark = pytest.mark.processes

LONG_MS = 600_000
NOBODY = "redis://127.0.0.1:1/0"


@pytest.fixture
async def urls(tmp_path: Path) -> AsyncIterator[tuple[str, ...]]:
    pair = Pair(tmp_path)
    pair.start()
    await pair.answers()
    yield pair.group.urls
    pair.close()


@pytest.fixture
async def duty() -> AsyncIterator[Callable[..., RedisDuty]]:
    made: list[RedisDuty] = []

    def make(*urls: str, replicated: bool = False) -> RedisDuty:
        made.append(RedisDuty(urls, "run:", replicated=replicated))
        return made[-1]

    yield make
    for one in made:
        await one.close()


async def test_one_is_on_duty_and_the_book_is_everybodys(urls: tuple[str, ...], duty: Callable[..., RedisDuty]) -> None:
    first, second = duty(*urls), duty(*reversed(urls))  # whoever is asked first: the replica says that it is none
    assert await first.acquire("s1", LONG_MS) == 1
    assert await second.acquire("s2", LONG_MS) is None
    assert await second.holder() == "s1"
    assert not await second.extend("s2", LONG_MS)
    assert await first.extend("s1", LONG_MS)
    await first.record("tick@1")
    assert await second.recorded() == {"tick@1"}
    assert await first.release("s1")
    assert await second.acquire("s2", LONG_MS) == 2


async def test_two_primaries_hand_out_the_same_token(urls: tuple[str, ...], duty: Callable[..., RedisDuty]) -> None:
    # Until the replica has it, it is nobody's: so that what follows is about the cut and not about the lag.
    assert await duty(*urls, replicated=True).acquire("s1", 1) == 1
    replica = RedisPort(urls[1])
    await replica.promote()
    await replica.close()
    here, there = duty(urls[0], NOBODY), duty(NOBODY, urls[1])
    tokens = []
    for side, owner in ((here, "s2"), (there, "s3")):
        while (token := await side.acquire(owner, LONG_MS)) is None:
            pass  # the first one's millisecond
        tokens.append(token)
    assert tokens == [2, 2]
    assert (await here.holder(), await there.holder()) == ("s2", "s3")


async def test_what_must_be_replicated_and_is_not_is_given_back(urls: tuple[str, ...], duty: Callable[..., RedisDuty]) -> None:
    replica = RedisPort(urls[1])
    await replica.promote()
    await replica.close()
    careful = duty(urls[0], replicated=True)
    assert await careful.acquire("s1", LONG_MS) is None
    assert await careful.holder() is None


async def test_nobody_who_is_a_primary_is_no_answer(duty: Callable[..., RedisDuty]) -> None:
    with pytest.raises(NoPrimary):
        await duty(NOBODY).acquire("s1", LONG_MS)
