"""Everything known of one node (`ui.cursor`), the truth beside what it believes, and what the others believe of it.

Law 1: a figure that its process can no longer renew is given with its age.
Law 2: `ui.scroll` lines are scrolled past; nothing is left out for lack of room without saying so.
"""

from __future__ import annotations

from cluster.core.types import Micros, NodeId, by_number
from cluster.telemetry.events import Belief, NodeState
from cluster.telemetry.view import ClusterView, NodeView
from tui.select.causes import disk_cause
from tui.select.events import KIND_STYLES
from tui.select.logcells import doomed_from
from tui.select.signs import SHAPES, shape, states_of
from tui.select.spans import clip, clock, count, duration, fit, listed, width_of, wrapped
from tui.select.standing import cut_links, has_quorum_contact, present_leader, quorum_of, reach, side_letter, split, voters_of
from tui.state import Row, Span, UiState

LABEL_CELLS = 11
TWO_COLUMNS_FROM = 110
GUTTER = 2
EVENTS_MAX = 30
# Own figures older than this are not of now.
STALE_US: Micros = 1_000_000


def rows(view: ClusterView, ui: UiState, width: int, height: int) -> list[Row]:
    """Facts and events on the left, the table of peers on the right; one below the other when narrow."""
    node = view.nodes.get(ui.cursor)
    if node is None:
        return fit([[(f"There is no node {ui.cursor}.", "dim")]], width, height, ascii=ui.ascii)
    head = [_head(view, ui, node)]
    if width >= TWO_COLUMNS_FROM:
        half = (width - GUTTER) // 2
        left = [*_facts(view, node, half), ((" ", ""),), *_faults(view, node, half), *_recent(view, node, half)]
        lines = _beside(left, _peers(view, ui, node), half)
    else:
        lines = [*_facts(view, node, width), *_faults(view, node, width), *_peers(view, ui, node), *_recent(view, node, width)]
    room = height - 1
    start = min(max(0, ui.scroll), max(0, len(lines) - room))
    shown = lines[start : start + room]
    if start + room < len(lines) and shown:
        shown[-1] = ((f"… {len(lines) - start - room + 1} more lines: ", "warn"), ("pgdn", "key"))
    return fit([*head, *shown], width, height, ascii=ui.ascii)


def _beside(left: list[Row], right: list[Row], half: int) -> list[Row]:
    lines: list[Row] = []
    for place in range(max(len(left), len(right))):
        row = clip(left[place], half) if place < len(left) else ()
        lines.append((*row, (" " * (half - width_of(row) + GUTTER), ""), *(right[place] if place < len(right) else ())))
    return lines


def _head(view: ClusterView, ui: UiState, node: NodeView) -> list[Span]:
    state = states_of(view)[node.node]
    letter = side_letter(node.side)
    spans: list[Span] = [(f"{shape(state, ui.ascii)} {node.node} ", state), (f"{SHAPES[state][2]} {state}", state)]
    if split(view):
        spans.append((f"  side {letter}", f"side.{letter.lower()}"))
    if node.node not in voters_of(view):
        spans.append(("  no vote: a gossip member", "dim"))
    return spans


def _fact(label: str, text: str, width: int, style: str = "") -> list[Row]:
    return wrapped(text, width, style, lead=f"{label:<{LABEL_CELLS}}", lead_style="axis", lines_max=3)


# ---- facts --------------------------------------------------------------------------------------------------------


def _facts(view: ClusterView, node: NodeView, width: int) -> list[Row]:
    lines = _truth(view, node, width)
    state = node.state
    if state is None:
        return lines + _fact("believes", "nothing reported yet in this life", width, "dim")
    age = max(0, view.now_us - state.at_us)
    stale = age > STALE_US or node.process in ("paused", "down")
    believes, style = _role(view, node, state)
    lines += _fact("believes", believes + (f" (its last words, {duration(age)} ago)" if stale else ""), width, style)
    if state.role != "observer":
        lines += _fact("log", *_log(view, state, width))
        lines += _fact("timer", *_timer(view, node, state, width))
        if state.proposals_waiting or state.reads_waiting:
            text = f"{count(state.proposals_waiting, 'write')} and {count(state.reads_waiting, 'read')} wait for an answer"
            lines += _fact("clients", text, width)
    lines += _fact("disk", *_disk(view, state, width))
    lines += _fact("clock", *_clock(node, state, width))
    lines += _fact("traffic", _traffic(state), width)
    if node.complaints:
        lines += _fact("complaints", f"{node.complaints}, the last: {node.last_complaint}", width, "warn")
    if state.telemetry_lost:
        lines += _fact("reports", f"{state.telemetry_lost} of its reports were lost", width, "warn")
    return lines


