"""One plain sentence: what is happening, and why."""

from __future__ import annotations

from cluster.telemetry.view import ClusterView
from tui.select.spans import fit, wrapped
from tui.select.standing import present_leader, quorum_of, running, split, voters_of
from tui.state import Row, UiState


def rows(view: ClusterView, ui: UiState, width: int, height: int) -> list[Row]:
    """At most two rows."""
    text, style = sentence(view)
    return fit(wrapped(text, width - 1, style, " ", lines_max=max(1, min(2, height))), width, height)


def sentence(view: ClusterView) -> tuple[str, str]:
    """The most important thing that is true now, and how loud it is."""
    red = [light for light in view.lights.values() if light.state == "violated"]
    if red:
        return f"{red[0].light} is violated: {red[0].evidence}", "bad"
    if view.closed:
        return f"The lab has ended: {view.closed}.", "dim"
    if view.frozen:
        return "The whole world stands still: look around, f lets it go on.", "warn"
    up = [voter for voter in voters_of(view) if running(view.nodes[voter])]
    needed = quorum_of(view)
    if view.lab is None or not any(node.state for node in view.nodes.values()):
        return "The nodes are starting.", "dim"
    if len(up) < needed:
        return f"Only {len(up)} of {len(voters_of(view))} voters run and {needed} are needed: nothing can commit until one is back.", "bad"
    leader = present_leader(view)
    if leader is None:
        return "Nobody leads: the voters wait out their election timeouts, then one of them asks for votes.", "warn"
    if view.nodes[leader.node].process == "paused":
        return f"{leader.node} leads term {leader.term} but stands still: without its heartbeats the others elect another.", "warn"
    if split(view):
        return f"The network is cut. {leader.node} leads term {leader.term}; only the side that reaches {needed} voters can commit.", "warn"
    faults = len(view.faults)
    if faults:
        return f"{leader.node} leads term {leader.term} with {'a fault' if faults == 1 else f'{faults} faults'} in force; H heals all.", ""
    return f"All is well: {leader.node} leads term {leader.term}, and every write it acknowledges is on {needed} disks.", "good"
