"""Links of a run, the words for them, and what the faults in force make of each: pure.

A link is a pair of names, one way. Bytes cross it in a proxy (between a process and a server that is not ours, or between two processes
that call each other) or straight between the servers of one Raft group.

Law 1: `in_force` is all there is to it: the same standing faults give the same rule for every link, in any order.
Law 2: rules compose as those of the live cluster do: cuts by union, losses as independent chances, delays by sum.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec

from cluster.faults import LinkFault, compose_links
from scenarios.parts import Length, Part

Pair = tuple[str, str]  # source, target
_WORD = re.compile(r"[a-z][a-z0-9]*(?:\.[a-z]+(?:[+.]\d+)?)?\Z")
PROXY_PREFIX = "x"
STANDS = "proxy.stands"  # what a proxy traces first: between whom


class Link(Part, frozen=True):
    """A proxy between `src`, a process, and `dst`, a process, a backend (one for each of its servers) or one server: neither of them knows.

    `delay_ms`: how far apart they are. `src` may be a replica, and `dst` its primary: what it replicates comes that way.
    """

    src: str
    dst: str
    delay_ms: Length = 0
    jitter_ms: Length = 0


class Sides(msgspec.Struct, frozen=True):
    """`A B | C D`, taken apart; `one_way` for `A > B`."""

    groups: tuple[tuple[str, ...], ...]
    one_way: bool


# ------------------------------------------------------------------------------------------------------------- targets


def read_sides(target: str) -> Sides | None:
    """None when it is no such thing."""
    one_way = ">" in target
    groups = tuple(tuple(part.split()) for part in target.split(">" if one_way else "|"))
    good = len(groups) == 2 if one_way else len(groups) >= 2
    names = [name for group in groups for name in group]
    if not good or not all(groups) or not all(map(_WORD.match, names)) or len(set(names)) < len(names):
        return None
    return Sides(groups, one_way)


def read_way(target: str) -> Pair | None:
    """`A > B` with one name on either side."""
    sides = read_sides(target)
    if sides is None or not sides.one_way or any(len(group) != 1 for group in sides.groups):
        return None
    return sides.groups[0][0], sides.groups[1][0]


def pairs_of(sides: Sides, members: Callable[[str], Iterable[str]]) -> frozenset[Pair]:
    """Every pair that lies across. `members`: who a word stands for just now."""
    groups = [{name for word in group for name in members(word)} for group in sides.groups]
    ahead = {(a, b) for i, left in enumerate(groups) for right in groups[i + 1 :] for a in left for b in right if a != b}
    return frozenset(ahead if sides.one_way else ahead | {(b, a) for a, b in ahead})


# --------------------------------------------------------------------------------------------------------------- rules


class AnswerFault(msgspec.Struct, frozen=True, array_like=True):
    """Answers to calls whose `field` is one of `values`: so many for each value are eaten, or held for `hold_ms`. `method` "": of any.

    `field` "", with the value "": of any call.
    """

    step: int
    field: str
    values: tuple[str, ...]
    hits: int
    method: str = ""
    hold_ms: float | None = None


class Rule(msgspec.Struct, frozen=True, array_like=True):
    """What is to become of one link, one way. `refused`: who connects is turned away. `resets`: how often it was torn down so far."""

    fault: LinkFault
    answers: tuple[AnswerFault, ...] = ()
    refused: bool = False
    resets: int = 0


class Standing(msgspec.Struct, frozen=True):
    """A step on links that has begun and is not over, with this run's numbers."""

    step: int
    do: str
    pairs: frozenset[Pair]
    delay_ms: float = 0.0
    jitter_ms: float = 0.0
    percent: float = 0.0
    answers: AnswerFault | None = None


def in_force(standing: Iterable[Standing], resets: Mapping[Pair, int]) -> dict[Pair, Rule]:
    """The rule of every link that is not healthy (law 1). `resets`: of all steps there ever were."""
    rules = {pair: _torn(pair, count) for pair, count in resets.items()}
    for step in sorted(standing, key=lambda step: step.step):
        for pair in step.pairs:
            rule = rules.get(pair) or Rule(LinkFault(*pair))
            rules[pair] = Rule(
                fault=compose_links(rule.fault, _fault(step, pair)),
                answers=(*rule.answers, *([step.answers] if step.answers else [])),
                refused=rule.refused or step.do == "reset",
                resets=rule.resets,
            )
    return rules


def _torn(pair: Pair, count: int) -> Rule:
    return Rule(LinkFault(*pair), resets=count)


def _fault(step: Standing, pair: Pair) -> LinkFault:
    return LinkFault(
        *pair,
        cut=step.do == "cut",
        loss=step.percent / 100,
        delay_us=round(step.delay_ms * 1_000),
        jitter_us=round(step.jitter_ms * 1_000),
        lease=step.step + 1,
    )


# ------------------------------------------------------------------------------------------------------------- proxies


class Proxied(msgspec.Struct, frozen=True):
    """One proxy: `x1`, between `src` and `dst`, a process or the `rank`-th server (from 0) of `backend`, which is "" for a process."""

    name: str
    src: str
    dst: str
    link: Link
    backend: str = ""
    rank: int = 0

    @property
    def pairs(self) -> frozenset[Pair]:
        return frozenset({(self.src, self.dst), (self.dst, self.src)})


def proxied(links: Iterable[Link], groups: Mapping[str, tuple[str, ...]]) -> tuple[Proxied, ...]:
    """One for each server of a backend that a link leads to: a link is cut by itself. A replica has none to itself."""
    ends = ((link, end) for link in links for end in _ends(link.dst, groups) if end[2] != link.src)
    return tuple(Proxied(f"{PROXY_PREFIX}{i}", link.src, end[2], link, end[0], end[1]) for i, (link, end) in enumerate(ends, 1))


def backend_of(word: str, groups: Mapping[str, tuple[str, ...]]) -> str:
    """Whose servers are meant by a word, or one of them; "" for a process."""
    return next((name for name, servers in groups.items() if word == name or word in servers), "")


def _ends(word: str, groups: Mapping[str, tuple[str, ...]]) -> list[tuple[str, int, str]]:
    backend = backend_of(word, groups)
    if not backend:
        return [("", 0, word)]
    return [(backend, rank, server) for rank, server in enumerate(groups[backend]) if word in (backend, server)]


def breakable(links: Iterable[Link], groups: Mapping[str, tuple[str, ...]], peers: Iterable[str]) -> Iterator[Pair]:
    """Every pair of names between which something can be broken."""
    for one in proxied(links, groups):
        yield from one.pairs
    for group in peers:
        yield from ((a, b) for a in groups[group] for b in groups[group] if a != b)
