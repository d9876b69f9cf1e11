"""`incident.toml` as structs: everything declarative of an incident, checked before anything starts.

Law 1: a wrong field is one line that names the file, the key and what was expected there.
Law 2: what one part says of another (a fault of a process, an argument of a toggle) is checked here too, so a run never stumbles on it.
Law 3: broken and canonical differ in the values of toggles and in nothing else.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

import msgspec

from cluster.commands.words import did_you_mean
from cluster.core.errors import UsageError
from scenarios import viewing
from scenarios.backends import Backend, backend_faults, replicas, server_names
from scenarios.faults import Fault, Known, fault_faults
from scenarios.links import PROXY_PREFIX, Link
from scenarios.parts import NAME, Part, find_on, length_faults
from scenarios.viewing import View, Window

Variant = Literal["broken", "canonical"]
Mechanism = Literal["selection", "agreement", "assignment", "suppression", "aggregation", "convergence"]
PEERS = ("etcd",)  # kinds of backends whose servers are our own Raft group, unless they are somebody else's
_PROXY = re.compile(rf"{PROXY_PREFIX}\d+\Z")
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\Z")


class Head(Part, frozen=True):
    """`duration_s`: after that the run is over whatever its clients say. `alone`: its timers are too tight for another run beside it.

    `exact_scale`: what all durations must be multiplied by to be the report's own; 1 where they are, or where it gives none.
    """

    slug: str
    n: int
    title: str
    family: str
    mechanism: Mechanism
    duration_s: float
    summary: str
    alone: bool = False
    exact_scale: float = 1.0


class SeedRow(Part, frozen=True):
    """The incident as it was reported, word for word: situation, task, action, result, patterns, cures, sources."""

    issue: str
    situation: str
    task: str
    action: str
    result: str
    patterns: tuple[str, ...]
    canonical: tuple[str, ...]
    real_world: tuple[str, ...]


class Proc(Part, frozen=True):
    """One process. `$name` in `args` is a toggle's value, `$workload` what the generator made. Numbers named `_ms` follow the scale.

    `calm`: arguments in the place of those that bring the trouble about, where it is growth or a burst and no fault: for a run without.
    """

    name: str
    app: str
    args: dict[str, Any] = msgspec.field(default_factory=dict)
    calm: dict[str, Any] = msgspec.field(default_factory=dict)
    client: bool = False  # the run is over when all clients are done
    start_on: str = ""  # "trace:EVENT@PROCESS"; otherwise before the start
    when: str = ""  # "TOGGLE=VALUE", the only case in which it is there; otherwise always


class Toggle(Part, frozen=True):
    """`patterns` and `cures`: which words of the seed's row it stands for. `refused`: values that are known and cannot be had, and why.

    `hot`: it can be changed while the run goes on (`set NAME VALUE`). Then whoever acts by it asks `process.toggle(name)` each time;
    an argument (`args = { x = "$name" }`) is read once, at the start, and makes a toggle that is not hot.
    """

    name: str
    values: tuple[str, ...]
    broken: str
    canonical: str
    help: str
    hot: bool = False
    patterns: tuple[str, ...] = ()
    cures: tuple[str, ...] = ()
    refused: dict[str, str] = msgspec.field(default_factory=dict)


class Conflict(Part, frozen=True):
    """Toggles that make no sense together, and why."""

    toggles: dict[str, str]
    why: str


class Rule(Part, frozen=True):
    """`at_least`: as many violations the broken variant must show; fewer, and something other than the incident happened."""

    bad: str
    at_least: int
    max_violations: int = 0


class Observable(Part, frozen=True):
    view: Literal["topology", "raft", "phi", "gossip", "ledger", "metrics", "events"]
    what: str


class Drill(Part, frozen=True, kw_only=True):
    alerts: tuple[str, ...]
    wrong: tuple[str, ...]
    right: str
    right_actions: tuple[str, ...]
    relieving: tuple[str, ...] = ()
    harmful: tuple[str, ...] = ()
    telltale: str
    hints: tuple[str, str, str]
    lesson: str
    reference: str
    par_detect_s: float
    par_recover_s: float


class Card(Part, frozen=True, kw_only=True):
    """The whole file."""

    scenario: Head
    seed: SeedRow
    proc: tuple[Proc, ...]
    backend: dict[str, Backend] = msgspec.field(default_factory=dict)
    link: tuple[Link, ...] = ()
    toggle: tuple[Toggle, ...]
    conflict: tuple[Conflict, ...] = ()
    fault: tuple[Fault, ...] = ()
    verdict: Rule
    observable: tuple[Observable, ...] = ()
    view: View = View()
    window: Window | None = None
    erratum: tuple[str, ...] = ()
    drill: Drill

    @property
    def slug(self) -> str:
        return self.scenario.slug

    def toggles(self, variant: str) -> dict[str, str]:
        return {toggle.name: getattr(toggle, variant) for toggle in self.toggle}

    @property
    def settings(self) -> frozenset[str]:
        """Every TOGGLE=VALUE that there can be."""
        return frozenset(f"{toggle.name}={value}" for toggle in self.toggle for value in toggle.values)


class Metamorphic(Part, frozen=True, kw_only=True):
    """A case that follows from the mechanism: with these toggles on top of `base`, the verdict must be this, with at least `min_v`."""

    name: str
    overrides: dict[str, str]
    expect: Literal["PASS", "FAIL"]
    why: str
    base: Variant = "broken"
    min_v: int = 0


# ------------------------------------------------------------------------------------------------------------- reading


def read_card(text: str, file: str) -> Card:
    """Raises `UsageError` with every fault of the file that can be told at once, one a line."""
    try:
        card = msgspec.convert(tomllib.loads(text), Card)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{file}: {error}") from None
    except msgspec.ValidationError as error:
        raise UsageError(f"{file}: {_said(str(error))}") from None
    if faults := list(_faults(card)):
        raise UsageError("\n".join(f"{file}: {fault}" for fault in faults))
    return card


def _said(error: str) -> str:
    """msgspec's "Expected `int`, got `str` - at `$.toggle[0].name`" with the key first."""
    what, _, at = error.partition(" - at `$")
    return f"{at.removesuffix('`').removeprefix('.') or 'the file'}: {what[0].lower()}{what[1:]}"


