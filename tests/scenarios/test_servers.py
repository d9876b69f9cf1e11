"""Servers by backend and by role, what a URL in their place must be, and link faults as an edge of a group."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from pathlib import Path

import pytest

from cluster.backends.etcd.embedded import SCHEMES, RaftGroup
from cluster.backends.group import KINDS, Group, kind_of
from cluster.core.errors import EnvironmentFailed, UsageError
from cluster.faults import LinkFault
from scenarios.backends import Backend
from scenarios.links import Rule
from scenarios.records import Params
from scenarios.servers import PeerLinks, Servers, check_urls, prepare
from tests.cluster.backends.etcd.real import ETCD

PARAMS = Params("slug", "broken", {"election_ms": "50", "lock": "raft"}, seed=3, scale=2.0)
KV = Backend(use="x", kind="etcd", count=3, timers_ms={"election": "$election_ms", "heartbeat": 20})


def prepared(tmp_path: Path, stack: ExitStack, **backends: Backend) -> Servers:
    return prepare(backends, PARAMS, {}, tmp_path, lambda process, event, fields: None, stack)


def test_a_group_is_numbered_and_its_words_mean_its_servers(tmp_path: Path) -> None:
    with ExitStack() as stack:
        servers = prepared(tmp_path, stack, kv=KV)
        assert servers.names == ("kv1", "kv2", "kv3")
        assert servers.resolve("kv") == servers.names
        assert servers.resolve("kv2") == ("kv2",)
        assert servers.resolve("w1") == ("w1",)
        with pytest.raises(UsageError, match=r"zz\.leader: this run has no servers 'zz' of its own"):
            servers.resolve("zz.leader")
        (edge,) = servers.edges
        assert edge.pairs == {(a, b) for a in servers.names for b in servers.names if a != b}


def test_timers_follow_toggles_and_scale(tmp_path: Path) -> None:
    with ExitStack() as stack:
        servers = prepared(tmp_path, stack, kv=KV)
        group = servers._groups["kv"]
        assert isinstance(group, RaftGroup)
        assert group._policy.raft.election_min_us == 100_000
        assert group._policy.raft.heartbeat_us == 40_000


def test_a_toggle_that_is_turned_reaches_the_group_that_hangs_on_it(tmp_path: Path) -> None:
    with ExitStack() as stack:
        servers = prepared(tmp_path, stack, kv=KV)
        group = servers._groups["kv"]
        assert isinstance(group, RaftGroup)
        servers.turn({**PARAMS.toggles, "lock": "redis"})
        assert group._policy.raft.election_min_us == 100_000
        servers.turn({**PARAMS.toggles, "election_ms": "150"})
        assert group._policy.raft.election_min_us == 300_000


def test_a_backend_that_the_toggles_do_not_need_has_no_servers(tmp_path: Path) -> None:
    with ExitStack() as stack:
        assert prepared(tmp_path, stack, kv=Backend(use="x", kind="etcd", when="lock=redis")).names == ()


@pytest.mark.parametrize(
    ("urls", "said"),
    [
        ({"kv": ("redis://h:1",)}, f"--backend kv: expected a URL that begins with {SCHEMES[0]}, or etcd"),
        ({"kv": ("etcd", "etcd")}, f"--backend kv: expected a URL that begins with {SCHEMES[0]}, or etcd"),
        ({"kw": ("etcd://h:1",)}, "slug has no backend 'kw' (did you mean 'kv'?); it has kv"),
    ],
)
def test_a_url_that_cannot_stand_in_is_told(urls: dict[str, tuple[str, ...]], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_urls({"kv": KV}, urls, "slug")
    assert str(caught.value) == said


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_is_a_module_of_its_form(kind: str) -> None:
    module = kind_of(kind)
    assert module.SCHEMES
    assert module.PACKAGES
    assert module.PRELOADS
    assert callable(module.prepare)


@pytest.mark.skipif(ETCD is None, reason="no etcd on the path")
def test_a_program_stands_in_with_processes_of_the_same_names(tmp_path: Path) -> None:
    with ExitStack() as stack:
        servers = prepare({"kv": KV}, PARAMS, {"kv": ("etcd",)}, tmp_path, lambda process, event, fields: None, stack)
        assert servers.names == ("kv1", "kv2", "kv3")
        assert [url.partition(":")[0] for url in servers.urls["kv"]] == ["etcd"] * 3
        assert servers.edges == ()
        with pytest.raises(UsageError, match="servers of this kind have no role 'leader'"):
            servers.resolve("kv.leader")


class Peers(Group):
    """`refuses`: its servers do not confirm."""

    def __init__(self, *, refuses: bool = False) -> None:
        self.applied: list[tuple[LinkFault, ...]] = []
        self.refuses = refuses

    async def apply(self, links: tuple[LinkFault, ...]) -> None:
        self.applied.append(links)
        if self.refuses:
            raise EnvironmentFailed("kv1 did not put it in force")


@pytest.mark.parametrize("refuses", [False, True])
async def test_an_edge_says_when_its_servers_act_by_a_rule_or_that_they_do_not(refuses: bool) -> None:
    peers = Peers(refuses=refuses)
    edge = PeerLinks("kv", peers, ("kv1", "kv2"))
    applied: list[tuple[str, int]] = []
    failed: list[str] = []
    cut = LinkFault("kv1", "kv2", cut=True)
    async with asyncio.TaskGroup() as tasks:
        edge.begin(tasks, lambda name, version: applied.append((name, version)), failed.append)
        edge.apply(4, {("kv1", "kv2"): Rule(cut)})
    assert peers.applied == [(cut,)]
    assert (applied, failed) == (([], ["kv1 did not put it in force"]) if refuses else ([("kv", 4)], []))
