"""Where proxies stand: each process is told the proxy's address for the server's, and nothing else of its URL changes."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from cluster.core.errors import UsageError
from cluster.faults import LinkFault
from scenarios.control import Order, Route
from scenarios.links import Link, Rule
from scenarios.proxies import Proxies, prepare
from scenarios.records import Params

PARAMS = Params("slug", "broken", {"far_ms": "40"}, seed=1, scale=2.0)
GROUPS = {"redis": ("redis",), "kv": ("kv1", "kv2"), "mqtt": ("mqtt",)}
URLS = {"redis": ("redis://:secret@127.0.0.1:6379/0",), "kv": ("raft://:ab@127.0.0.1:7001/n1", "raft://:ab@127.0.0.1:7002/n2")}
LINKS = (Link("w1", "payd"), Link("w1", "redis", delay_ms="far_ms", jitter_ms=1), Link("w2", "kv"), Link("w2", "mqtt"))


def proxies(stack: ExitStack, urls: dict[str, tuple[str, ...]] = URLS) -> Proxies:
    return prepare(LINKS, PARAMS, GROUPS, urls, Path("/work-dir"), stack)


def test_a_call_goes_to_the_proxys_socket_and_bytes_to_its_port() -> None:
    with ExitStack() as stack:
        found = proxies(stack)
        assert found.names == ("x1", "x2", "x3", "x4")  # nobody needs mqtt in this run
        assert found.routes("w1") == {"payd": "/work-dir/x1.sock"}
        assert found.routes("w2") == {}
        assert found.args("x1") == {
            "src": "w1", "dst": "payd", "delay_ms": 0.0, "jitter_ms": 0.0, "calls": True, "listen": "/work-dir/x1.sock",
            "target": "/work-dir/payd.sock",
        }  # fmt: skip
        assert found.args("x2") | {"listen": 0} == {
            "src": "w1", "dst": "redis", "delay_ms": 80.0, "jitter_ms": 2.0, "calls": False, "listen": 0, "target": "127.0.0.1:6379",
        }  # fmt: skip


def test_only_the_address_changes_and_only_for_who_is_behind_the_link() -> None:
    with ExitStack() as stack:
        found = proxies(stack)
        port = found.args("x2")["listen"]
        assert found.urls("w1", URLS) == {**URLS, "redis": (f"redis://:secret@127.0.0.1:{port}/0",)}
        through = [urlsplit(url) for url in found.urls("w2", URLS)["kv"]]
        assert [(url.scheme, url.password, url.path) for url in through] == [("raft", "ab", "/n1"), ("raft", "ab", "/n2")]
        assert [url.port for url in through] == [found.args(name)["listen"] for name in ("x3", "x4")]
        assert found.urls("payd", URLS) == URLS


def test_a_link_to_one_server_leaves_the_others_of_its_backend_alone() -> None:
    with ExitStack() as stack:
        found = prepare([Link("w1", "kv2")], PARAMS, GROUPS, URLS, Path("/work-dir"), stack)
        assert found.names == ("x1",)
        assert found.args("x1")["dst"] == "kv2"
        assert found.urls("w1", URLS)["kv"][0] == URLS["kv"][0]
        assert urlsplit(found.urls("w1", URLS)["kv"][1]).port == found.args("x1")["listen"]
        assert found.groups == {"kv": ("kv1", "kv2")}
        one = {"kv": ("etcd://127.0.0.1:1",)}
        with pytest.raises(UsageError, match="kv: a link of this incident leads to kv2, and there are only 1"):
            prepare([Link("w1", "kv2")], PARAMS, GROUPS, one, Path("/work-dir"), stack)


def test_of_somebody_elses_servers_there_may_be_more() -> None:
    with ExitStack() as stack:
        found = proxies(stack, {"kv": tuple(f"etcd://127.0.0.1:{port}" for port in (1, 2, 3))})
        assert found.groups == {"kv": ("kv1", "kv2", "kv3")}


def test_a_server_without_a_port_cannot_stand_behind_a_link() -> None:
    with ExitStack() as stack, pytest.raises(UsageError, match="it must be reached at HOST:PORT"):
        proxies(stack, {"redis": ("unix:///run/redis.sock",)})


def test_an_edge_sends_both_ways_and_what_is_missing_is_healthy() -> None:
    sent: list[tuple[str, Order]] = []
    with ExitStack() as stack:
        edge = proxies(stack).edges(lambda name, order: sent.append((name, order)))[1]
    cut = Rule(LinkFault("redis", "w1", cut=True))
    edge.apply(3, {("redis", "w1"): cut})
    assert sent == [("x2", Route(3, Rule(LinkFault("w1", "redis")), cut))]
