"""Who is there when a command fires, and what a target expression means then.

Law 1: roles are computed from the roster of this moment; the same expression may mean other nodes a second later.
Law 2: the same roster always gives the same answer: `any` takes its luck from `roster.draw`.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from cluster.commands.model import Targets
from cluster.commands.words import did_you_mean
from cluster.core.errors import UsageError
from cluster.core.types import NodeId, by_number, node_number

Pair = tuple[NodeId, NodeId]


class Roster(msgspec.Struct, frozen=True, kw_only=True):
    """The truth about processes, and who leads. `severed`: directed links that are cut now."""

    nodes: tuple[NodeId, ...]
    voters: tuple[NodeId, ...]
    down: tuple[NodeId, ...] = ()
    paused: tuple[NodeId, ...] = ()
    leader: NodeId | None = None
    faults: tuple[int, ...] = ()
    severed: tuple[Pair, ...] = ()
    draw: int = 0

    @property
    def running(self) -> tuple[NodeId, ...]:
        """Processes that are neither down nor stopped."""
        return tuple(node for node in self.nodes if node not in self.down and node not in self.paused)

    @property
    def next_node(self) -> NodeId:
        """The name that the next new node would get."""
        return f"n{max(map(node_number, self.nodes), default=0) + 1}"

    @property
    def quorum(self) -> int:
        return len(self.voters) // 2 + 1


def resolve(targets: Targets, roster: Roster, named: Iterable[NodeId] = ()) -> tuple[NodeId, ...]:
    """The nodes meant, each once, in the order they were named; `rest` is whoever is neither in `named` nor among the others.

    Raises `UsageError` for a node or role that does not exist now, naming what does.
    """
    found: list[NodeId] = []
    for atom in targets:
        if atom != "rest":
            found += [node for node in _atom(atom, roster) if node not in found]
    if "rest" not in targets:
        return tuple(found)
    taken = {*found, *named}
    if not taken:
        raise UsageError("'rest' means whoever is not named: name somebody beside it")
    rest = [node for node in roster.nodes if node not in taken]
    if not rest and not found:
        raise UsageError("'rest' is nobody: every node is named already")
    return tuple(found + rest)


def _atom(atom: str, roster: Roster) -> tuple[NodeId, ...]:
    word, plus, ahead = atom.partition("+")
    if plus:
        return (_after_leader(int(ahead), roster),)
    word, dot, place = atom.partition(".")
    if dot:
        return (_nth_follower(int(place), roster),)
    match word:
        case "leader":
            return (_leader(roster),)
        case "followers":
            return _some(_followers(roster), "no follower is running now")
        case "any":
            running = _some(roster.running, "no node is running now")
            return (running[roster.draw % len(running)],)
        case "minority":
            return _some(_minority(roster), f"{len(roster.voters)} voters have no minority: none can be lost")
        case "majority":
            minority = _minority(roster)
            return tuple(node for node in roster.voters if node not in minority)
        case "all":
            return roster.nodes
    if atom not in roster.nodes:
        raise UsageError(f"there is no {atom} here{did_you_mean(atom, roster.nodes)}: {_span(roster.nodes)}")
    return (atom,)


def _span(nodes: tuple[NodeId, ...]) -> str:
    if not nodes:
        return "the lab has no nodes"
    ordered = by_number(nodes)
    return f"the nodes are {ordered[0]} to {ordered[-1]}" if len(ordered) > 3 else f"the nodes are {', '.join(ordered)}"


def _some(nodes: tuple[NodeId, ...], otherwise: str) -> tuple[NodeId, ...]:
    if not nodes:
        raise UsageError(otherwise)
    return nodes


def _leader(roster: Roster) -> NodeId:
    if roster.leader is None:
        raise UsageError("no leader is known now: name a node, or wait for an election")
    return roster.leader


def _followers(roster: Roster) -> tuple[NodeId, ...]:
    running = roster.running
    return tuple(node for node in roster.voters if node in running and node != roster.leader)


def _nth_follower(place: int, roster: Roster) -> NodeId:
    followers = _some(_followers(roster), "no follower is running now")
    if place > len(followers):
        raise UsageError(f"there is no followers.{place}: {len(followers)} are running ({', '.join(followers)})")
    return followers[place - 1]


def _after_leader(ahead: int, roster: Roster) -> NodeId:
    leader = _leader(roster)
    if leader not in roster.voters:
        raise UsageError(f"{leader} leads without a vote: name a node")
    return roster.voters[(roster.voters.index(leader) + ahead) % len(roster.voters)]


def _minority(roster: Roster) -> tuple[NodeId, ...]:
    """As many voters as can be lost without losing the quorum, beginning with the leader: the more instructive half."""
    first = roster.voters.index(roster.leader) if roster.leader in roster.voters else 0
    ring = roster.voters[first:] + roster.voters[:first]
    return ring[: len(roster.voters) - roster.quorum]
