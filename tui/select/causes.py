"""Why one node does not hear, answer or store: the nearest cause that the supervisor or the node itself has reported.

Law 1: truth first (process, cut, disk and link faults), then what the nodes say; "" when nothing is known to be wrong.
"""

from __future__ import annotations

from cluster.core.types import Micros, NodeId
from cluster.faults import LinkFault
from cluster.telemetry.events import NodeState, PeerProgress
from cluster.telemetry.view import ClusterView
from tui.select.spans import duration
from tui.select.standing import Pair, silent_for

# A write this old says that the disk is the cause: a healthy one takes tens of microseconds to a few milliseconds.
DISK_BUSY_US: Micros = 50_000
LOSSY = 0.05
# Fewer missing entries than this are simply on their way.
CATCHING_UP = 50


def process_cause(view: ClusterView, name: NodeId) -> str:
    """Why the process itself does nothing."""
    node = view.nodes.get(name)
    if node is None:
        return "unknown"
    since = duration(silent_for(view, node))
    words = {"down": f"dead for {since}", "paused": f"frozen for {since}", "starting": "still starting"}
    return words.get(node.process, "")


def link_cause(links: dict[Pair, LinkFault], source: NodeId, target: NodeId) -> str:
    """Why nothing, or little, gets from `source` to `target` and back."""
    there, back = links.get((source, target)), links.get((target, source))
    if there is not None and there.cut:
        both = back is not None and back.cut
        return f"cut off (#{there.lease})" if both else f"hears nothing from {source} (one-way cut #{there.lease})"
    if back is not None and back.cut:
        return f"is not heard by {source} (one-way cut #{back.lease})"
    return next((cause for link in (there, back) if link is not None and (cause := _spoiled(link))), "")


def _spoiled(link: LinkFault) -> str:
    where = f"link {link.source}→{link.target}"
    if link.delay_us or link.jitter_us:
        return f"{where} slow by {duration(link.delay_us)} (#{link.lease})"
    if link.loss >= LOSSY:
        return f"{where} loses {link.loss:.0%} (#{link.lease})"
    if link.bytes_per_s:
        return f"{where} throttled to {link.bytes_per_s} B/s (#{link.lease})"
    return ""


def disk_cause(view: ClusterView, name: NodeId) -> str:
    """Why the node stores slowly or not at all."""
    for fault in view.plan.nodes:
        if fault.node == name and fault.disk != "ok":
            return f"disk {fault.disk}s" if fault.disk != "slow" else f"disk slow by {duration(fault.disk_delay_us)}"
    node = view.nodes.get(name)
    state = node.state if node is not None else None
    if state is not None and state.disk_busy_us > DISK_BUSY_US:
        return f"disk busy: a write waits {duration(state.disk_busy_us)}"
    return ""


def why_silent(view: ClusterView, links: dict[Pair, LinkFault], leader: NodeState, peer: PeerProgress) -> str:
    """Why a follower is behind, as far as anyone knows; "" when it is not, or the entries are simply on their way."""
    known = (
        process_cause(view, peer.node)
        or link_cause(links, leader.node, peer.node)
        or process_cause(view, leader.node)  # a frozen leader sends nothing
        or disk_cause(view, peer.node)
    )
    if known == process_cause(view, leader.node) and known:
        return f"{leader.node} itself is {known}"
    if known:
        return known
    if peer.state == "probe":
        return "the leader still looks for where the logs agree"
    behind = leader.commit - peer.match_index
    return f"catches up: {behind} committed entries behind" if behind > CATCHING_UP else ""
