"""The port over our own Raft group: the same checks as etcd, and what only a group of our own can be asked for."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cluster.backends.etcd.port import Refused
from cluster.backends.etcd.raft import RaftKv, url_of
from cluster.core.errors import UsageError
from cluster.faults import LinkFault
from tests.cluster.backends.etcd.checks import CHECKS
from tests.cluster.backends.etcd.group import Running

pytestmark = [pytest.mark.processes, pytest.mark.timeout(120)]


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    running = Running(tmp_path)
    await running.open()
    yield running
    running.close()


@pytest.fixture
async def kv(running: Running) -> AsyncIterator[RaftKv]:
    kv = RaftKv(running.group.urls, "c", random.Random(1), timeout_ms=20_000)
    yield kv
    await kv.close()


async def test_it_does_what_the_port_says(kv: RaftKv) -> None:
    for check in CHECKS.values():
        await check(kv)


async def test_a_leader_that_is_killed_is_followed_by_another_and_comes_back(running: Running, kv: RaftKv) -> None:
    await kv.put("before", "x")
    (leader,) = running.group.resolve("leader")
    assert set(running.group.resolve("followers")) == set(running.names) - {leader}
    running.kill(leader)
    with pytest.raises(UsageError):
        running.group.resolve("leader")
    await running.until(lambda: _leader(running) not in ("", leader))
    held = await kv.get("before")
    assert held is not None
    running.start(leader)
    await running.group.answers(leader)
    assert leader in running.group.resolve("followers")


async def test_a_paused_node_has_no_role(running: Running) -> None:
    (leader,) = running.group.resolve("leader")
    running.pause(leader)
    assert _leader(running) != leader
    running.resume(leader)


async def test_a_cut_leader_loses_its_office_and_heals(running: Running, kv: RaftKv) -> None:
    (leader,) = running.group.resolve("leader")
    others = [name for name in running.names if name != leader]
    cut = [(leader, other) for other in others] + [(other, leader) for other in others]
    await running.group.apply((*(LinkFault(a, b, cut=True) for a, b in cut), LinkFault("w1", leader, cut=True)))
    await running.until(lambda: _leader(running) not in ("", leader))
    await kv.put("during", "x")
    alone = RaftKv([url for url in running.group.urls if url.endswith(f"/n{leader[2:]}")], "alone", random.Random(1), timeout_ms=600)
    with pytest.raises(Refused):
        await alone.get("during")
    await alone.close()
    await running.group.apply(())
    await running.group.answers(leader)


async def test_a_slow_link_is_in_force_when_apply_returns(running: Running) -> None:
    pairs = [(a, b) for a in running.names for b in running.names if a != b]
    await running.group.apply(tuple(LinkFault(a, b, delay_us=40_000, jitter_us=10_000) for a, b in pairs))
    confirmed = {process: fields["version"] for process, event, fields in running.traced if event == "raft.plan"}
    assert set(confirmed) == set(running.names)
    assert len(set(confirmed.values())) == 1


async def test_a_group_that_runs_goes_by_another_policy(tmp_path: Path) -> None:
    """A leader that is alone and need not look for its quorum stays; told to look, it steps down."""
    running = Running(tmp_path, options={"policy": {"check_quorum": "off"}})
    try:
        await running.open()
        (leader,) = running.group.resolve("leader")
        alone = tuple(LinkFault(a, b, cut=True) for a in running.names for b in running.names if leader in (a, b) and a != b)
        await running.group.apply(alone)
        await running.until(lambda: _leader(running) not in ("", leader))
        assert running.roles(leader)[-1] == "leader"
        running.group.retune({"policy": {"check_quorum": "on"}})
        await running.until(lambda: running.roles(leader)[-1] == "follower")
    finally:
        running.close()


async def test_a_group_that_is_not_there_is_refused_in_time() -> None:
    kv = RaftKv([url_of("n1", 1, b"s")], "c", random.Random(1), timeout_ms=100)
    with pytest.raises(Refused, match="nobody served it within 100 ms"):
        await kv.put("a", "b")
    await kv.close()


def _leader(running: Running) -> str:
    try:
        return running.group.resolve("leader")[0]
    except UsageError:
        return ""
