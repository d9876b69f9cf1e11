"""The node table: one row per node, grouped by side, truth and belief in one line.

Law 1: columns are dropped from the right of their importance as the pane narrows; node, shape and letter always stand.
Law 2: the cursor is always among the rows shown.
"""

from __future__ import annotations

from collections.abc import Sequence

from cluster.core.types import NodeId, by_number
from cluster.telemetry.view import ClusterView, FaultView, NodeView
from tui.select.pulse import phi_text, side_style, verdict
from tui.select.signs import SHAPES, shape, states_of
from tui.select.spans import clip, duration, fit, window_around
from tui.select.standing import by_side, side_letter, split, voters_of
from tui.state import Row, Span, UiState

# name, width, importance (1 stays longest)
COLUMNS = (
    ("term", 5, 1), ("commit", 8, 2), ("lag", 5, 4), ("φ", 6, 3), ("rtt", 7, 6), ("cpu", 5, 7), ("side", 5, 8),
)  # fmt: skip
NAME_CELLS = 11
FAULT_CELLS = 14
# Kinds that act on links or clocks, as they read in the fault column.
SHORT = {"pause": "‖ GC", "crash": "✖ crash", "isolate": "╳ isolated", "cut": "╳ cut", "slow": "~ slow", "loss": "~ loss"}


def rows(view: ClusterView, ui: UiState, width: int, height: int) -> list[Row]:
    """A heading, then as many nodes as fit, the cursor's among them."""
    shown = order(view, ui)
    if not shown:
        text = f"no node contains {ui.filter!r}" if ui.filter else "waiting for the first node …"
        return fit([[(f" {text}", "dim")]], width, height)
    columns = _columns(width)
    body = _body(view, ui, shown, columns, width)
    focus = next((y for y, (node, _) in enumerate(body) if node == ui.cursor), 0)
    room = max(1, height - 1)
    visible = [body[y][1] for y in window_around(len(body), focus, room)]
    return fit([_heading(columns, ui), *visible], width, height)


def order(view: ClusterView, ui: UiState) -> list[NodeId]:
    """The nodes in the order in which they stand on the screen (the cursor moves along it)."""
    wanted = [node for node in by_number(view.nodes) if ui.filter in node or any(ui.filter in word for word in _words(view, node))]
    if ui.order == "commit":
        return sorted(wanted, key=lambda node: -_commit(view.nodes[node]))
    return by_side(view, wanted) if ui.order == "side" else wanted


def _words(view: ClusterView, node: NodeId) -> tuple[str, ...]:
    known = view.nodes[node]
    return (known.process, known.state.role if known.state else "")


def _commit(node: NodeView) -> int:
    return node.state.commit if node.state is not None else -1


def _columns(width: int) -> list[tuple[str, int]]:
    room = width - NAME_CELLS - FAULT_CELLS
    kept: list[str] = []
    for name, cells, _ in sorted(COLUMNS, key=lambda column: column[2]):
        if cells <= room:
            kept.append(name)
            room -= cells
    return [(name, cells) for name, cells, _ in COLUMNS if name in kept]


def _heading(columns: Sequence[tuple[str, int]], ui: UiState) -> list[Span]:
    names = "".join(("phi" if name == "φ" and ui.ascii else name).rjust(cells) for name, cells in columns)
    return [(f"   {'node':<5}st ", "axis"), (names, "axis"), ("  fault", "axis")]


def _body(
    view: ClusterView, ui: UiState, shown: list[NodeId], columns: Sequence[tuple[str, int]], width: int
) -> list[tuple[NodeId, Row]]:
    states = states_of(view)
    suspicion = suspicions(view)
    top = max((_commit(node) for node in view.nodes.values()), default=0)
    faults = _faults_by_node(view)
    body: list[tuple[NodeId, Row]] = []
    grouped = ui.order == "side" and split(view)
    side = -1
    for name in shown:
        node = view.nodes[name]
        if grouped and node.side != side:
            side = node.side
            body.append(("", _side_heading(view, ui, states, side, width)))
        cells = _cells(view, node, suspicion.get(name, -1), top)
        body.append((name, _row(view, ui, node, states[name], [(cells[c], w) for c, w in columns], faults.get(name, ()), width)))
    return body


def _side_heading(view: ClusterView, ui: UiState, states: dict[NodeId, str], side: int, width: int) -> Row:
    word, style, up = verdict(view, states, view.sides[side])
    line = "─" if not ui.ascii else "-"
    letter, count = side_letter(side), f" {up}/{len(voters_of(view))} "
    head = [(f" {line} ", "faint"), (letter, f"{side_style(side)}+bold"), (count, "dim"), (word, style)]
    used = sum(len(text) for text, _ in head)
    return clip([*head, (" " + line * max(0, width - used - 2), "faint")], width)