def _faults(card: Card) -> Iterator[str]:
    if not _SLUG.match(card.slug):
        yield f"scenario.slug: {card.slug!r} is not words of a-z and 0-9 joined by '-'"
    if not 0 < card.scenario.duration_s <= 600:
        yield "scenario.duration_s: expected more than 0 and at most 600"
    if not 0.1 <= card.scenario.exact_scale <= 100:
        yield "scenario.exact_scale: expected 0.1 to 100"
    yield from _twice("proc", (proc.name for proc in card.proc))
    yield from _twice("toggle", (toggle.name for toggle in card.toggle))
    for i, toggle in enumerate(card.toggle):
        yield from _toggle_faults(f"toggle[{i}]", toggle, card.seed)
    yield from _setting_faults(card)
    processes = {proc.name: proc for proc in card.proc}
    for i, proc in enumerate(card.proc):
        yield from _proc_faults(f"proc[{i}]", proc, card, processes)
    for i, link in enumerate(card.link):
        yield from _link_faults(f"link[{i}]", link, card, processes)
    yield from _twice("link", (f"{link.src} > {link.dst}" for link in card.link))
    yield from viewing.faults(card.view, card.window, tuple(processes))
    known = _known(card)
    for i, fault in enumerate(card.fault):
        yield from fault_faults(f"fault[{i}]", fault, known)