def _truth(view: ClusterView, node: NodeView, width: int) -> list[Row]:
    words = {"up": "runs", "paused": "is frozen", "down": "is dead", "starting": "is starting"}[node.process]
    since = f" for {duration(max(0, view.now_us - node.since_us))}" if node.since_us else ""
    pid = f", pid {node.pid}" if node.pid and node.process in ("up", "paused") else ""
    life = f", life {node.epoch}" if node.epoch > 1 else ""
    why = f": {node.why}" if node.why and node.process != "up" else ""
    lines = _fact("truth", f"{words}{since}{pid}{life}{why}", width, "good" if node.process == "up" else "warn")
    if node.node in voters_of(view) and node.process == "up":
        reached, quorum = reach(view, cut_links(view), node.node), quorum_of(view)
        text = f"{listed(reached, 9)}: {len(reached)} of {len(voters_of(view))} voters, {quorum} needed"
        lines += _fact("reaches", text, width, "" if len(reached) >= quorum else "bad")
    return lines


def _role(view: ClusterView, node: NodeView, state: NodeState) -> tuple[str, str]:
    """What it believes of itself, and whether that is so."""
    if state.role == "observer":
        return "it only gossips", ""
    leader = present_leader(view)
    vote = f"voted for {'itself' if state.vote == node.node else state.vote}" if state.vote else "has not voted"
    if state.role == "leader":
        stale = leader is not None and leader.term > state.term
        if stale:
            assert leader is not None, "a newer leader exists"
            return f"it leads term {state.term}. Not so: {leader.node} leads term {leader.term}", "bad"
        heard = "" if has_quorum_contact(view, state) else ". It hears no quorum, so it can commit nothing"
        return f"it leads term {state.term}, {vote}{heard}", "bad" if heard else "good"
    follows = f"follows {state.leader}" if state.leader else "knows no leader"
    behind = leader is not None and leader.term > state.term
    late = f". Not so: {leader.node} leads term {leader.term}" if behind and leader is not None else ""
    return f"it is a {state.role} in term {state.term}, {follows}, {vote}{late}", "warn" if late or not state.leader else ""


def _log(view: ClusterView, state: NodeState, width: int) -> tuple[str, int, str]:
    open_entries = state.last_index - state.commit
    text = f"last {state.last_index}, committed {state.commit}, applied {state.applied}"
    doomed = doomed_from(state, present_leader(view))
    if doomed is not None:
        lost = state.last_index - doomed + 1
        return f"{text}; {count(lost, 'entry', 'entries')} from {doomed} on will be overwritten", width, "bad"
    waits = f"; {count(open_entries, 'entry', 'entries')} not committed" if open_entries else ""
    return text + waits, width, ""


def _timer(view: ClusterView, node: NodeView, state: NodeState, width: int) -> tuple[str, int, str]:
    if node.process != "up":
        return "stands still: the process does not run", width, "dim"
    if state.role == "leader":
        if state.quorum_age_us < 0:
            return "no quorum has answered yet", width, "warn"
        good = has_quorum_contact(view, state)
        return f"a quorum answered {duration(state.quorum_age_us)} ago", width, "" if good else "bad"
    if state.election_in_us < 0:
        return "no election timer runs", width, "dim"
    return f"campaigns in {duration(state.election_in_us)} unless a leader is heard", width, ""


def _disk(view: ClusterView, state: NodeState, width: int) -> tuple[str, int, str]:
    cause = disk_cause(view, state.node)
    busy = f"a write waits {duration(state.disk_busy_us)}" if state.disk_busy_us else "idle"
    median = f"{state.fsync_us} µs" if state.fsync_us < 10_000 else duration(state.fsync_us)
    return f"{busy}, fsync {median} (median)" + (f" · {cause}" if cause else ""), width, "bad" if cause else ""


