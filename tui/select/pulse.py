"""Row 2 of every screen, the pulse strip: one glyph per node, bracketed by side, and the quorum's verdict in words.

Law 1: a quorum counts voters, wherever they are; a node without a vote changes no verdict.
Law 2: fifty nodes fit in 80 columns; what stands to the right of them is left out first.
"""

from __future__ import annotations

from cluster.core.types import NodeId
from cluster.telemetry.view import ClusterView
from tui.select.signs import shape, states_of
from tui.select.spans import fit, width_of
from tui.select.standing import highest_term, quorum_of, running, side_letter, split, voters_of
from tui.state import Row, Span, UiState

SIDE_STYLES = ("side.a", "side.b", "side.c", "side.d")


def rows(view: ClusterView, ui: UiState, width: int, height: int) -> list[Row]:
    """One row."""
    states = states_of(view)
    spans: list[Span] = [(" ", "")]
    for number, side in enumerate(view.sides or (tuple(view.nodes),)):
        if number:
            spans.append((" ╳╳ " if not ui.ascii else " XX ", "bad"))
        spans += _side(view, ui, states, number, side)
    for part in _facts(view, ui):
        if width_of(spans) + 3 + width_of(part) <= width:
            spans += [(" · " if not ui.ascii else " - ", "faint"), *part]
    return fit([spans], width, height)


def _side(
    view: ClusterView, ui: UiState, states: dict[NodeId, str], number: int, side: tuple[NodeId, ...]
) -> list[Span]:
    word, style, up = verdict(view, states, side)
    voters = voters_of(view)
    spans: list[Span] = []
    if split(view):
        spans.append((f"{side_letter(number)} ", f"{side_style(number)}+bold"))
    spans += [(f"{up}/{len(voters)} ", "dim"), (word, style), (" [", "faint")]
    order = [n for n in side if n in voters] + [n for n in side if n not in voters]
    spans += [(shape(states[node], ui.ascii), states[node]) for node in order if node in states]
    return [*spans, ("]", "faint")]


def verdict(view: ClusterView, states: dict[NodeId, str], side: tuple[NodeId, ...]) -> tuple[str, str, int]:
    """(word, style, running voters of this side)."""
    voters = voters_of(view)
    up = sum(1 for node in side if node in voters and running(view.nodes[node]))
    if up < quorum_of(view):
        return ("STALLED" if split(view) else "NO QUORUM"), "bad", up
    if any(states.get(node) == "leader" for node in side):
        return "QUORUM", "good", up
    return "NO LEADER", "warn", up


def side_style(side: int) -> str:
    return SIDE_STYLES[min(side, len(SIDE_STYLES) - 1)]


def most_suspect(view: ClusterView) -> tuple[int, NodeId, NodeId]:
    """(φ in tenths, observer, subject) of the highest suspicion that a running node holds; (0, "", "") if none."""
    best = (0, "", "")
    for node in view.nodes.values():
        if node.process == "up" and node.state is not None:
            for belief in node.state.beliefs:
                if belief.phi_tenths > best[0]:
                    best = (belief.phi_tenths, node.node, belief.node)
    return best


def phi_text(tenths: int) -> str:
    """`0.3`, `12`, `99+`; a dash when there is no evidence."""
    if tenths < 0:
        return "-"
    return f"{tenths / 10:.1f}" if tenths < 100 else f"{tenths // 10}" if tenths < 990 else "99+"


def _facts(view: ClusterView, ui: UiState) -> list[list[Span]]:
    commit = max((n.state.commit for n in view.nodes.values() if n.state is not None), default=0)
    rate = view.series[-1].commit_per_s if view.series else 0.0
    tenths, observer, subject = most_suspect(view)
    threshold = view.lab.threshold if view.lab else 8.0
    arrow = "→" if not ui.ascii else ">"
    phi = f"{'φ' if not ui.ascii else 'phi'} {phi_text(tenths)}" + (f" {observer}{arrow}{subject}" if tenths >= 10 else "")
    return [
        lights(view, ui),
        [(f"term {highest_term(view)}", "")],
        [(f"commit {commit} ", ""), (f"+{rate:.0f}/s", "dim")],
        [(phi, "warn" if tenths >= 10 * threshold else "dim")],
    ]


def lights(view: ClusterView, ui: UiState) -> list[Span]:
    """The judges in one word: red before unknown before green."""
    states = [light.state for light in view.lights.values()]
    red, unknown = states.count("violated"), states.count("unknown")
    if red:
        return [(f"{'✖' if not ui.ascii else 'x'} {red} VIOLATED", "badge.bad")]
    if unknown:
        return [(f"? {unknown} of {len(states)} unknown", "warn")]
    if not states:
        return [("not judged yet", "dim")]
    return [(f"{'✓' if not ui.ascii else 'ok'} {len(states)}/{len(states)} safe", "good")]
