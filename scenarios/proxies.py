"""The proxies of one run: where each listens, whom it leads to, and which process is sent through which.

Law 1: a process and a server know nothing of it: the process is told the proxy's address for the server's.
Law 2: a link to a backend that this run's toggles do not need has no proxy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

import msgspec

from cluster.core.errors import UsageError
from cluster.faults import LinkFault
from cluster.supervisor import ports
from scenarios.control import Order, Route
from scenarios.links import Link, Pair, Proxied, Rule, backend_of, proxied
from scenarios.parts import length_ms
from scenarios.records import Params

APP = "kit.proxy"
Groups = Mapping[str, tuple[str, ...]]


class Proxy(msgspec.Struct, frozen=True):
    """`url`: by which its process reaches it in the place of the server's own; "" where it reaches another process."""

    one: Proxied
    args: dict[str, Any]
    url: str = ""


class Proxies:
    """In the order of their names."""

    def __init__(self, proxies: Iterable[Proxy], groups: Groups) -> None:
        self._proxies = {proxy.one.name: proxy for proxy in proxies}
        self._groups = groups

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._proxies)

    @property
    def groups(self) -> dict[str, tuple[str, ...]]:
        """Backend -> the names of its servers, as links call them: of somebody else's there may be more or fewer than in the card."""
        behind = {proxy.one.backend for proxy in self._proxies.values()}
        return {name: servers for name, servers in self._groups.items() if name in behind}

    @property
    def streams(self) -> frozenset[Pair]:
        """Links that carry bytes, not our own calls."""
        return frozenset(pair for proxy in self._proxies.values() if not proxy.args["calls"] for pair in proxy.one.pairs)

    @property
    def calls(self) -> frozenset[Pair]:
        """(caller, called) of the links that carry our own calls."""
        return frozenset((proxy.one.src, proxy.one.dst) for proxy in self._proxies.values() if proxy.args["calls"])

    def args(self, name: str) -> dict[str, Any]:
        return self._proxies[name].args

    def routes(self, process: str) -> dict[str, str]:
        """Other processes -> the sockets at which this one reaches them."""
        own = (proxy for proxy in self._proxies.values() if proxy.one.src == process and not proxy.url)
        return {proxy.one.dst: proxy.args["listen"] for proxy in own}

    def urls(self, process: str, urls: Groups) -> dict[str, tuple[str, ...]]:
        """Where this process finds each backend."""
        found = {name: list(given) for name, given in urls.items()}
        for proxy in self._proxies.values():
            if proxy.one.src == process and proxy.url:
                found[proxy.one.backend][proxy.one.rank] = proxy.url
        return {name: tuple(given) for name, given in found.items()}

    def edges(self, order: Callable[[str, Order], None]) -> tuple[ProxyEdge, ...]:
        return tuple(ProxyEdge(proxy.one, order) for proxy in self._proxies.values())


class ProxyEdge:
    """Where a timeline's link faults act; the proxy answers with `Routed`."""

    def __init__(self, one: Proxied, order: Callable[[str, Order], None]) -> None:
        self.name = one.name
        self.pairs = one.pairs
        self._ways: tuple[Pair, Pair] = ((one.src, one.dst), (one.dst, one.src))
        self._order = order

    def apply(self, version: int, rules: Mapping[Pair, Rule]) -> None:
        there, back = (rules.get(pair) or Rule(LinkFault(*pair)) for pair in self._ways)
        self._order(self.name, Route(version, there, back))


def prepare(links: Iterable[Link], params: Params, groups: Groups, urls: Groups, work: Path, stack: ExitStack) -> Proxies:
    """`groups`: backend -> names of its servers, `urls`: where those are, both of what the run needs alone."""
    wanted = [link for link in links if backend_of(link.dst, groups) in {"", *urls}]
    there = {name: _numbered(name, groups[name], urls[name]) for name in urls}
    for link in wanted:
        if (backend := backend_of(link.dst, groups)) and not backend_of(link.dst, there):
            raise UsageError(f"{backend}: a link of this incident leads to {link.dst}, and there are only {len(urls[backend])}")
    ends = proxied(wanted, there)
    foreign = [one for one in ends if one.backend]
    allocated = ports.allocate(len(foreign)) if foreign else None
    if allocated is not None:
        stack.callback(allocated.close)
    ports_of = dict(zip((one.name for one in foreign), allocated.ports if allocated else (), strict=True))
    return Proxies((_proxy(one, ports_of, urls, params, work) for one in ends), there)


def _numbered(name: str, servers: tuple[str, ...], urls: tuple[str, ...]) -> tuple[str, ...]:
    """Somebody else's servers may be more or fewer than a card has."""
    return servers if len(servers) == len(urls) else tuple(f"{name}{i}" for i in range(1, len(urls) + 1))


def _proxy(one: Proxied, ports_of: Mapping[str, int], urls: Groups, params: Params, work: Path) -> Proxy:
    delay_ms, jitter_ms = (length_ms(length, params.toggles, params.scale) for length in (one.link.delay_ms, one.link.jitter_ms))
    args: dict[str, Any] = {"src": one.src, "dst": one.dst, "delay_ms": delay_ms, "jitter_ms": jitter_ms}
    if not one.backend:
        return Proxy(one, {**args, "calls": True, "listen": str(work / f"{one.name}.sock"), "target": str(work / f"{one.dst}.sock")})
    port, target = ports_of[one.name], urlsplit(urls[one.backend][one.rank])
    if target.port is None:
        raise UsageError(f"{target.geturl()}: a link of this incident leads there, so it must be reached at HOST:PORT")
    return Proxy(one, {**args, "calls": False, "listen": port, "target": f"{target.hostname}:{target.port}"}, _through(target, port))


def _through(target: SplitResult, port: int) -> str:
    """The same URL with the proxy's address."""
    credentials, at, _ = target.netloc.rpartition("@")
    return target._replace(netloc=f"{credentials}{at}127.0.0.1:{port}").geturl()
