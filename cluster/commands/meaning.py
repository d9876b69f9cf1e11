"""A command and a roster -> the same command with every role replaced by nodes, and the links it touches.

Law 1: after `resolved`, nothing depends on the moment any more: what a fault hit is written in its text.
"""

from __future__ import annotations

import msgspec

from cluster.commands import model
from cluster.commands.roster import Pair, Roster, resolve
from cluster.core.errors import UsageError
from cluster.core.types import NodeId


def resolved(command: model.Command, roster: Roster) -> model.Command:
    """The command with nodes instead of roles. Raises `UsageError` when an expression means nothing now."""
    match command:
        case model.Cut():
            return msgspec.structs.replace(command, sides=_sides(command, roster))
        case model.Slow() | model.Spoil() | model.Throttle():
            return msgspec.structs.replace(command, links=_links(command.links, roster))
        case model.CutShape():
            shape_pairs(command.shape, roster.nodes)
            return command
        case model.Heal() if not command.targets:
            return command
        case (
            model.Isolate() | model.Pause() | model.Crash() | model.Restart() | model.Wipe() | model.Skew()
            | model.Drift() | model.Disk() | model.Heal() | model.Transfer() | model.Remove() | model.Replace()
        ):  # fmt: skip
            return msgspec.structs.replace(command, targets=resolve(command.targets, roster))
    return command


def _sides(command: model.Cut, roster: Roster) -> tuple[model.Targets, ...]:
    """Sides in order; `rest` on one of them is whoever no side names."""
    named: list[NodeId] = []
    for side in command.sides:
        outright = tuple(atom for atom in side if atom != "rest")
        named += resolve(outright, roster)
    sides = tuple(resolve(side, roster, named) for side in command.sides)
    everyone = [node for side in sides for node in side]
    for node in everyone:
        if everyone.count(node) > 1:
            raise UsageError(f"{node} stands on two sides of the cut")
    return sides


def _links(links: model.Links, roster: Roster) -> model.Links:
    if not links.target:
        return model.Links(resolve(links.source, roster))
    named = (
        *resolve(tuple(a for a in links.source if a != "rest"), roster),
        *resolve(tuple(a for a in links.target if a != "rest"), roster),
    )
    return model.Links(resolve(links.source, roster, named), resolve(links.target, roster, named))


def targets_of(command: model.Command, roster: Roster) -> tuple[NodeId, ...]:
    """Whom a *resolved* command concerns, for lists and for `heal T`."""
    match command:
        case model.Cut(sides=sides):
            return tuple(node for side in sides for node in side)
        case model.CutShape():
            return roster.nodes
        case model.Slow(links=links) | model.Spoil(links=links) | model.Throttle(links=links):
            return tuple(dict.fromkeys((*links.source, *links.target)))
        case (
            model.Isolate(targets=targets) | model.Pause(targets=targets) | model.Crash(targets=targets)
            | model.Restart(targets=targets) | model.Wipe(targets=targets) | model.Skew(targets=targets)
            | model.Drift(targets=targets) | model.Disk(targets=targets) | model.Transfer(targets=targets)
            | model.Remove(targets=targets) | model.Replace(targets=targets)
        ):  # fmt: skip
            return targets
    return ()


def pairs_of(command: model.Command, roster: Roster) -> tuple[Pair, ...]:
    """The directed links that a *resolved* network fault touches, each once; none for any other command."""
    match command:
        case model.Cut(sides=sides, one_way=True):
            return _between(sides[0], sides[1])
        case model.Cut(sides=sides):
            return tuple(pair for one in sides for other in sides if one is not other for pair in _between(one, other))
        case model.CutShape(shape=shape):
            return shape_pairs(shape, roster.voters, tuple(node for node in roster.nodes if node not in roster.voters))
        case model.Isolate(targets=targets):
            return _touching(targets, roster.nodes)
        case model.Slow(links=links) | model.Spoil(links=links) | model.Throttle(links=links):
            return _between(links.source, links.target) if links.target else _touching(links.source, roster.nodes)
    return ()


def cuts(command: model.Command) -> bool:
    """Whether the links of this command carry nothing at all any more."""
    if isinstance(command, model.Spoil):
        return command.verb == "loss" and command.chance >= 1.0
    return isinstance(command, model.Cut | model.CutShape | model.Isolate)


def _between(sources: tuple[NodeId, ...], targets: tuple[NodeId, ...]) -> tuple[Pair, ...]:
    return tuple((source, target) for source in sources for target in targets if source != target)


def _touching(some: tuple[NodeId, ...], nodes: tuple[NodeId, ...]) -> tuple[Pair, ...]:
    return tuple((a, b) for a in nodes for b in nodes if a != b and (a in some or b in some))


def shape_pairs(shape: str, voters: tuple[NodeId, ...], others: tuple[NodeId, ...] = ()) -> tuple[Pair, ...]:
    """What `cut ring` and `cut bridge` sever (Jepsen's "majorities ring" and "bridge").

    The shape is one of voters, or it would part no quorum; each other node shares the links of one voter, never those of the bridge.
    """
    count = len(voters)
    middle = count // 2
    if shape == "bridge":
        if count < 3:
            raise UsageError(f"a bridge needs at least 3 voters, these are {count}")
        apart = {(i, j) for i in range(count) for j in range(count) if i < middle < j or j < middle < i}
        hosts = [i for i in range(count) if i != middle]
    else:
        reach = (middle + 1) // 2  # neighbours to each side that, with the voter itself, make a majority
        if 2 * reach + 1 >= count:
            raise UsageError(f"a ring of {count} voters would cut nothing: it needs at least 4")
        apart = {(i, j) for i in range(count) for j in range(count) if min((i - j) % count, (j - i) % count) > reach}
        hosts = list(range(count))
    seats = [*enumerate(voters), *((hosts[k % len(hosts)], node) for k, node in enumerate(others))]
    return tuple((a, b) for i, a in seats for j, b in seats if (i, j) in apart)
