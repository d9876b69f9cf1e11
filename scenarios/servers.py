"""The servers of one run: prepared before anything is forked, started by the stage, waited for, restarted and given back.

Law 1: a backend that was given by URL has no servers here; one that was given by the name of a program has that one's.
Law 2: every server is told apart by its process name; which kind it is, only its group knows.
"""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from itertools import islice
from pathlib import Path

from cluster.backends.group import STAND_INS, Ask, Group, Launch, Trace, kind_of
from cluster.commands.words import did_you_mean
from cluster.core.errors import EnvironmentFailed, UsageError
from cluster.faults import LinkFault
from cluster.supervisor import ports
from cluster.supervisor.zygote import Report
from scenarios.backends import Backend, needed, options, server_names
from scenarios.links import Pair, Rule
from scenarios.records import Params

Urls = Mapping[str, tuple[str, ...]]


def check_urls(backends: Mapping[str, Backend], urls: Urls, slug: str) -> None:
    """Raises `UsageError` for a backend that the incident does not have. One that a run's toggles do not need is not used."""
    for name, given in urls.items():
        if name not in backends:
            known = ", ".join(backends) or "none"
            raise UsageError(f"{slug} has no backend {name!r}{did_you_mean(name, backends)}; it has {known}")
        if program_of(backends[name], given):
            continue
        schemes = kind_of(backends[name].kind).SCHEMES
        if not all(url.startswith(schemes) for url in given):
            programs = "".join(f", or {program}" for program in STAND_INS.get(backends[name].kind, ()))
            raise UsageError(f"--backend {name}: expected a URL that begins with {' or '.join(schemes)}{programs}")
        # Members of a group tell a client of each other; of servers that share nothing it must know every one.
        if backends[name].kind != "etcd" and len(given) != backends[name].count:
            raise UsageError(f"--backend {name}: expected {backends[name].count} URLs with commas between them, not {len(given)}")


def program_of(backend: Backend, given: tuple[str, ...]) -> str:
    """Of `--backend kv=etcd`: the program that is to be the run's own server. "" for URLs."""
    return given[0] if len(given) == 1 and given[0] in STAND_INS.get(backend.kind, ()) else ""


def preloads(backends: Mapping[str, Backend]) -> tuple[str, ...]:
    """Modules that are slow to import, loaded once for all processes. A kind whose client must not be forked names none."""
    return tuple(dict.fromkeys(module for backend in backends.values() for module in kind_of(backend.kind).PRELOADS))


class PeerLinks:
    """The links between the servers of one group, as an edge of the run (`scenarios.edges`): the servers break them themselves."""

    def __init__(self, name: str, group: Group, servers: tuple[str, ...]) -> None:
        self.name = name
        self.pairs = frozenset((a, b) for a in servers for b in servers if a != b)
        self._group = group
        self._tasks: asyncio.TaskGroup
        self._applied: Callable[[str, int], None]
        self._failed: Callable[[str], None]

    def begin(self, tasks: asyncio.TaskGroup, applied: Callable[[str, int], None], failed: Callable[[str], None]) -> None:
        """Before the first rule. `applied(name, version)` when all servers act by it, `failed(why)` if they never did."""
        self._tasks, self._applied, self._failed = tasks, applied, failed

    def apply(self, version: int, rules: Mapping[Pair, Rule]) -> None:
        self._tasks.create_task(self._apply(version, tuple(rule.fault for _, rule in sorted(rules.items()))))

    async def _apply(self, version: int, links: tuple[LinkFault, ...]) -> None:
        try:
            await self._group.apply(links)
        except EnvironmentFailed as error:
            self._failed(str(error))
        else:
            self._applied(self.name, version)


class Servers:
    """`urls`: backend -> where it is, for all of them, the given ones too. The rest is of those that this run has for itself."""

    def __init__(self, groups: dict[str, Group], cards: Mapping[str, Backend], toggles: Mapping[str, str], given: Urls) -> None:
        self._groups = groups
        self._cards = cards
        self._options = {name: options(cards[name], toggles) for name in groups}
        self._backends = {server: name for name in groups for server in server_names(name, cards[name])}  # process -> backend
        self.edges = tuple(PeerLinks(name, group, self._of(name)) for name, group in groups.items() if group.breaks_links)
        self.urls = {**{name: group.urls for name, group in groups.items()}, **given}

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._backends)

    async def open(self) -> None:
        for group in self._groups.values():
            await group.open()

    def launch(self, name: str, urls: Urls) -> Launch:
        """`urls`: where this server finds the backends, proxies in between."""
        return self._groups[self._backends[name]].launch(name, urls[self._backends[name]])

    async def answers(self, name: str) -> None:
        await self._groups[self._backends[name]].answers(name)

    def turn(self, toggles: Mapping[str, str]) -> None:
        """The run's toggles are these now: those groups whose options hang on one that has changed are told."""
        for name, group in self._groups.items():
            now = options(self._cards[name], toggles)
            if now != self._options[name]:
                self._options[name] = now
                group.retune(now)

    def heard(self, report: Report) -> None:
        if report.name in self._backends:
            self._groups[self._backends[report.name]].heard(report)

    def resolve(self, target: str) -> tuple[str, ...]:
        """`kv.leader` -> the processes that it means now; `kv`: all of them; a process is itself. Raises `UsageError` for nobody's role."""
        name, dot, role = target.partition(".")
        if not dot:
            return self._of(target) or (target,)
        if name not in self._groups:
            raise UsageError(f"{target}: this run has no servers {name!r} of its own{did_you_mean(name, self._groups)}")
        return self._groups[name].resolve(role)

    def _of(self, backend: str) -> tuple[str, ...]:
        return tuple(server for server, owner in self._backends.items() if owner == backend)

    def close(self) -> None:
        for group in self._groups.values():
            group.close()


def prepare(backends: Mapping[str, Backend], params: Params, given: Urls, work: Path, trace: Trace, stack: ExitStack) -> Servers:
    """What a run with these toggles needs: ports, folders, configuration. Raises `EnvironmentFailed` with what is missing."""
    wanted = needed(backends, params.toggles)
    _check_packages(wanted, given)
    programs = {name: program_of(backend, given.get(name, ())) for name, backend in wanted.items()}
    own = {name: backend for name, backend in wanted.items() if name not in given or programs[name]}
    kinds = {name: kind_of(backend.kind, programs[name]) for name, backend in own.items()}
    allocated = ports.allocate(sum(backend.count * kinds[name].PORTS_EACH for name, backend in own.items()))
    stack.callback(allocated.close)
    free = iter(allocated.ports)
    groups: dict[str, Group] = {}
    for number, (name, backend) in enumerate(own.items()):
        (work / name).mkdir(mode=0o700)
        names = server_names(name, backend)
        ask = Ask(
            names=names, ports=tuple(islice(free, len(names) * kinds[name].PORTS_EACH)), folder=work / name,
            seed=params.seed * 31 + number, scale=params.scale, options=options(backend, params.toggles),
        )  # fmt: skip
        groups[name] = kinds[name].prepare(ask, trace)
    return Servers(groups, own, params.toggles, {name: urls for name, urls in given.items() if name in wanted and name not in own})


def _check_packages(wanted: Mapping[str, Backend], given: Urls) -> None:
    for name, backend in wanted.items():
        # Our own group needs nothing; a client of somebody else's servers is a package.
        for package in kind_of(backend.kind).PACKAGES if backend.kind != "etcd" or name in given else ():
            if importlib.util.find_spec(package) is None:
                raise EnvironmentFailed(f"this incident needs the package {package}: install faultline with its extra 'incidents'")
