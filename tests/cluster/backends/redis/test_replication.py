"""A primary and its replica, for real: what one writes the other has, later or never; promoted, it goes its own way."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from cluster.backends.group import Ask
from cluster.backends.redis.client import RedisPort
from cluster.backends.redis.embedded import Server, prepare
from tests.cluster.backends.redis.pairs import Pair

pytestmark = [pytest.mark.processes, pytest.mark.timeout(60)]

SET = "return redis.call('set', KEYS[1], ARGV[1])"


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[tuple[RedisPort, RedisPort]]:
    pair = Pair(tmp_path)
    pair.start()
    await pair.answers()
    first, second = (RedisPort(url) for url in pair.group.urls)
    yield first, second
    await first.close()
    await second.close()
    pair.close()


async def test_what_the_primary_writes_the_replica_gets(pair: tuple[RedisPort, RedisPort]) -> None:
    first, second = pair
    assert (await first.primary(), await second.primary()) == (True, False)
    assert await first.script_on_replicas(SET, ("k",), "v", replicas=1, timeout_ms=20_000) == ("OK", 1)
    assert await second.get("k") == "v"


async def test_a_promoted_replica_and_its_primary_know_nothing_of_each_other(pair: tuple[RedisPort, RedisPort]) -> None:
    first, second = pair
    await second.promote()
    assert (await first.primary(), await second.primary()) == (True, True)
    await second.script(SET, ("k",), "theirs")
    _, replicas = await first.script_on_replicas(SET, ("k",), "ours", replicas=1, timeout_ms=1)
    assert replicas == 0
    assert (await first.get("k"), await second.get("k")) == ("ours", "theirs")


def test_who_is_told_of_a_proxy_follows_through_it(tmp_path: Path) -> None:
    group = prepare(Ask(("redis1", "redis2"), (7001, 7002), tmp_path, seed=1, options={"replicate": True}), lambda *_: None)
    through = "redis://:x@127.0.0.1:7099/0"
    assert msgspec.msgpack.decode(group.launch("redis2", (through,)).payload, type=Server).primary == through
    assert msgspec.msgpack.decode(group.launch("redis1", (through,)).payload, type=Server).primary == ""
