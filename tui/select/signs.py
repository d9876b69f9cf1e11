"""The shape, letter and style of one node.

Law 1: state is shape *and* letter, never colour alone; the ASCII set says the same.
"""

from __future__ import annotations

from cluster.core.types import NodeId
from cluster.telemetry.view import ClusterView, NodeView
from tui.select.standing import present_leader

# state -> (shape, ASCII shape, letter)
SHAPES = {
    "leader": ("★", "*", "L"),
    "follower": ("●", "o", "F"),
    "candidate": ("▲", "^", "C"),
    "stale": ("◆", "!", "L?"),
    "paused": ("‖", "=", "Z"),
    "dead": ("✖", "x", "X"),
    "learner": ("○", ",", "l"),
    "observer": ("○", ".", "O"),
    "starting": ("◌", "?", "…"),
}


def states_of(view: ClusterView) -> dict[NodeId, str]:
    """Every node's state: the truth of its process first, then what it believes of itself."""
    leader = present_leader(view)
    term = leader.term if leader is not None else 0
    return {name: _state(node, term) for name, node in view.nodes.items()}


def _state(node: NodeView, leading_term: int) -> str:
    if node.process == "down":
        return "dead"
    if node.process == "paused":
        return "paused"
    if node.process == "starting" or node.state is None:
        return "starting"
    role = node.state.role
    if role == "leader":
        return "leader" if node.state.term >= leading_term else "stale"
    return "candidate" if role == "precandidate" else role


def shape(state: str, ascii: bool) -> str:
    return SHAPES[state][1 if ascii else 0]
