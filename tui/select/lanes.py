"""Log lanes: one row per voter, one cell per entry, drawn as the last digit of the entry's term.

Law 1: a column is an index, the same in every lane, up to that lane's commit mark; the mark takes one cell of its own.
Law 2: `!` is computed, never guessed (`logcells.doomed_from`).
Law 3: `ui.scroll` counts entries back from the newest; the window moves by tens, so that the lanes stand still while they grow.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from cluster.core.types import NodeId, by_number
from cluster.telemetry.events import NodeState, PeerProgress
from cluster.telemetry.view import ClusterView, NodeView
from tui.select.logcells import COMMIT_MARK, doomed_from, entry_spans, term_style
from tui.select.signs import shape, states_of
from tui.select.spans import count, duration, fit, width_of, window_around
from tui.select.standing import (
    highest_term,
    leader_of_side,
    present_leader,
    quorum_of,
    running,
    side_letter,
    silent_for,
    split,
    voters_of,
)
from tui.state import Row, Span, UiState

STEP = 10
LEAST_CELLS = 4  # a lane of which fewer are in the window, none of them committed, is shown by its end
TAIL_CELLS = 8  # entries shown of a lane that ends before the window
# Heading and width of what stands to the right of the lanes, and the least pane width at which each is shown.
COLUMNS = (("next", 6, 100), ("match", 6, 48), ("vote", 5, 70), ("lease / timer", 14, 48))


class _Frame(NamedTuple):
    """Where things stand in one drawing: cells left of the lanes, cells of the lanes, and the index of the first cell."""

    left: int
    cells: int
    first: int
    columns: tuple[tuple[str, int], ...]
    states: dict[NodeId, str]
    leader: NodeState | None
    progress: dict[NodeId, PeerProgress]  # by the leader of each node's own side


def rows(view: ClusterView, ui: UiState, width: int, height: int) -> list[Row]:
    """The pane. A cut is drawn as a line between the lanes of its sides when `ui.order` is "side"."""
    voters = voters_of(view)
    if not voters:
        return fit([[("No voters yet: the cluster is starting.", "dim")]], width, height, ascii=ui.ascii)
    frame = _frame(view, ui, voters, width)
    axis = _axis(frame)[: 2 if height >= 7 else 1]
    legend = _legend(view, width, ascii=ui.ascii) if height >= 4 else []
    room = height - len(axis) - len(legend)
    lines = _ordered(view, ui, voters)
    focus = lines.index(ui.cursor) if ui.cursor in lines else 0
    shown = window_around(len(lines), focus, room)
    drawn = [_line(view, ui, lines[place], frame) for place in shown]
    if len(shown) < len(lines) and legend:
        hidden = sum(isinstance(line, str) for line in lines) - sum(isinstance(lines[p], str) for p in shown)
        short = _legend(view, 0, ascii=ui.ascii)
        legend[0] = [(f"{count(hidden, 'voter')} not shown, move the cursor · ", "warn"), *short[0]]
    return fit([*axis, *drawn, *legend], width, height, ascii=ui.ascii)


def _frame(view: ClusterView, ui: UiState, voters: Sequence[NodeId], width: int) -> _Frame:
    left = 2 + (2 if split(view) else 0) + max(len(v) for v in voters) + 3
    columns = tuple((name, cells) for name, cells, least in COLUMNS if width >= least)
    cells = max(1, width - left - (2 if columns else 0) - sum(cells for _, cells in columns))
    states = [view.nodes[v].state for v in voters]
    newest = max((state.last_index for state in states if state is not None), default=0)
    last = max(newest - ui.scroll, min(newest, cells - 1))
    needed = last + 2 - cells  # one cell more for the commit mark
    first = 1 if needed <= 1 else -(-(needed - 1) // STEP) * STEP + 1
    return _Frame(left, cells, first, columns, states_of(view), present_leader(view), _progress(view, voters))


def _progress(view: ClusterView, voters: Sequence[NodeId]) -> dict[NodeId, PeerProgress]:
    """What the leader of each voter's side believes of it: on a cut-off side that is the stale one."""
    found: dict[NodeId, PeerProgress] = {}
    for side in sorted({view.nodes[v].side for v in voters}):
        leader = leader_of_side(view, side)
        if leader is not None:
            found.update({peer.node: peer for peer in leader.progress if view.nodes[peer.node].side == side})
    return found


