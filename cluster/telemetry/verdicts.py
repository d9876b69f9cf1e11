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
    nodes, links = view.nodes, view.plan.links
    if subject not in nodes or observer not in nodes:
        return None
    if nodes[subject].side != nodes[observer].side:
        # A cut of fifty nodes in halves has 1 250 links, and as many verdicts follow from it: the first link of a fault will do.
        blamed = {number for number in view.faults if any(link.cut and link.lease == number for link in links)}
    else:
        out = {link.target: link.lease for link in links if link.cut and link.source == subject}
        into = {link.source: link.lease for link in links if link.cut and link.target == observer}
        others = len(nodes) - 1
        if len(out.keys() & nodes.keys()) < others and len(into.keys() & nodes.keys()) < others:
            return None
        blamed = {*out.values(), *into.values()}
    began = [fault.fault.at_us for number, fault in view.faults.items() if number in blamed]
    return max(began, default=view.now_us)
