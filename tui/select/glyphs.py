"""The alphabet of the screen: a shape and a letter for every state, a letter for every side, a level for every φ.

Law 1: state is shape *and* letter, side is position *and* letter; colour only repeats them.
Law 2: every glyph is one cell wide in every terminal, so `len` is the width; signs that some fonts draw wide (⚠ ⏸ ⏱ ✂) are not here.
Law 3: a pane names styles, never colours: `STYLES` and the families below it are all the names there are.

Two names may be joined, `leader+cursor`: the second lies over the first.
"""

from __future__ import annotations

from functools import lru_cache

from cluster.core.types import NodeId
from cluster.faults import FaultPlan
from cluster.telemetry.view import ClusterView, NodeView

# state -> (shape, ASCII shape, letter); a state is also the name of its style.
SHAPES: dict[str, tuple[str, str, str]] = {
    "leader": ("★", "*", "L"),
    "follower": ("●", "o", "F"),
    "candidate": ("▲", "^", "C"),
    "stale": ("◆", "!", "L?"),
    "paused": ("‖", "=", "Z"),
    "dead": ("✖", "x", "X"),
    "learner": ("○", ",", "l"),
    "observer": ("○", ".", "O"),
    "starting": ("◌", "?", "…"),
}

# What each style says. Families that are computed: side.a … side.d, term.0 … term.5, phi.0 … phi.9, phi.<upper>/<lower>.
STYLES: dict[str, str] = {
    **dict.fromkeys(SHAPES, "the state of a node"),
    "": "plain text",
    "dim": "what supports the rest: units, explanations",
    "faint": "what may be overlooked",
    "axis": "rulers, separators, column headings",
    "nodata": "hatched: nothing is known here, which is not the same as nothing",
    "title": "names of things",
    "bold": "emphasis within a sentence",
    "key": "a key that can be pressed now",
    "cursor": "under the cursor",
    "marked": "marked by the operator",
    "good": "a promise that holds",
    "warn": "look here",
    "bad": "a promise broken, or about to be",
    "cut": "the seam of a cut",
    "badge": "a small sign of how the screen stands",
    "badge.warn": "the same, to be noticed",
    "badge.bad": "the same, not to be missed",
}

SIDE_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_SIDE_STYLES = ("side.a", "side.b", "side.c", "side.d")

PHI_LEVELS = 10
# φ without colour: the share of the threshold as darkness, in Unicode and in ASCII.
SHADES = "  ··░░▒▒▓█"
SHADES_ASCII = "  ..::++##"
PHI_CAP_TENTHS = 999

# sign -> its ASCII fallback; all are one cell wide.
_PLAIN = {
    "╳": "X", "╎": ":", "│": "|", "┃": "|", "─": "-", "┼": "+", "━": "=", "╍": "-", "╲": "\\", "╱": "/", "▸": ">", "•": "+",
    "→": ">", "←": "<", "▶": ">", "◀": "<", "✓": "+", "✗": "X", "×": "x", "·": ".", "≥": ">", "∞": "@", "…": ".", "▌": "|", "◉": "O",
    "⟁": "#", "–": "-", "█": "#", "▀": "#", "▄": "#", "╴": "-", "╶": "-", "┄": "-", "φ": "p", "±": "~", "↓": "v",
}  # fmt: skip
_TRANSLATION = str.maketrans(_PLAIN)


def plain(text: str, ascii: bool) -> str:
    """The text, in ASCII where the terminal wants it; the width never changes."""
    return text.translate(_TRANSLATION) if ascii else text


def shape(state: str, ascii: bool = False) -> str:
    """The one-cell sign of a state."""
    return SHAPES[state][1 if ascii else 0]


def letter(state: str) -> str:
    """The letter beside the sign: one cell, two for a leader in doubt."""
    return SHAPES[state][2]


def side_letter(side: int) -> str:
    """0 -> A; beyond Z every further side is Z, "and others"."""
    return SIDE_LETTERS[min(side, len(SIDE_LETTERS) - 1)]


def side_style(side: int) -> str:
    """The tint of a side; it repeats after the fourth, the letter does not."""
    return _SIDE_STYLES[side % len(_SIDE_STYLES)]


# ---- states -------------------------------------------------------------------------------------------------------


def states_of(view: ClusterView) -> dict[NodeId, str]:
    """Every node's state. Truth (is the process alive?) goes before belief (what does it say it is?)."""
    newest = max((_leading_term(node) for node in view.nodes.values()), default=0)
    return {name: _state(view, node, newest) for name, node in view.nodes.items()}


def state_of(view: ClusterView, node: NodeId) -> str:
    """One of "leader", "follower", "candidate", "stale", "paused", "dead", "learner", "observer", "starting".

    "stale": it believes that it leads while a newer term has a leader, or it leads and cannot reach a quorum.
    """
    newest = max((_leading_term(other) for other in view.nodes.values()), default=0)
    return _state(view, view.nodes[node], newest)


def _leading_term(node: NodeView) -> int:
    """The term that a node leads, as far as it last said; 0 for all others. A frozen leader is still one."""
    state = node.state
    return state.term if state is not None and state.role == "leader" and node.process in ("up", "paused") else 0


def _state(view: ClusterView, node: NodeView, newest_leading_term: int) -> str:
    if node.process == "down":
        return "dead"
    if node.process == "paused":
        return "paused"
    state = node.state
    if node.process == "starting" or state is None:
        return "starting"
    if state.role == "leader":
        return "stale" if state.term < newest_leading_term or not commands_quorum(view, node.node) else "leader"
    return "candidate" if state.role == "precandidate" else state.role


def commands_quorum(view: ClusterView, node: NodeId) -> bool:
    """Whether a node that leads can still commit: a majority of voters runs within its reach, and has answered lately.

    "Lately" is twice the shortest election timeout, by which a leader that checks its quorum has resigned.
    """
    if view.lab is None:
        return True
    near = reachable_voters(view, node)
    if len(near) <= len(view.lab.voters) // 2:
        return False
    state = view.nodes[node].state
    return state is None or state.quorum_age_us <= 2 * view.lab.election_min_us


def reachable_voters(view: ClusterView, node: NodeId) -> tuple[NodeId, ...]:
    """The running voters that can talk with `node` both ways, itself included if it is one and runs."""
    lost = cut_off_from(view.plan, node)
    voters = view.lab.voters if view.lab is not None else ()
    return tuple(v for v in voters if v not in lost and v in view.nodes and view.nodes[v].process == "up")


def cut_off_from(plan: FaultPlan, node: NodeId) -> set[NodeId]:
    """Whom `node` cannot talk with both ways."""
    return {
        link.target if link.source == node else link.source
        for link in plan.links
        if link.cut and (link.source == node or link.target == node)
    }


# ---- φ ------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=8)
def phi_levels(threshold: float) -> tuple[int, ...]:
    """φ in tenths (0 … 999) -> 0 … 9, even steps up to the threshold; 9 is conviction and nothing else is."""
    limit = max(1, round(threshold * 10))
    top = PHI_LEVELS - 1
    return tuple(min(top, tenths * top // limit) for tenths in range(PHI_CAP_TENTHS + 1))


def phi_text(tenths: int) -> str:
    """`0.4`, `12.0`, `99+` at the cap, `–` without evidence; four cells at most."""
    if tenths < 0:
        return "–"
    return "99+" if tenths >= PHI_CAP_TENTHS else f"{tenths // 10}.{tenths % 10}"


def threshold_of(view: ClusterView) -> float:
    return view.lab.threshold if view.lab is not None else 8.0
