"""Who stands where: the present leader, who is reachable from whom, and the arithmetic of the quorum.

Law 1: truth (processes, links, sides) comes from the supervisor's fields, belief (roles, terms) from the nodes' last states.
Law 2: a fact is computed once per pane and handed on; nothing here is stored.
"""

from __future__ import annotations

from collections.abc import Iterable

from cluster.core.types import Micros, NodeId, by_number
from cluster.faults import LinkFault
from cluster.telemetry.events import NodeState
from cluster.telemetry.view import ClusterView, NodeView

Pair = tuple[NodeId, NodeId]
SIDE_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def side_letter(side: int) -> str:
    """0 -> "A"; far beyond any alphabet the last letter stands for "the others"."""
    return SIDE_LETTERS[min(side, len(SIDE_LETTERS) - 1)]


def voters_of(view: ClusterView) -> tuple[NodeId, ...]:
    return view.lab.voters if view.lab else ()


def quorum_of(view: ClusterView) -> int:
    """Voters needed: a majority of all voters, wherever they are."""
    return len(voters_of(view)) // 2 + 1


def running(node: NodeView) -> bool:
    return node.process == "up"


def present_leader(view: ClusterView) -> NodeState | None:
    """The last words of whoever leads the highest term, if its process still exists (a frozen leader is still one)."""
    leading = [
        node.state
        for node in view.nodes.values()
        if node.state is not None and node.state.role == "leader" and node.process in ("up", "paused")
    ]
    return max(leading, key=lambda state: state.term, default=None)


def leader_of_side(view: ClusterView, side: int) -> NodeState | None:
    """The highest-term leader among the nodes of one side: whom they answer to, stale or not."""
    leading = [
        node.state
        for node in view.nodes.values()
        if node.side == side and node.state is not None and node.state.role == "leader" and node.process != "down"
    ]
    return max(leading, key=lambda state: state.term, default=None)


def highest_term(view: ClusterView) -> int:
    return max((node.state.term for node in view.nodes.values() if node.state is not None), default=0)


def cut_links(view: ClusterView) -> dict[Pair, int]:
    """(source, target) -> the fault that cuts this direction."""
    return {(link.source, link.target): link.lease for link in view.plan.links if link.cut}


def faulty_links(view: ClusterView) -> dict[Pair, LinkFault]:
    """(source, target) -> what is wrong with this direction; healthy links are absent."""
    return {(link.source, link.target): link for link in view.plan.links}


def touching(cuts: dict[Pair, int], one: NodeId, other: NodeId) -> bool:
    """Both directions between two nodes work."""
    return one == other or ((one, other) not in cuts and (other, one) not in cuts)


def reach(view: ClusterView, cuts: dict[Pair, int], node: NodeId) -> list[NodeId]:
    """The running voters that `node` can talk with in both directions, itself included if it runs."""
    return [v for v in voters_of(view) if running(view.nodes[v]) and touching(cuts, node, v)]


def best_reach(view: ClusterView, cuts: dict[Pair, int]) -> list[NodeId]:
    """The largest group of running voters that one of them can reach: the most that any candidate could win."""
    groups = (reach(view, cuts, v) for v in voters_of(view) if running(view.nodes[v]))
    return max(groups, key=len, default=[])


def has_quorum_contact(view: ClusterView, state: NodeState) -> bool:
    """A leader that a quorum answered within its own election timeout (the rule of check-quorum)."""
    limit = 2 * view.lab.election_min_us if view.lab else 0
    age = state.quorum_age_us + max(0, view.now_us - state.at_us)
    return view.nodes[state.node].process == "up" and 0 <= state.quorum_age_us and age <= limit


def split(view: ClusterView) -> bool:
    """A cut has made more than one side."""
    return len(view.sides) > 1


def by_side(view: ClusterView, nodes: Iterable[NodeId]) -> list[NodeId]:
    """Reading order within each side, the sides one after the other."""
    return sorted(by_number(nodes), key=lambda node: view.nodes[node].side)


def silent_for(view: ClusterView, node: NodeView) -> Micros:
    """How long the process has been in its present state."""
    return max(0, view.now_us - node.since_us)
