"""The faults in force, as one value, and the one decision every edge of the network makes from it.

Law 1: `decide` is pure; node, proxy and simulator call the same one, each with its own dice.
Law 2: a cut is judged at both ends (what is already in a kernel's buffer must not slip through); everything else at the sender.
Law 3: leases compose by `compose`: cuts by union, losses as independent chances, delays by sum, the tightest throttle wins.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from cluster.core.types import Dice, Micros, NodeId, by_number, node_number


class LinkFault(msgspec.Struct, frozen=True, array_like=True):
    """What happens to messages from `source` to `target` (one direction)."""

    source: NodeId
    target: NodeId
    cut: bool = False
    loss: float = 0.0  # chance, 0…1
    duplicate: float = 0.0
    reorder: float = 0.0  # chance that a message is held back behind later ones
    delay_us: Micros = 0
    jitter_us: Micros = 0  # uniform ± around delay
    bytes_per_s: int = 0  # 0: not throttled
    lease: int = 0  # the fault that a drop is blamed on


class NodeFault(msgspec.Struct, frozen=True, array_like=True):
    """Clock and disk faults of one node. `disk`: "ok" | "slow" | "hang" | "fail"."""

    node: NodeId
    skew_us: Micros = 0
    drift: float = 1.0
    disk: str = "ok"
    disk_delay_us: Micros = 0


class FaultPlan(msgspec.Struct, frozen=True, array_like=True):
    """All of it. `version` rises with every change; an absent link or node is healthy."""

    version: int = 0
    links: tuple[LinkFault, ...] = ()
    nodes: tuple[NodeFault, ...] = ()


class Decision(msgspec.Struct, frozen=True):
    """What to do with one message: copies to send, each after its delay. No copies: dropped."""

    delays_us: tuple[Micros, ...]
    blame: int = 0


# Drifts multiply; a clock outside these would stand still, or leave the range of integers that a message carries.
DRIFT_MIN, DRIFT_MAX = 0.01, 100.0

PASS = Decision(delays_us=(0,))


def decide(fault: LinkFault | None, size_bytes: int, dice: Dice) -> Decision:
    """What becomes of one message of `size_bytes` on this link."""
    if fault is None:
        return PASS
    if fault.cut or (fault.loss > 0 and dice.random() < fault.loss):
        return Decision(delays_us=(), blame=fault.lease)
    copies = 2 if fault.duplicate > 0 and dice.random() < fault.duplicate else 1
    return Decision(delays_us=tuple(_delay(fault, dice) for _ in range(copies)), blame=fault.lease)


def _delay(fault: LinkFault, dice: Dice) -> Micros:
    delay = fault.delay_us
    if fault.jitter_us:
        delay += dice.randrange(2 * fault.jitter_us + 1) - fault.jitter_us
    if fault.reorder > 0 and dice.random() < fault.reorder:
        # Behind whatever follows within a few heartbeats' worth of round trips.
        delay += 5_000 + dice.randrange(45_000)
    return max(0, delay)


def compose(leases: Iterable[FaultPlan], version: int = 0) -> FaultPlan:
    """All leases' own plans as the one plan in force (law 3). Links and nodes come out in a fixed order."""
    links: dict[tuple[NodeId, NodeId], LinkFault] = {}
    nodes: dict[NodeId, NodeFault] = {}
    for plan in leases:
        for link in plan.links:
            place = (link.source, link.target)
            links[place] = compose_links(links[place], link) if place in links else link
        for fault in plan.nodes:
            nodes[fault.node] = _both_nodes(nodes[fault.node], fault) if fault.node in nodes else fault
    return FaultPlan(
        version=version,
        links=tuple(links[place] for place in sorted(links, key=_link_order)),
        nodes=tuple(nodes[node] for node in by_number(nodes)),
    )


def _link_order(place: tuple[NodeId, NodeId]) -> tuple[int, int]:
    return node_number(place[0]), node_number(place[1])


def compose_links(one: LinkFault, other: LinkFault) -> LinkFault:
    """Two faults of one link as one (law 3)."""
    # A drop is blamed on the fault most likely to have caused it: a cut before the heavier loss.
    worse = one if (one.cut, one.loss, one.lease) >= (other.cut, other.loss, other.lease) else other
    return LinkFault(
        source=one.source,
        target=one.target,
        cut=one.cut or other.cut,
        loss=_either(one.loss, other.loss),
        duplicate=_either(one.duplicate, other.duplicate),
        reorder=_either(one.reorder, other.reorder),
        delay_us=one.delay_us + other.delay_us,
        jitter_us=one.jitter_us + other.jitter_us,
        bytes_per_s=min(one.bytes_per_s or other.bytes_per_s, other.bytes_per_s or one.bytes_per_s),
        lease=worse.lease,
    )


def _either(one: float, other: float) -> float:
    """The chance that at least one of two independent accidents happens."""
    return 1.0 - (1.0 - one) * (1.0 - other)


_DISK_WORST_LAST = ("ok", "slow", "hang", "fail")


def _both_nodes(one: NodeFault, other: NodeFault) -> NodeFault:
    return NodeFault(
        node=one.node,
        skew_us=one.skew_us + other.skew_us,
        drift=min(max(one.drift * other.drift, DRIFT_MIN), DRIFT_MAX),
        disk=max(one.disk, other.disk, key=_DISK_WORST_LAST.index),
        disk_delay_us=one.disk_delay_us + other.disk_delay_us,
    )


def seen_by(plan: FaultPlan, node: NodeId) -> FaultPlan:
    """The part that concerns one node: a cut of fifty nodes has 1 250 links, and each node needs a fiftieth of them."""
    return FaultPlan(
        version=plan.version,
        links=tuple(link for link in plan.links if node in (link.source, link.target)),
        nodes=tuple(fault for fault in plan.nodes if fault.node == node),
    )


def sides_of(plan: FaultPlan, nodes: Iterable[NodeId]) -> tuple[tuple[NodeId, ...], ...]:
    """The groups that a cut has made: connected components, the largest first. One side: nobody is apart.

    Two nodes touch unless *both* directions between them are cut: a one-way cut hurts, but makes no sides.
    """
    severed = {(link.source, link.target) for link in plan.links if link.cut}
    waiting = by_number(nodes)
    sides: list[tuple[NodeId, ...]] = []
    while waiting:
        side = _reachable(waiting[0], waiting, severed)
        sides.append(tuple(node for node in waiting if node in side))
        waiting = [node for node in waiting if node not in side]
    return tuple(sorted(sides, key=lambda side: (-len(side), node_number(side[0]))))


def _reachable(start: NodeId, among: list[NodeId], severed: set[tuple[NodeId, NodeId]]) -> set[NodeId]:
    seen, frontier = {start}, [start]
    while frontier:
        node = frontier.pop()
        for other in among:
            if other not in seen and not ((node, other) in severed and (other, node) in severed):
                seen.add(other)
                frontier.append(other)
    return seen
