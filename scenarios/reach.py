"""What a run can do to servers that are somebody else's (`--backend NAME=URL`): break the way to them, and nothing else. To a program
that stands in for its own (`--backend kv=etcd`) it can do what the kernel can: but it does not know who leads, nor break their own links.

Law 1: a fault that could never land is refused before the run, not waited for in it.
"""

from __future__ import annotations

from collections.abc import Mapping

from cluster.core.errors import UsageError
from scenarios.backends import server_names
from scenarios.faults import ON_LINKS, Fault
from scenarios.links import pairs_of, read_sides
from scenarios.model import PEERS, Card
from scenarios.servers import program_of


def check_reach(card: Card, urls: Mapping[str, tuple[str, ...]]) -> None:
    """Of a card as this run's toggles have it. Raises `UsageError` for a fault of servers that are given by URL, or of their own links."""
    for i, fault in enumerate(card.fault):
        for name in urls:
            stands_in = bool(program_of(card.backend[name], urls[name]))
            if stands_in and not _asks_our_group(fault, card.backend[name].kind):
                continue
            if _acts_within(fault, name, server_names(name, card.backend[name])):
                what = f"fault[{i}] of {card.slug} ({fault.do})"
                whose = "the Raft group that the incident brings" if stands_in else "the run's own"
                raise UsageError(f"--backend {name}: {what} is done to its servers, which must be {whose}")


def _asks_our_group(fault: Fault, kind: str) -> bool:
    """Whether it needs what only the nodes of our own group do: break their links, say who leads. Others' links have proxies."""
    return kind in PEERS and (fault.do in ON_LINKS or "." in fault.target)


def _acts_within(fault: Fault, name: str, servers: tuple[str, ...]) -> bool:
    def members(word: str) -> tuple[str, ...]:
        return servers if word.partition(".")[0] == name else (word,)

    if fault.do not in ON_LINKS:
        return not {*members(fault.target)}.isdisjoint(servers)
    sides = read_sides(fault.target)
    assert sides is not None, "a card that was checked"
    return any(a in servers and b in servers for a, b in pairs_of(sides, members))
