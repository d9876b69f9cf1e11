"""The faults of a card: when each step begins, what it does to whom, and when it is undone.

Law 1: a step begins at a failpoint (the process does it to itself on that very line), on hearing of an event, or at a time; exactly one.
Law 2: a field that its verb does not use is refused: it would be a wish that nobody grants.
Law 3: a step may hang on a toggle only if both variants set it alike: broken and canonical run the same faults.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, get_args

import msgspec

from cluster.commands.words import did_you_mean
from scenarios.links import Link, breakable, pairs_of, proxied, read_sides, read_way
from scenarios.parts import Length, Part, find_on, length_faults

Verb = Literal[
    "pause", "kill", "term", "restart", "delay",  # of a process
    "cut", "slow", "loss", "reset", "drop_response", "hold_response",  # of links
]  # fmt: skip
ON_LINKS: tuple[Verb, ...] = ("cut", "slow", "loss", "reset", "drop_response", "hold_response")
ON_ANSWERS: tuple[Verb, ...] = ("drop_response", "hold_response")
_SIGNALLED: tuple[Verb, ...] = ("pause", "kill", "term")
AT_FAILPOINTS: tuple[Verb, ...] = ("pause", "kill", "term", "delay")
# Verb -> fields that it cannot do without, fields that it may have besides.
_FIELDS: dict[Verb, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "pause": (("ms",), ("hold", "where", "hits")),
    "kill": ((), ("ms", "hold", "where", "hits")),
    "term": ((), ("ms", "hold", "where", "hits")),
    "restart": ((), ()),
    "delay": (("ms",), ("where", "hits")),
    "cut": ((), ("ms",)),
    "slow": (("delay_ms",), ("jitter_ms", "ms")),
    "loss": (("percent",), ("ms",)),
    "reset": ((), ("ms",)),
    "drop_response": (("where",), ("method", "hits")),
    "hold_response": (("where", "ms"), ("method", "hits")),
}
_OPTIONAL = ("ms", "hold", "where", "method", "hits", "delay_ms", "jitter_ms", "percent")
_EXPECTED = {
    "ms": "a number, a toggle named _ms, or 'TOGGLE * NUMBER'",
    "delay_ms": "a number, a toggle named _ms, or 'TOGGLE * NUMBER'",
    "percent": "more than 0 and at most 100",
    "where": "{ FIELD = [VALUES] }",
}


class Fault(Part, frozen=True, kw_only=True):
    """One step.

    `on`: "failpoint:NAME@PROCESS" or "trace:EVENT@PROCESS", its `nth` time, counted over restarts; `at_ms` counts from the start of the
    workload, and 0 means in force before it. `after_ms`: that much later than the event.

    `ms`: when it is undone (continued, restarted, healed); of an answer or a delay, how long it lasts. A process that is killed without
    it stays dead, a link that is cut without it stays so.

    `target`: a process or server, or a role of a group (`kv.leader`), computed when the step begins. Links: "A B | C D" (between the
    groups, both ways) or "A > B" (one way).

    `where`: one field and its values: what a call or a failpoint must carry. `hits`: how often, for each value.
    `hold`: those who reach the failpoint before the nth wait there for it: all of them (true), or so many (a number).
    `when`: "TOGGLE=VALUE", the only case in which it happens.
    """

    do: Verb
    target: str
    on: str = ""
    at_ms: Length | None = None
    after_ms: Length = 0
    ms: Length = ""
    nth: int = 1
    hold: bool | int = False
    where: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    method: str = ""
    hits: int = 1
    delay_ms: Length = ""
    jitter_ms: Length = ""
    percent: float = 0.0
    when: str = ""
    why: str = ""


_BARE = Fault(do="restart", target="")


class Known(msgspec.Struct, frozen=True):
    """What faults may speak of. `groups`: backend -> its servers; `alike`: the settings of toggles that both variants share."""

    processes: frozenset[str]
    groups: Mapping[str, tuple[str, ...]]
    peers: frozenset[str]  # the groups whose servers talk to each other over links that we can break
    links: tuple[Link, ...]
    toggles: frozenset[str]
    settings: frozenset[str]
    alike: frozenset[str]

    @property
    def names(self) -> frozenset[str]:
        return self.processes | {server for servers in self.groups.values() for server in servers}


def failpoints_of(faults: Iterable[Fault]) -> tuple[str, ...]:
    """ "pay.before_charge@w1": all at which some step waits, whatever the toggles."""
    ons = [fault.on.removeprefix("failpoint:") for fault in faults if fault.on.startswith("failpoint:")]
    return tuple(dict.fromkeys(ons))


def fault_faults(key: str, fault: Fault, known: Known) -> Iterator[str]:
    """What is wrong with a step, each in one line that begins with its key."""
    yield from _moment_faults(key, fault, known)
    yield from _field_faults(key, fault)
    for name in ("at_ms", "after_ms", "ms", "delay_ms", "jitter_ms"):
        length = getattr(fault, name)
        if length is not None:
            yield from length_faults(f"{key}.{name}", length, known.toggles)
    if fault.do in ON_LINKS:
        yield from _link_faults(f"{key}.target", fault, known)
    elif (unknown := _unknown(fault.target, known)) is not None:
        yield f"{key}.target: {unknown}"
    if fault.when and fault.when not in known.settings:
        yield f"{key}.when: {fault.when!r} is not TOGGLE=VALUE of this file{did_you_mean(fault.when, known.settings)}"
    elif fault.when and fault.when.partition("=")[0] not in known.alike:
        yield f"{key}.when: {fault.when.partition('=')[0]!r} differs between the variants, which must have the same faults"


def _moment_faults(key: str, fault: Fault, known: Known) -> Iterator[str]:
    on = find_on(fault.on)
    if bool(fault.on) == (fault.at_ms is not None):
        yield f"{key}: expected either `on` or `at_ms`"
    elif fault.on and (on is None or on.process not in known.processes):
        yield f"{key}.on: expected 'failpoint:NAME@PROCESS' or 'trace:EVENT@PROCESS' with a process of this file, not {fault.on!r}"
    at_failpoint = on is not None and on.kind == "failpoint"
    if on is not None and at_failpoint and fault.do in AT_FAILPOINTS and on.process != fault.target:
        yield f"{key}.target: at a failpoint a process acts on itself, so expected {on.process!r}"
    if at_failpoint and fault.do not in AT_FAILPOINTS:
        yield f"{key}.on: no process does {fault.do} to itself; expected 'trace:EVENT@PROCESS' (a failpoint is traced too) or `at_ms`"
    if at_failpoint and fault.after_ms:
        yield f"{key}.after_ms: at a failpoint there is no later"
    if not at_failpoint and fault.do == "delay":
        yield f"{key}.on: only a failpoint can delay"
    if not at_failpoint and fault.hold:
        yield f"{key}.hold: only a failpoint can hold"
    if not 0 <= fault.hold < fault.nth and fault.hold is not True:
        yield f"{key}.hold: expected true, or fewer than the {fault.nth} of nth"
    if not at_failpoint and fault.where and fault.do not in ON_ANSWERS:
        yield f"{key}.where: only a failpoint, or a call, carries fields"
    for name, floor in (("nth", fault.nth), ("hits", fault.hits)):
        if floor < 1:
            yield f"{key}.{name}: expected 1 or more"


def _field_faults(key: str, fault: Fault) -> Iterator[str]:
    needed, allowed = _FIELDS[fault.do]
    for name in _OPTIONAL:
        given = getattr(fault, name) != getattr(_BARE, name)
        if name in needed and not given:
            yield f"{key}.{name}: {fault.do} needs it: expected {_EXPECTED[name]}"
        elif given and name not in (*needed, *allowed):
            yield f"{key}.{name}: {fault.do} has no use for it"
    if fault.where and (len(fault.where) != 1 or not all(fault.where.values())):
        yield f"{key}.where: expected one field with at least one value"
    if fault.where and fault.nth > 1:
        yield f"{key}.nth: the values of `where` say which; expected 1"
    if fault.do in _SIGNALLED and fault.where and (fault.hits, *map(len, fault.where.values())) != (1, 1):
        yield f"{key}.where: expected one value: {fault.do} happens once"
    if not 0 <= fault.percent <= 100:
        yield f"{key}.percent: expected 0 to 100"


def _link_faults(key: str, fault: Fault, known: Known) -> Iterator[str]:
    sides = read_sides(fault.target)
    if sides is None:
        yield f"{key}: expected links, 'A B | C D' or 'A > B', not {fault.target!r}"
        return
    for word in (word for group in sides.groups for word in group):
        if (unknown := _unknown(word, known)) is not None:
            yield f"{key}: {unknown}"
            return
    proxies = proxied(known.links, known.groups)
    lie_across = pairs_of(sides, lambda word: known.groups.get(word.partition(".")[0], (word,)))
    if fault.do in ON_ANSWERS and read_way(fault.target) not in {(one.src, one.dst) for one in proxies if one.dst in known.processes}:
        yield f"{key}: {fault.do} wants a [[link]] of this file between two processes, 'CALLER > CALLED', not {fault.target!r}"
    elif lie_across.isdisjoint(breakable(known.links, known.groups, known.peers)):
        yield f"{key}: nothing that can be broken runs there: expected a [[link]] of this file, or servers of one Raft group"
    elif fault.do == "loss" and any(one.pairs & lie_across for one in proxies if one.dst not in known.processes):
        yield f"{key}: a stream of bytes loses nothing; cut, slow or reset it"


def _unknown(target: str, known: Known) -> str | None:
    """Why nobody is meant by it. A role (`kv.leader`) is some group's."""
    whom, dot, _ = target.partition(".")
    if whom in known.groups or (whom in known.names and not dot):
        return None
    return f"there is no process {target!r}{did_you_mean(whom, (*known.names, *known.groups))}"


assert set(_FIELDS) == set(get_args(Verb))
