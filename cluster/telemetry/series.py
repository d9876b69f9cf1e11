"""Half-second samples for every sparkline, taken while folding.

Law 1: a rate is the difference of two totals over the time between them; a process that restarted starts from zero again.
"""

from __future__ import annotations

from msgspec.structs import replace

from cluster.telemetry.view import SAMPLE_US, SERIES_MAX, ClusterView, Sample, Totals


def sampled(view: ClusterView, now_us: int) -> ClusterView:
    """The view with one more sample, if half a second has passed since the last."""
    last = view.series[-1].at_us if view.series else (view.lab.at_us if view.lab else 0)
    if now_us - last < SAMPLE_US:
        return view
    totals = _totals(view)
    sample = _sample(view, view.totals, totals, now_us, max(now_us - last, 1) / 1e6)
    return replace(view, series=(*view.series, sample)[-SERIES_MAX:], totals=totals)


def _totals(view: ClusterView) -> Totals:
    states = [node.state for node in view.nodes.values() if node.state is not None]
    return Totals(
        ops=view.ops.ok if view.ops else 0,
        commit=max((s.commit for s in states), default=0),
        gossip=sum(s.gossip_rounds for s in states),
        dropped=sum(count for s in states for _, count in s.dropped),
    )


def _sample(view: ClusterView, old: Totals, new: Totals, now_us: int, span_s: float) -> Sample:
    live = [n.state for n in view.nodes.values() if n.process == "up" and n.state is not None]
    known = [belief.phi_tenths for state in live for belief in state.beliefs]
    return Sample(
        at_us=now_us,
        ops_per_s=max(0, new.ops - old.ops) / span_s,
        commit_per_s=max(0, new.commit - old.commit) / span_s,
        phi_max_tenths=max(known, default=0),
        gossip_per_s=max(0, new.gossip - old.gossip) / span_s,
        dropped_per_s=max(0, new.dropped - old.dropped) / span_s,
        has_leader=any(not reign.ended_us for reign in view.reigns),
    )