def _clock(node: NodeView, state: NodeState, width: int) -> tuple[str, int, str]:
    skew = f"wrong by {'+' if state.skew_us > 0 else '−'}{duration(abs(state.skew_us))}" if state.skew_us else "right"
    froze = f", once stood still for {duration(node.frozen_us)}" if node.frozen_us else ""
    return skew + froze, width, "warn" if state.skew_us else ""


def _traffic(state: NodeState) -> str:
    dropped = sum(number for _, number in state.dropped)
    lost = f", {dropped} to peers dropped by faults" if dropped else ""
    return f"sent {state.sent}, received {state.received}{lost}; {state.gossip_rounds} rounds of gossip"


def _faults(view: ClusterView, node: NodeView, width: int) -> list[Row]:
    """The faults in force that touch it."""
    lines: list[Row] = []
    for number, active in sorted(view.faults.items(), reverse=True):
        if node.node in active.fault.targets:
            until = active.fault.until_us
            left = f"{duration(max(0, until - view.now_us))} left" if until else "until healed"
            lines += _fact(f"fault #{number}", f"{active.fault.text}, {left}", width, "warn")
    return lines


# ---- the others ---------------------------------------------------------------------------------------------------


def _peers(view: ClusterView, ui: UiState, node: NodeView) -> list[Row]:
    """Per peer: its φ about this node, this node's φ about it, silence left until conviction, round trip, drops."""
    own = {belief.node: belief for belief in node.state.beliefs} if node.state is not None else {}
    rtt = dict(node.state.rtt) if node.state is not None else {}
    dropped = dict(node.state.dropped) if node.state is not None else {}
    states, me = states_of(view), node.node
    lines: list[Row] = [((f"peer   {f'φ of {me}':>9}{f'φ by {me}':>9}  {'convicts in':>11}{'rtt':>8}{'dropped':>9}", "axis"),)]
    for name in by_number(other for other in view.nodes if other != node.node):
        theirs = _belief_about(view, name, me)
        spans: list[Span] = [(f"{shape(states[name], ui.ascii)} {name:<5}", states[name])]
        spans += [_phi(theirs, 8), _phi(own.get(name), 9)]
        mine = own.get(name)
        left = mine.countdown_us if mine is not None and mine.alive else -1
        countdown = "suspected" if mine is not None and not mine.alive else duration(left) if left >= 0 else "–"
        spans.append((f"{countdown:>13}", "bad" if countdown == "suspected" else "dim"))
        spans.append((f"{_milliseconds(rtt.get(name)):>8}", ""))
        lost = dropped.get(name, 0)
        spans.append((f"{lost or '–':>9}", "warn" if lost else "dim"))
        lines.append(tuple(spans))
    return lines


def _belief_about(view: ClusterView, observer: NodeId, subject: NodeId) -> Belief | None:
    node = view.nodes[observer]
    if node.state is None or node.process != "up":
        return None
    return next((belief for belief in node.state.beliefs if belief.node == subject), None)


def _phi(belief: Belief | None, cells: int) -> Span:
    if belief is None or belief.phi_tenths < 0:
        return "–".rjust(cells), "nodata"
    text = "≥99" if belief.phi_tenths >= 990 else f"{belief.phi_tenths / 10:.1f}"
    return text.rjust(cells), "dim" if belief.alive and belief.phi_tenths < 30 else "warn" if belief.alive else "bad"


def _milliseconds(round_trip_us: int | None) -> str:
    return "–" if round_trip_us is None else f"{round_trip_us / 1000:.1f}ms"


def _recent(view: ClusterView, node: NodeView, width: int) -> list[Row]:
    """The newest events of it, and those of others that name it, newest first."""
    zero = view.lab.at_us if view.lab is not None else 0
    lines: list[Row] = [(("what happened to it, newest first", "axis"),)]
    for line in reversed(view.log):
        if line.node == node.node or node.node in line.text.split():
            who = f"{line.node} " if line.node != node.node else ""
            kind = KIND_STYLES.get(line.kind, "dim")
            lines.append(clip(((f"{clock(line.at_us, zero)} ", "dim"), (f"{line.kind:<8}", kind), (who + line.text, "")), width))
        if len(lines) > EVENTS_MAX:
            break
    return lines if len(lines) > 1 else []
