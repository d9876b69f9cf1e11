"""The followers as their leader sees them: next and match index, state, age of the last answer, and how far behind.

Law 1: every figure is the leader's own belief; what is true of the follower's process stands beside it.
Law 2: the entries a majority holds are what can commit: `✓` marks the followers that count towards it.
"""

from __future__ import annotations

from cluster.core.types import node_number
from cluster.telemetry.events import NodeState, PeerProgress
from cluster.telemetry.view import ClusterView
from tui.select.causes import why_silent
from tui.select.signs import shape, states_of
from tui.select.spans import bar, count, duration, fit, window_around
from tui.select.standing import faulty_links, has_quorum_contact, present_leader, quorum_of, voters_of
from tui.state import Row, Span, UiState

BAR_CELLS_MAX = 24
FIXED_CELLS, CAUSE_CELLS = 52, 22
NARROW = FIXED_CELLS + CAUSE_CELLS  # below it next index and state give way to the cause
# Lags are drawn against the worst of them, but never against less: three entries behind is not a full bar.
LAG_SCALE_LEAST = 20


def rows(view: ClusterView, ui: UiState, width: int, height: int) -> list[Row]:
    """The present leader's table, then those of stale leaders while there is room."""
    leader = present_leader(view)
    if leader is None:
        return fit([[("Nobody leads, so nobody replicates.", "warn")]], width, height, ascii=ui.ascii)
    drawn = _table(view, ui, leader, width, height)
    for name, node in view.nodes.items():
        state = node.state
        if state is None or state.role != "leader" or name == leader.node or node.process == "down":
            continue
        if height - len(drawn) >= 4:
            drawn += [[("", "")], *_table(view, ui, state, width, height - len(drawn) - 1)]
    return fit(drawn, width, height, ascii=ui.ascii)


def _table(view: ClusterView, ui: UiState, leader: NodeState, width: int, height: int) -> list[list[Span]]:
    peers = sorted(leader.progress, key=lambda peer: node_number(peer.node))
    cells = min(BAR_CELLS_MAX, max(0, width - FIXED_CELLS - CAUSE_CELLS))
    lines: list[list[Span]] = [_title(view, leader, width)]
    if height >= 4:
        bar_head = f" {'lag'.ljust(cells)}" if cells >= 6 else ""
        next_head, state_head = (f"{'next':>8}", f"{'state':<10}") if width >= NARROW else ("", "")
        lines.append([(f"     {'':3}{'match':>8}{next_head}{'lag':>6}  {'answered':<10}{state_head}{bar_head} cause", "axis")])
    room = height - len(lines)
    focus = next((place for place, peer in enumerate(peers) if peer.node == ui.cursor), 0)
    shown = window_around(len(peers), focus, room)
    worst = max((leader.last_index - peer.match_index for peer in peers), default=0)
    scale = max(LAG_SCALE_LEAST, worst)
    states, links = states_of(view), faulty_links(view)
    for place in shown:
        peer = peers[place]
        spans = _figures(view, ui, leader, peer, states.get(peer.node, "starting"))
        if width >= NARROW:
            spans.insert(-2, (f"{peer.next_index:>8}", ""))
            spans.append((f"{peer.state:<10}", "warn" if peer.state == "probe" else "dim"))
        if cells >= 6:
            lag = leader.last_index - peer.match_index
            spans.append((" " + bar(lag / scale, cells, ascii=ui.ascii), "warn" if lag > 0 else "dim"))
        spans.append((" " + why_silent(view, links, leader, peer), "dim"))
        lines.append(spans)
    return lines


def _title(view: ClusterView, leader: NodeState, width: int) -> list[Span]:
    holding = 1 + sum(peer.match_index >= leader.commit for peer in leader.progress)
    voters, quorum = len(voters_of(view)), quorum_of(view)
    heard = has_quorum_contact(view, leader)
    held = f" · commit {leader.commit}, held by {holding}"
    group = f" leads term {leader.term}: {count(voters, 'voter')}, quorum {quorum}"
    if len(leader.node + group + held) > width:
        group = f" leads term {leader.term} · quorum {quorum} of {voters}"
    spans: list[Span] = [(leader.node, "leader" if heard else "stale"), (group, ""), (held, "" if holding >= quorum else "warn")]
    if not heard:
        spans.append((" · hears no quorum: nothing can commit", "bad"))
    elif width >= 90:
        spans.append((f" · log ends at {leader.last_index}, quorum heard {duration(leader.quorum_age_us)} ago", "dim"))
    return spans


def _figures(view: ClusterView, ui: UiState, leader: NodeState, peer: PeerProgress, state: str) -> list[Span]:
    lag = leader.last_index - peer.match_index
    counts = peer.match_index >= leader.commit
    picked = peer.node == ui.cursor
    late = view.lab is not None and peer.ack_age_us > view.lab.election_min_us
    return [
        ("▸" if picked else " ", "cursor"),
        (f"{peer.node:<4}", "title" if picked else ""),
        (shape(state, ui.ascii), state),
        (" ✓" if counts and not ui.ascii else " y" if counts else "  ", "good"),
        (f"{peer.match_index:>8}", ""),
        (f"{lag:>6}", "warn" if lag else "dim"),
        (f"  {duration(peer.ack_age_us):<10}", "bad" if late else ""),
    ]
