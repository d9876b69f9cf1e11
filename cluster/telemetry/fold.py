"""`fold(view, event) -> view`: the only way a view comes to be.

Law 1: pure and total: every event of the union has one rule here, and an event about an unknown node changes nothing.
Law 2: truth about a verdict is judged at the moment of the verdict, from what the supervisor had said by then.
Law 3: nothing grows without bound (`view` names the bounds).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from msgspec.structs import replace

from cluster.core.raft.membership import Membership
from cluster.core.types import NodeId, Role
from cluster.telemetry import events as e
from cluster.telemetry.series import sampled
from cluster.telemetry.verdicts import judge
from cluster.telemetry.view import (
    LANDMARKS,
    LOG_LINES_MAX,
    REIGNS_MAX,
    RUMOURS_MAX,
    VERDICTS_MAX,
    VOTES_MAX,
    ClusterView,
    FaultView,
    LogLine,
    NodeView,
    PastFault,
    Reign,
    Rumour,
)

PAST_FAULTS_MAX = 100


def fold(view: ClusterView, event: e.Event) -> ClusterView:
    """The view after `event`."""
    if event.at_us > view.now_us:
        view = replace(view, now_us=event.at_us)
    return RULES[type(event)](view, event)


def fold_all(view: ClusterView, batch: Iterable[e.Event]) -> ClusterView:
    """The view after every event of `batch`, in order."""
    for event in batch:
        view = fold(view, event)
    return view


# ---- small steps that the rules share -----------------------------------------------------------------------------


def _node(view: ClusterView, node: NodeId, **changes: Any) -> ClusterView:
    known = view.nodes.get(node)
    if known is None:
        return view
    return replace(view, nodes={**view.nodes, node: replace(known, **changes)})


def _tell(view: ClusterView, at_us: int, node: NodeId, kind: str, text: str, fault: int = 0) -> ClusterView:
    line = LogLine(at_us=at_us, node=node, kind=kind, text=text, fault=fault)
    return replace(view, log=_kept((*view.log, line)), log_total=view.log_total + 1)


def _kept(log: tuple[LogLine, ...]) -> tuple[LogLine, ...]:
    """The log within its bound: the oldest line that is no landmark goes, and of landmarks only those past half of the log."""
    if len(log) <= LOG_LINES_MAX:
        return log
    goes = next((place for place, line in enumerate(log[: LOG_LINES_MAX // 2]) if line.kind not in LANDMARKS), 0)
    return log[:goes] + log[goes + 1 :]


def seconds(duration_us: int) -> str:
    """A duration as people read it: `420 ms`, `3.2 s`."""
    return f"{duration_us / 1000:.0f} ms" if duration_us < 1_000_000 else f"{duration_us / 1_000_000:.1f} s"


# ---- the lab and its processes ------------------------------------------------------------------------------------


def _lab_opened(view: ClusterView, event: e.LabOpened) -> ClusterView:
    nodes = {node: NodeView(node=node) for node in event.nodes}
    view = ClusterView(lab=event, now_us=event.at_us, nodes=nodes, sides=(event.nodes,))
    detail = f"{len(event.nodes)} nodes, {len(event.voters)} voters, quorum {event.quorum}, profile {event.profile}"
    return _tell(view, event.at_us, "", "LAB", detail)


def _node_enlisted(view: ClusterView, event: e.NodeEnlisted) -> ClusterView:
    lab = view.lab
    if lab is None or event.node in view.nodes:
        return view
    nodes = (*lab.nodes, event.node)
    sides = (*view.sides[:-1], (*view.sides[-1], event.node)) if view.sides else (nodes,)
    known = {**view.nodes, event.node: NodeView(node=event.node)}
    return _tell(replace(view, lab=replace(lab, nodes=nodes), nodes=known, sides=sides), event.at_us, event.node, "LAB", "a new node")


def _process_changed(view: ClusterView, event: e.ProcessChanged) -> ClusterView:
    known = view.nodes.get(event.node)
    if known is None:
        return view
    changes: dict[str, Any] = {
        "process": event.state,
        "pid": event.pid,
        "epoch": event.epoch,
        "since_us": event.at_us,
        "why": event.why,
    }
    if event.epoch != known.epoch:
        changes |= {"state": None, "cpu_percent": 0.0, "frozen_us": 0}
    view = _node(view, event.node, **changes)
    if event.state in ("down", "paused"):
        view = _end_reign_if_dead(view, event)
    return _tell(view, event.at_us, event.node, _PROCESS_TAGS[event.state], event.why)


_PROCESS_TAGS = {"starting": "START", "up": "UP", "paused": "PAUSE", "down": "DOWN"}
PROCESS_STATES = frozenset(_PROCESS_TAGS)


def _end_reign_if_dead(view: ClusterView, event: e.ProcessChanged) -> ClusterView:
    """A dead leader reigns no more; a paused one still believes it does."""
    if event.state != "down":
        return view
    return _end_reigns(view, event.at_us, lambda reign: reign.node == event.node)


def _end_reigns(view: ClusterView, at_us: int, over: Callable[[Reign], bool]) -> ClusterView:
    reigns = tuple(replace(r, ended_us=at_us) if not r.ended_us and over(r) else r for r in view.reigns)
    return view if reigns == view.reigns else replace(view, reigns=reigns)


def _node_ready(view: ClusterView, event: e.NodeReady) -> ClusterView:
    recovered = f"recovered term {event.term} and {event.recovered} entries" if event.term else "empty disk"
    return _tell(view, event.at_us, event.node, "READY", f"pid {event.pid}, {recovered}")


def _node_state(view: ClusterView, event: e.NodeState) -> ClusterView:
    known = view.nodes.get(event.node)
    if known is None or event.epoch < known.epoch:
        return view
    before = known.state
    changes: dict[str, Any] = {"state": event}
    if before is not None and before.epoch == event.epoch and event.at_us > before.at_us:
        changes["cpu_percent"] = 100.0 * (event.cpu_us - before.cpu_us) / (event.at_us - before.at_us)
    return sampled(_node(view, event.node, **changes), event.at_us)


# ---- Raft ---------------------------------------------------------------------------------------------------------


def _role_taken(view: ClusterView, event: e.RoleTaken) -> ClusterView:
    view = _believes(view, event)
    if event.role == "leader":
        view = _begin_reign(view, event)
        return _tell(view, event.at_us, event.node, "LEADER", f"term {event.term}: {event.why}")
    if event.role in ("candidate", "precandidate"):
        return _tell(view, event.at_us, event.node, "ELECT", f"{event.role} for term {event.term}: {event.why}")
    reigned = any(r.node == event.node and not r.ended_us for r in view.reigns)
    view = _end_reigns(view, event.at_us, lambda reign: reign.node == event.node)
    return _tell(view, event.at_us, event.node, "RESIGN", f"term {event.term}: {event.why}") if reigned else view


def _believes(view: ClusterView, event: e.RoleTaken) -> ClusterView:
    """What a node says at once of its role is newer than its last periodic state: a new leader must not look like a follower."""
    node = view.nodes.get(event.node)
    if node is None or node.state is None or event.at_us <= node.state.at_us:
        return view
    leads = event.role == Role.LEADER
    state = replace(
        node.state, role=event.role, term=event.term, leader=event.leader,
        # It has just been elected by a majority; of its followers it will tell in its next state.
        quorum_age_us=0 if leads else -1, progress=node.state.progress if leads else (),
    )  # fmt: skip
    return _node(view, event.node, state=state)


def _begin_reign(view: ClusterView, event: e.RoleTaken) -> ClusterView:
    """Reigns stand in the order in which they began, whichever node's news arrives first; each ends where the next begins."""
    at_us = event.at_us
    before = [
        replace(reign, ended_us=at_us) if not 0 < reign.ended_us <= at_us else reign for reign in view.reigns if reign.began_us <= at_us
    ]
    after = [reign for reign in view.reigns if reign.began_us > at_us]
    reign = Reign(node=event.node, term=event.term, began_us=at_us, ended_us=after[0].began_us if after else 0)
    return replace(view, reigns=(*before, reign, *after)[-REIGNS_MAX:])