def _known(card: Card) -> Known:
    return Known(
        processes=frozenset(proc.name for proc in card.proc),
        groups={name: server_names(name, backend) for name, backend in card.backend.items()},
        peers=frozenset(name for name, backend in card.backend.items() if backend.kind in PEERS),
        links=card.link,
        toggles=frozenset(toggle.name for toggle in card.toggle),
        settings=card.settings,
        alike=frozenset(toggle.name for toggle in card.toggle if toggle.broken == toggle.canonical),
    )


def _twice(part: str, names: Iterable[str]) -> Iterator[str]:
    seen: dict[str, int] = {}
    for i, name in enumerate(names):
        if name in seen:
            yield f"{part}[{i}].name: {name!r} is the name of {part}[{seen[name]}] already"
        seen.setdefault(name, i)


def _toggle_faults(key: str, toggle: Toggle, seed: SeedRow) -> Iterator[str]:
    for variant in ("broken", "canonical"):
        if getattr(toggle, variant) not in toggle.values:
            yield f"{key}.{variant}: {getattr(toggle, variant)!r} is not one of {', '.join(toggle.values)}"
    for value in toggle.refused:
        if value in toggle.values:
            yield f"{key}.refused: {value!r} is among the values that can be had"
    for field, known in (("patterns", seed.patterns), ("cures", seed.canonical)):
        for text in getattr(toggle, field):
            if text not in known:
                yield f"{key}.{field}: {text!r} is not among the seed's{did_you_mean(text, known)}"


def _setting_faults(card: Card) -> Iterator[str]:
    """Of backends and conflicts: what they say of toggles."""
    known = card.settings
    yield from backend_faults(card.backend, {toggle.name: toggle.values for toggle in card.toggle}, {proc.name for proc in card.proc})
    for i, conflict in enumerate(card.conflict):
        for setting in (f"{name}={value}" for name, value in conflict.toggles.items()):
            if setting not in known:
                yield f"conflict[{i}].toggles: {setting!r} is not TOGGLE=VALUE of this file{did_you_mean(setting, known)}"


def _proc_faults(key: str, proc: Proc, card: Card, processes: Mapping[str, Proc]) -> Iterator[str]:
    if not NAME.match(proc.name):
        yield f"{key}.name: {proc.name!r} is not a letter followed by at most 11 letters and digits"
    if card.link and _PROXY.match(proc.name):
        yield f"{key}.name: {proc.name!r} is the name of a proxy"
    known = {f"{toggle.name}={value}" for toggle in card.toggle for value in toggle.values}
    if proc.when and proc.when not in known:
        yield f"{key}.when: {proc.when!r} is not TOGGLE=VALUE of this file{did_you_mean(proc.when, known)}"
    toggles = card.toggles("broken")
    hot = {toggle.name for toggle in card.toggle if toggle.hot}
    for name, value in proc.args.items():
        if isinstance(value, str) and value.startswith("$") and value[1:] not in toggles and value != "$workload":
            yield f"{key}.args.{name}: {value!r} is neither $workload nor a toggle{did_you_mean(value[1:], toggles)}"
        if isinstance(value, str) and value[1:] in hot and value.startswith("$"):
            yield f"{key}.args.{name}: {value[1:]} is hot, and an argument is read once: use process.toggle"
    for name in proc.calm.keys() - proc.args.keys():
        yield f"{key}.calm.{name}: not among the args that it stands for{did_you_mean(name, proc.args)}"
    if proc.start_on:
        on = find_on(proc.start_on)
        if on is None or on.kind != "trace" or on.process not in processes or on.process == proc.name:
            yield f"{key}.start_on: expected 'trace:EVENT@PROCESS' with another process of this file, not {proc.start_on!r}"


