"""Who is there and who leads, out of a view: what the operators' grammar resolves its roles against.

Law 1: `leader` is the running node with the highest term that believes it leads; a paused or dead one is nobody's target by that name.
"""

from __future__ import annotations

from cluster.commands.roster import Roster
from cluster.core.types import NodeId, Role
from cluster.telemetry.view import ClusterView


def roster_of(view: ClusterView, draw: int = 0) -> Roster:
    """`draw` decides what `any` is; the supervisor draws it from the lab's seed."""
    return Roster(
        nodes=view.lab.nodes if view.lab else (),
        voters=view.lab.voters if view.lab else (),
        down=tuple(node for node, known in view.nodes.items() if known.process == "down"),
        paused=tuple(node for node, known in view.nodes.items() if known.process == "paused"),
        leader=leader_of(view),
        faults=tuple(view.faults),
        severed=tuple((link.source, link.target) for link in view.plan.links if link.cut),
        draw=draw,
    )


def leader_of(view: ClusterView) -> NodeId | None:
    """From announcements (at once) and periodic states (in case an announcement was lost)."""
    running = {node for node, known in view.nodes.items() if known.process == "up"}
    claims = [(reign.term, reign.node) for reign in view.reigns if not reign.ended_us and reign.node in running]
    # A node's last state may be older than its news that it leads no more.
    over = {(reign.term, reign.node): reign.ended_us for reign in view.reigns if reign.ended_us}
    for node in sorted(running):
        state = view.nodes[node].state
        if state is not None and state.role == Role.LEADER and state.at_us > over.get((state.term, node), -1):
            claims.append((state.term, node))
    return max(claims, default=(0, None))[1]