def _vote_given(view: ClusterView, event: e.VoteGiven) -> ClusterView:
    view = replace(view, votes=(*view.votes, event)[-VOTES_MAX:])
    asked = "pre-vote" if event.pre else "vote"
    answer = "grants" if event.granted else "refuses"
    text = f"{answer} {event.candidate} its {asked} for term {event.term}"
    return _tell(view, event.at_us, event.node, "VOTE", f"{text}: {event.reason}" if event.reason else text)


def _log_truncated(view: ClusterView, event: e.LogTruncated) -> ClusterView:
    count = event.to_index - event.from_index + 1
    text = f"{count} uncommitted {'entry' if count == 1 else 'entries'} from {event.from_index} overwritten"
    return _tell(view, event.at_us, event.node, "TRUNC", f"{text} by the leader of term {event.term}")


def _snapshot_made(view: ClusterView, event: e.SnapshotMade) -> ClusterView:
    size = f"{event.size_bytes / 1024:.0f} kB" if event.size_bytes >= 1024 else f"{event.size_bytes} bytes"
    if event.leader:
        text = f"took over {event.leader}'s snapshot up to {event.index} ({size}): its log lacks too much"
    else:
        text = f"snapshot up to {event.index} ({size}), the log begins at {event.first_index}"
    return _tell(view, event.at_us, event.node, "SNAP", text)