def _link_faults(key: str, link: Link, card: Card, processes: Mapping[str, Proc]) -> Iterator[str]:
    followers = {server for name, backend in card.backend.items() for server in replicas(name, backend)}
    if link.src not in {*processes, *followers}:
        yield f"{key}.src: there is no process {link.src!r}{did_you_mean(link.src, processes)}"
    known = (*processes, *card.backend, *(server for name, backend in card.backend.items() for server in server_names(name, backend)))
    if link.dst == link.src or link.dst not in known:
        yield f"{key}.dst: expected another process, a backend or a server of this file, not {link.dst!r}{did_you_mean(link.dst, known)}"
    for name in ("delay_ms", "jitter_ms"):
        yield from length_faults(f"{key}.{name}", getattr(link, name), card.toggles("broken"))


# ------------------------------------------------------------------------------------------------------------- meaning


def arguments(proc: Proc, toggles: Mapping[str, str], workload: Any, scale: float) -> dict[str, Any]:
    """What a process is started with: toggles filled in, durations scaled."""
    found = {}
    for name, value in proc.args.items():
        if value == "$workload":
            value = workload
        elif isinstance(value, str) and value.startswith("$"):
            value = toggles[value[1:]]
        found[name] = float(value) * scale if name.endswith("_ms") else value
    return found


def present(card: Card, toggles: Mapping[str, str]) -> Card:
    """Only the processes that a run with these toggles has."""
    settings = {f"{name}={value}" for name, value in toggles.items()}
    return msgspec.structs.replace(card, proc=tuple(proc for proc in card.proc if proc.when in {"", *settings}))


def calmed(card: Card) -> Card:
    """The same incident without its faults, and without what stands for them where there are none."""
    procs = tuple(msgspec.structs.replace(proc, args=proc.args | proc.calm) for proc in card.proc)
    return msgspec.structs.replace(card, fault=(), proc=procs)


def choose(card: Card, variant: str, settings: Iterable[str]) -> dict[str, str]:
    """The toggles of a run: the variant's, with `name=value` settings on top. Raises `UsageError` in one clear line."""
    toggles = card.toggles(variant)
    by_name = {toggle.name: toggle for toggle in card.toggle}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals:
            raise UsageError(f"--set {setting}: expected TOGGLE=VALUE")
        if name not in by_name:
            raise UsageError(f"{card.slug} has no toggle {name!r}{did_you_mean(name, by_name)}; it has {', '.join(by_name)}")
        toggle = by_name[name]
        if value in toggle.refused:
            raise UsageError(f"{name}={value} cannot be had: {toggle.refused[value]}")
        if value not in toggle.values:
            raise UsageError(f"{name}={value}: expected one of {', '.join(toggle.values)}{did_you_mean(value, toggle.values)}")
        toggles[name] = value
    for conflict in card.conflict:
        if conflict.toggles.items() <= toggles.items():
            raise UsageError(f"{' with '.join(f'{name}={value}' for name, value in conflict.toggles.items())}: {conflict.why}")
    return toggles


def alone(card: Card) -> dict[str, str]:
    """Every setting by which a run can differ from the broken variant in one toggle -> why it cannot be had alone; empty if it can."""
    found = {}
    for setting in (f"{toggle.name}={value}" for toggle in card.toggle for value in toggle.values if value != toggle.broken):
        try:
            choose(card, "broken", [setting])
            found[setting] = ""
        except UsageError as error:
            found[setting] = str(error)
    return found


def turned(card: Card, toggles: Mapping[str, str], name: str, value: str) -> dict[str, str]:
    """The toggles of a run that goes on, with a hot one changed. Raises `UsageError` in one clear line."""
    after = choose(card, "broken", (f"{other}={now}" for other, now in {**toggles, name: value}.items()))
    if not next(toggle for toggle in card.toggle if toggle.name == name).hot:
        warm = ", ".join(toggle.name for toggle in card.toggle if toggle.hot) or "none"
        raise UsageError(f"{name} cannot be changed while the run goes on; what can: {warm}")
    return after


def holds(when: str, toggles: Mapping[str, str]) -> bool:
    """Whether "TOGGLE=VALUE" is so; nothing at all always is."""
    name, _, value = when.partition("=")
    return not when or toggles[name] == value