def suspicions(view: ClusterView) -> dict[NodeId, int]:
    """The highest φ (tenths) that any running node holds about each."""
    highest: dict[NodeId, int] = {}
    for node in view.nodes.values():
        if node.process == "up" and node.state is not None:
            for belief in node.state.beliefs:
                if belief.phi_tenths > highest.get(belief.node, -1):
                    highest[belief.node] = belief.phi_tenths
    return highest


def _cells(view: ClusterView, node: NodeView, phi_tenths: int, top: int) -> dict[str, Span]:
    state = node.state
    threshold = 10 * (view.lab.threshold if view.lab else 8.0)
    hot = "bad" if phi_tenths >= threshold else "warn" if phi_tenths >= threshold / 2 else ""
    cells = {
        "φ": (phi_text(phi_tenths), hot),
        "side": (side_letter(node.side), side_style(node.side)),
    }
    if state is None:
        return cells | dict.fromkeys(("term", "commit", "lag", "rtt", "cpu"), ("-", "faint"))
    if state.role == "observer":
        return cells | dict.fromkeys(("term", "commit", "lag"), ("", "")) | _edge(node)
    lag = top - state.commit
    return cells | {
        "term": (str(state.term), ""),
        "commit": (str(state.commit), ""),
        "lag": (str(lag), "warn" if lag > 8 else "dim" if not lag else ""),
    } | _edge(node)


def _edge(node: NodeView) -> dict[str, Span]:
    assert node.state is not None
    times = sorted(rtt for _, rtt in node.state.rtt)
    median = times[len(times) // 2] / 1000 if times else None
    rtt = "-" if median is None else f"{median:.1f}ms" if median < 10 else f"{median:.0f}ms"
    return {"rtt": (rtt, "dim" if median is None or median < 20 else "warn"), "cpu": (f"{node.cpu_percent:.0f}%", "dim")}


def _row(
    view: ClusterView, ui: UiState, node: NodeView, state: str, cells: list[tuple[Span, int]], faults: Sequence[FaultView], width: int
) -> Row:
    here = node.node == ui.cursor
    marked = node.node in ui.marked
    pointer = (">" if ui.ascii else "▸") if here else " "
    tick = ("+" if ui.ascii else "•") if marked else " "
    pale = node.process != "up"
    spans: list[Span] = [
        (pointer, "cursor" if here else ""),
        (tick, "marked"),
        (f" {node.node:<4}", "cursor" if here else "marked" if marked else side_style(node.side) if split(view) else ""),
        (f"{shape(state, ui.ascii)}{SHAPES[state][2]:<3}", state),
    ]
    for (text, style), cells_wide in cells:
        spans.append((text.rjust(cells_wide), "faint" if pale and style in ("", "dim") else style))
    return clip([*spans, ("  ", ""), *_note(view, ui, node, state, faults)], width)


def _note(view: ClusterView, ui: UiState, node: NodeView, state: str, faults: Sequence[FaultView]) -> list[Span]:
    """What is wrong with it, worst first: the fault and how long it still lasts, or what it believes wrongly."""
    spans: list[Span] = []
    if state == "stale":
        spans.append(("stale leader ", "stale"))
    elif node.state is not None and node.process == "up" and node.state.disk_busy_us > 300_000:
        spans.append((f"disk stuck {duration(node.state.disk_busy_us)} ", "warn"))
    for view_of in faults[:2]:
        fault = view_of.fault
        left = f" {duration(fault.until_us - view.now_us)}" if fault.until_us else ""
        name = SHORT.get(fault.kind, fault.kind) if not ui.ascii else fault.kind
        spans.append((f"{name}{left} #{fault.id} ", "warn"))
    if node.process == "down" and not faults:
        spans.append((node.why, "dead"))
    if step := pending_step(view, node.node):
        spans.append((f"{step} ", "warn"))
    return spans


def pending_step(view: ClusterView, node: NodeId) -> str:
    """What a change of the group that is under way has in store for a node; "" when nothing."""
    if view.group is None:
        return ""
    group = view.group.membership
    stays = group.goal or group.voters
    if node in stays and not group.votes(node):
        return "learns, then votes"
    if group.votes(node) and node not in stays:
        return "leaves" if group.outgoing else "is to leave"
    if not view.group.committed and node in group.learners:
        return "joins to learn"
    return ""


def _faults_by_node(view: ClusterView) -> dict[NodeId, list[FaultView]]:
    by_node: dict[NodeId, list[FaultView]] = {}
    for fault in view.faults.values():
        if fault.fault.kind == "cut" and split(view):
            continue  # told by the side's heading
        for target in fault.fault.targets:
            by_node.setdefault(target, []).append(fault)
    return by_node