def _axis(frame: _Frame) -> list[list[Span]]:
    """The indexes above the lanes, and a tick under each."""
    numbers, ticks = [" "] * frame.cells, [" "] * frame.cells
    for index in range(-(-frame.first // STEP) * STEP, frame.first + frame.cells, STEP):
        text, column = str(index), index - frame.first
        start = column - len(text) + 1
        if start >= 0 and all(cell == " " for cell in numbers[max(0, start - 1) : start]):
            numbers[start : column + 1] = text
            ticks[column] = "╷"
    heads: list[list[Span]] = [
        [("index".ljust(frame.left), "axis"), ("".join(numbers), "axis")],
        [(" " * frame.left, ""), ("".join(ticks), "axis")],
    ]
    if frame.columns:
        heads[0].append(("│ ", "axis"))
        heads[1].append(("│", "axis"))
        heads[0] += [(name.ljust(cells), "axis") for name, cells in frame.columns]
    return heads


def _ordered(view: ClusterView, ui: UiState, voters: Sequence[NodeId]) -> list[NodeId | int]:
    """The lanes from top to bottom; a number is the line that opens that side of the cut."""
    states = {v: view.nodes[v].state for v in voters}

    def commit(node: NodeId) -> int:
        state = states[node]
        return state.commit if state is not None else -1

    def reign(node: NodeId) -> int:
        state = states[node]
        return state.term if state is not None and state.role == "leader" else -1

    nodes = by_number(voters)
    lines: list[NodeId | int] = []
    if ui.order != "side":
        ordered = nodes if ui.order == "id" else sorted(nodes, key=commit, reverse=True)
        return [*ordered]
    for side in sorted({view.nodes[v].side for v in nodes}):
        if lines:
            lines.append(side)
        here = sorted((v for v in nodes if view.nodes[v].side == side), key=reign, reverse=True)
        lines.extend(here)
    return lines


def _line(view: ClusterView, ui: UiState, line: NodeId | int, frame: _Frame) -> list[Span]:
    return _cut_line(view, line, frame) if isinstance(line, int) else _lane(view, ui, line, frame)


def _cut_line(view: ClusterView, side: int, frame: _Frame) -> list[Span]:
    """The seam above a side, with what that side is worth."""
    here = [v for v in voters_of(view) if view.nodes[v].side == side]
    alive = [v for v in here if running(view.nodes[v])]
    verdict = "has a quorum" if len(alive) >= quorum_of(view) else f"needs {quorum_of(view)}"
    text = f"╳ {side_letter(side)}: {len(alive)} of {len(voters_of(view))} voters run here, {verdict} "
    line = f"  ┄┄ {text}".ljust(frame.left + frame.cells, "┄")
    return [(line[: frame.left + frame.cells], "warn"), *([("│", "axis")] if frame.columns else [])]


def _lane(view: ClusterView, ui: UiState, name: NodeId, frame: _Frame) -> list[Span]:
    node = view.nodes[name]
    spans = _head(view, ui, node, frame)
    state = node.state
    if state is None:
        spans.append(("nothing reported yet"[: frame.cells], "dim"))
    elif state.last_index < frame.first or (state.commit < frame.first and state.last_index < frame.first + LEAST_CELLS):
        spans += _far_behind(state, frame, ascii=ui.ascii)
    else:
        doomed = doomed_from(state, frame.leader)
        used = width_of(spans)
        for text, style in entry_spans(state, frame.first, frame.cells, doomed, ascii=ui.ascii):
            spans.append((text[: max(0, frame.left + frame.cells - used)], style))
            used += len(text)
    if frame.columns:
        spans.append((" " * max(0, frame.left + frame.cells - width_of(spans)), ""))
        spans.append(("│ ", "axis"))
        texts = _figures(view, node, frame)
        spans += [(_cell(texts[name][0], cells), texts[name][1]) for name, cells in frame.columns]
    return spans


def _far_behind(state: NodeState, frame: _Frame, *, ascii: bool) -> list[Span]:
    """A lane that ends left of the first column: its last entries behind an arrow, and where they stand."""
    if not state.last_index:
        return [("an empty log"[: frame.cells], "dim")]
    where = f" ends at {state.last_index}"
    if frame.cells < TAIL_CELLS + len(where) + 3:
        return [(f"←{where}"[: frame.cells], "dim")]
    first = max(1, state.last_index - TAIL_CELLS + 1)
    entries = entry_spans(state, first, TAIL_CELLS + 1, doomed_from(state, frame.leader), ascii=ascii)
    return [("← ", "dim"), *entries, (where, "dim")]


def _cell(text: str, cells: int) -> str:
    return text[: cells - 1].ljust(cells)


def _head(view: ClusterView, ui: UiState, node: NodeView, frame: _Frame) -> list[Span]:
    state = frame.states[node.node]
    picked, marked = node.node == ui.cursor, node.node in ui.marked
    spans: list[Span] = [(("▸" if picked else "•" if marked else " ") + " ", "cursor" if picked else "marked")]
    if split(view):
        letter = side_letter(node.side)
        spans.append((f"{letter} ", f"side.{letter.lower()}"))
    spans.append((f"{node.node} ".ljust(frame.left - width_of(spans) - 2), "title" if picked else ""))
    spans.append((shape(state, ui.ascii) + " ", state))
    return spans


def _figures(view: ClusterView, node: NodeView, frame: _Frame) -> dict[str, Span]:
    """Heading -> text and style of the columns on the right."""
    state, progress = node.state, frame.progress.get(node.node)
    vote = "" if state is None or state.vote is None else ("self" if state.vote == node.node else state.vote)
    return {
        "next": (str(progress.next_index) if progress else "–", ""),
        "match": (str(progress.match_index) if progress else "–", ""),
        "vote": (vote or "–", ""),
        "lease / timer": _timer(view, node, state),
    }


def _timer(view: ClusterView, node: NodeView, state: NodeState | None) -> Span:
    """Leaders: since a quorum answered. Followers: until they campaign. Processes that do not run: since when."""
    if node.process == "paused":
        return f"frozen {duration(silent_for(view, node))}", "paused"
    if node.process == "down":
        return f"down {duration(silent_for(view, node))}", "dead"
    if state is None:
        return "starting", "dim"
    if state.role == "leader":
        age = state.quorum_age_us
        limit = view.lab.election_min_us if view.lab else 0
        if age < 0:
            return "not heard", "warn"
        return ("EXPIRED", "bad") if age > limit else (f"heard {duration(age)}", "good")
    if state.role in ("candidate", "precandidate"):
        return "campaigns", "candidate"
    return (f"fires {duration(state.election_in_us)}", "dim") if state.election_in_us >= 0 else ("–", "dim")


def _legend(view: ClusterView, width: int, *, ascii: bool) -> list[list[Span]]:
    """How to read a lane, and how many nodes keep no log."""
    leader = present_leader(view)
    term = leader.term if leader is not None else max(1, highest_term(view))
    roomy = width >= 100
    spans: list[Span] = [
        (str(term % 10), term_style(term)),
        (f" {'an entry of ' if roomy else ''}term {term} · ", "dim"),
        (COMMIT_MARK[ascii], "commit"),
        (" commit index, beyond it not committed" if roomy else " commit · beyond it not committed", "dim"),
    ]
    if leader is not None:
        fate = f" will be overwritten by {leader.node}'s log" if roomy else " to be overwritten"
        spans += [(" · ", "dim"), ("!", "bad"), (fate, "dim")]
    observers = len(view.nodes) - len(voters_of(view))
    if observers and width >= 140:
        spans.append((f" · {count(observers, 'observer keeps', 'observers keep')} no log", "dim"))
    return [spans]
