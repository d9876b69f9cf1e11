"""Truth beside belief: was a suspicion right, and how late did it come?

Law 1: judged only from what the supervisor has said: process states, and links cut.
Law 2: a subject that cannot reach the observer is rightly suspected by it, even while it is healthy elsewhere.
"""

from __future__ import annotations

from cluster.core.types import NodeId
from cluster.telemetry.events import Verdict
from cluster.telemetry.view import ClusterView, VerdictView


def judge(view: ClusterView, event: Verdict) -> VerdictView:
    """`truth` is "true", "false" or "cleared"; `late_us` counts from the moment the subject really went silent."""
    truth, late_us = ("cleared", 0) if not event.convicted else _truth(view, event)
    return VerdictView(
        at_us=event.at_us,
        observer=event.node,
        subject=event.subject,
        convicted=event.convicted,
        phi_tenths=event.phi_tenths,
        detector=event.detector,
        truth=truth,
        late_us=late_us,
    )


def _truth(view: ClusterView, event: Verdict) -> tuple[str, int]:
    subject = view.nodes.get(event.subject)
    if subject is not None and subject.process != "up":
        return "true", max(0, event.at_us - subject.since_us)
    since_us = _unreachable_since(view, event.subject, event.node)
    if since_us is not None:
        return "true", max(0, event.at_us - since_us)
    return "false", 0


def _unreachable_since(view: ClusterView, subject: NodeId, observer: NodeId) -> int | None:
    """When the cut that keeps the subject's news from the observer began; None if there is none.

    Gossip relays: only a cut that puts the two on different sides silences a node. Where sides do not tell (a one-way cut of
    everything a node says), every link out of the subject must be cut.
    """
    nodes = view.nodes
    apart = subject in nodes and observer in nodes and nodes[subject].side != nodes[observer].side
    cuts = [link for link in view.plan.links if link.cut]
    muted = {link.target for link in cuts if link.source == subject} >= {n for n in nodes if n != subject}
    deaf = {link.source for link in cuts if link.target == observer} >= {n for n in nodes if n != observer}
    if not (apart or muted or deaf):
        return None
    blamed = {link.lease for link in cuts if apart or subject in (link.source,) or observer in (link.target,)}
    began = [fault.fault.at_us for number, fault in view.faults.items() if number in blamed]
    return max(began, default=view.now_us)