def _group_changed(view: ClusterView, event: e.GroupChanged) -> ClusterView:
    """The newest leader's word counts. Voters and quorum on screen are those in force, committed or not."""
    known, lab = view.group, view.lab
    if lab is None:
        return view
    # Only the first leader of an empty log speaks of index 0 in an older term than was known: the lab was reset.
    stale = known is not None and (known.term, known.index, known.committed) > (event.term, event.index, event.committed)
    if stale and event.index:
        return view
    now = event.membership
    view = replace(view, group=event, lab=replace(lab, voters=now.voters, quorum=len(now.voters) // 2 + 1))
    before = Membership(lab.voters) if known is None else known.membership
    if before == now and (known is None or known.committed == event.committed):
        return view
    return _tell(view, event.at_us, event.node, "GROUP", f"voters {now}{'' if event.committed else ' (not yet committed)'}")


def _disk_stalled(view: ClusterView, event: e.DiskStalled) -> ClusterView:
    text = f"own disk has stood still for {seconds(event.since_us)}: gives up leadership"
    return _tell(view, event.at_us, event.node, "STALL", text)


def _evidence_only(view: ClusterView, event: e.Event) -> ClusterView:
    """For monitors and the clock; nothing to show."""
    return view


# ---- gossip and suspicion -----------------------------------------------------------------------------------------


def _verdict(view: ClusterView, event: e.Verdict) -> ClusterView:
    verdict = judge(view, event)
    view = replace(view, verdicts=(*view.verdicts, verdict)[-VERDICTS_MAX:])
    phi = "φ off the scale" if event.phi_tenths >= 999 else f"φ {event.phi_tenths / 10:.1f}"
    if event.convicted:
        text = f"{event.subject}, silent for {seconds(event.silence_us)}, {phi} ({verdict.truth})"
        return _tell(view, event.at_us, event.node, "SUSPECT", text)
    return _tell(view, event.at_us, event.node, "CLEAR", f"{event.subject} is heard again")


def _rumour_learned(view: ClusterView, event: e.RumourLearned) -> ClusterView:
    same = [r for r in view.rumours if (r.key, r.origin, r.version) == (event.key, event.origin, event.version)]
    if same:
        rumour = same[0]
        if any(known.node == event.node for known in rumour.learned):
            return view
        rumours = tuple(replace(r, learned=(*r.learned, event)) if r is rumour else r for r in view.rumours)
        return replace(view, rumours=rumours)
    rumour = Rumour(
        key=event.key,
        origin=event.origin,
        version=event.version,
        text=event.text,
        began_us=event.at_us,
        learned=(event,),
    )
    view = replace(view, rumours=(*view.rumours, rumour)[-RUMOURS_MAX:])
    return _tell(view, event.at_us, event.origin, "RUMOUR", event.text or event.key)


def _clock_gap(view: ClusterView, event: e.ClockGap) -> ClusterView:
    view = _node(view, event.node, frozen_us=event.gap_us)
    return _tell(view, event.at_us, event.node, "GAP", f"noticed that its own clock stood still for {seconds(event.gap_us)}")


def _telemetry_lost(view: ClusterView, event: e.TelemetryLost) -> ClusterView:
    view = replace(view, lost=view.lost + event.count)
    return _tell(view, event.at_us, event.node, "LOST", f"{event.count} safety events could not be delivered")


def _node_complaint(view: ClusterView, event: e.NodeComplaint) -> ClusterView:
    known = view.nodes.get(event.node)
    if known is not None:
        view = _node(view, event.node, complaints=known.complaints + 1, last_complaint=event.what)
    return _tell(view, event.at_us, event.node, "WARN", event.what)


# ---- faults, commands, judges -------------------------------------------------------------------------------------


def _fault_began(view: ClusterView, event: e.FaultBegan) -> ClusterView:
    view = replace(view, faults={**view.faults, event.id: FaultView(fault=event)})
    return _tell(view, event.at_us, ",".join(event.targets[:1]), "FAULT", f"{event.text}  #{event.id} {event.by}", event.id)


def _fault_ended(view: ClusterView, event: e.FaultEnded) -> ClusterView:
    ended = view.faults.get(event.id)
    if ended is None:
        return view
    past = PastFault(fault=ended.fault, ended_us=event.at_us, why=event.why, residue=event.residue)
    left = {number: fault for number, fault in view.faults.items() if number != event.id}
    view = replace(view, faults=left, past_faults=(*view.past_faults, past)[-PAST_FAULTS_MAX:])
    residue = f" ({event.residue})" if event.residue else ""
    text = f"{ended.fault.text}  #{event.id} {event.why}{residue}"
    return _tell(view, event.at_us, ",".join(ended.fault.targets[:1]), "HEAL", text, event.id)


def _plan_changed(view: ClusterView, event: e.PlanChanged) -> ClusterView:
    side_of = {node: number for number, side in enumerate(event.sides) for node in side}
    nodes = {
        name: node if node.side == side_of.get(name, 0) else replace(node, side=side_of.get(name, 0)) for name, node in view.nodes.items()
    }
    return replace(view, plan=event.plan, sides=event.sides, nodes=nodes)


def _command_done(view: ClusterView, event: e.CommandDone) -> ClusterView:
    view = replace(view, last_command=event.text, last_answer=event.answer, last_ok=event.ok)
    if event.ok:
        return view
    return _tell(view, event.at_us, "", "REFUSED", f"{event.text}: {event.answer}")


def _seat_changed(view: ClusterView, event: e.SeatChanged) -> ClusterView:
    others = tuple(seat for seat in view.seats if seat != event.seat)
    return replace(view, seats=(*others, event.seat) if event.joined else others)


def _ops_counted(view: ClusterView, event: e.OpsCounted) -> ClusterView:
    return sampled(replace(view, ops=event), event.at_us)


def _light_changed(view: ClusterView, event: e.LightChanged) -> ClusterView:
    before = view.lights.get(event.light)
    view = replace(view, lights={**view.lights, event.light: event})
    if (before is not None and before.state == event.state) or (before is None and event.state == "ok"):
        return view
    return _tell(view, event.at_us, "", "LIGHT", f"{event.light} is {event.state}{': ' if event.evidence else ''}{event.evidence}")


def _acked_counted(view: ClusterView, event: e.AckedCounted) -> ClusterView:
    view = replace(view, acked=event)
    text = f"{event.acked} acknowledged writes counted again, {event.lost or 'none'} lost"
    return _tell(view, event.at_us, "", "COUNT", text + (f": {', '.join(event.examples)}" if event.lost else ""))


def _freeze_changed(view: ClusterView, event: e.FreezeChanged) -> ClusterView:
    text = "the whole world stands still" if event.frozen else "the world goes on"
    return _tell(replace(view, frozen=event.frozen), event.at_us, "", "FREEZE", text)


def _heartbeat(view: ClusterView, event: e.Heartbeat) -> ClusterView:
    return sampled(view, event.at_us)


def _lab_closed(view: ClusterView, event: e.LabClosed) -> ClusterView:
    view = _end_reigns(replace(view, closed=event.why or "the lab ended", clean=event.clean), event.at_us, lambda reign: True)
    return _tell(view, event.at_us, "", "LAB", event.why)


RULES: dict[type, Callable[[ClusterView, Any], ClusterView]] = {
    e.LabOpened: _lab_opened,
    e.NodeEnlisted: _node_enlisted,
    e.ProcessChanged: _process_changed,
    e.NodeReady: _node_ready,
    e.NodeState: _node_state,
    e.RoleTaken: _role_taken,
    e.VoteGiven: _vote_given,
    e.LogTruncated: _log_truncated,
    e.SnapshotMade: _snapshot_made,
    e.GroupChanged: _group_changed,
    e.DiskStalled: _disk_stalled,
    e.AppliedMark: _evidence_only,
    e.LeaderCommit: _evidence_only,
    e.FaultHeard: _evidence_only,
    e.Shadow: _evidence_only,
    e.Verdict: _verdict,
    e.RumourLearned: _rumour_learned,
    e.ClockGap: _clock_gap,
    e.TelemetryLost: _telemetry_lost,
    e.NodeComplaint: _node_complaint,
    e.FaultBegan: _fault_began,
    e.FaultEnded: _fault_ended,
    e.PlanChanged: _plan_changed,
    e.CommandDone: _command_done,
    e.SeatChanged: _seat_changed,
    e.OpsCounted: _ops_counted,
    e.LightChanged: _light_changed,
    e.AckedCounted: _acked_counted,
    e.FreezeChanged: _freeze_changed,
    e.Heartbeat: _heartbeat,
    e.LabClosed: _lab_closed,
}
