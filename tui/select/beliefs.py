"""Who believes what of whom: alive, suspected or unknown, with the disputed nodes first and the truth beside them.

Law 1: only nodes that run and report have an opinion here; a frozen node's last words are no belief of now.
Law 2: the truth (process and cut) is the supervisor's; a belief is called wrong only where the truth is known.
"""

from __future__ import annotations

from typing import NamedTuple

from cluster.core.types import NodeId, node_number
from cluster.telemetry.view import ClusterView
from tui.select.signs import shape, states_of
from tui.select.spans import count, fit, listed, window_around, wrapped
from tui.select.standing import side_letter, split
from tui.state import Row, UiState

STALE_OBSERVER_US = 2_000_000


class Opinions(NamedTuple):
    """Of one subject: the observers who think it alive, those who suspect it, those who have no evidence."""

    subject: NodeId
    alive: tuple[NodeId, ...]
    suspect: tuple[NodeId, ...]
    unknown: tuple[NodeId, ...]

    @property
    def disputed(self) -> bool:
        return bool(self.alive) and bool(self.suspect)


def observers(view: ClusterView) -> list[NodeId]:
    """The nodes whose opinion counts as one of now."""
    return [
        name
        for name, node in view.nodes.items()
        if node.process == "up" and node.state is not None and view.now_us - node.state.at_us <= STALE_OBSERVER_US
    ]


def opinions(view: ClusterView) -> list[Opinions]:
    """One per node: disputed ones first, then those suspected by all, then the rest; by number within each."""
    alive: dict[NodeId, list[NodeId]] = {name: [] for name in view.nodes}
    suspect: dict[NodeId, list[NodeId]] = {name: [] for name in view.nodes}
    unknown: dict[NodeId, list[NodeId]] = {name: [] for name in view.nodes}
    for name in observers(view):
        state = view.nodes[name].state
        assert state is not None, "an observer has reported"
        for belief in state.beliefs:
            if belief.node in alive:
                where = suspect if not belief.alive else unknown if belief.phi_tenths < 0 else alive
                where[belief.node].append(name)
    found = [Opinions(name, tuple(alive[name]), tuple(suspect[name]), tuple(unknown[name])) for name in view.nodes]
    return sorted(found, key=lambda o: (not o.disputed, not o.suspect, not o.unknown, node_number(o.subject)))


def truths(view: ClusterView) -> int:
    """How many different live sets are believed in at once."""
    states = [view.nodes[name].state for name in observers(view)]
    return len({state.membership_digest for state in states if state is not None})


def rows(view: ClusterView, ui: UiState, width: int, height: int) -> list[Row]:
    """One sentence per group of nodes of which the same is believed, and one for all that nobody doubts."""
    if not observers(view):
        return fit([[("Nobody reports: there are no beliefs to show.", "dim")]], width, height, ascii=ui.ascii)
    found = opinions(view)
    groups = _groups(view, [o for o in found if o.suspect or o.unknown])
    quiet = [o.subject for o in found if not o.suspect and not o.unknown]
    drawn = _heading(view, found, width)
    room = height - len(drawn) - bool(quiet)
    focus = next((place for place, group in enumerate(groups) if any(o.subject == ui.cursor for o in group)), 0)
    lines: list[Row] = []
    for place in window_around(len(groups), focus, room):
        lines += _sentence(view, ui, groups[place], width)
    if len(lines) > room > 1:
        lines[room - 1 :] = [(("  … and more: z shows this pane alone", "dim"),)]
    drawn += lines[: max(0, room)]
    if quiet:
        lead = "  alive for everyone: " if width >= 48 else "  nobody doubts "
        drawn.append(((lead, "good"), (listed(quiet, max(3, (width - 24) // 5)), "")))
    return fit(drawn, width, height, ascii=ui.ascii)


def _groups(view: ClusterView, found: list[Opinions]) -> list[list[Opinions]]:
    """Nodes in the same true state, doubted by the same observers: the halves of a cut are two sentences, not fifty."""
    groups: dict[tuple[object, ...], list[Opinions]] = {}
    for opinion in found:
        node = view.nodes[opinion.subject]
        groups.setdefault((node.process, node.side, opinion.suspect, opinion.unknown), []).append(opinion)
    return list(groups.values())


def _sentence(view: ClusterView, ui: UiState, group: list[Opinions], width: int) -> list[Row]:
    subjects = [opinion.subject for opinion in group]
    first = group[0]
    who = listed(subjects, max(3, width // 16))
    parts: list[str] = []
    if first.suspect:
        everyone = not first.alive and not first.unknown and len(first.suspect) > 2
        parts.append(f"suspected by {f'all {len(first.suspect)} who report' if everyone else listed(first.suspect, max(3, width // 16))}")
    if first.unknown:
        parts.append(f"unknown to {listed(first.unknown, max(3, width // 16))}")
    if first.alive:
        parts.append(f"alive for {listed(first.alive, max(3, width // 16)) if len(group) == 1 else 'the others'}")
    state = states_of(view)[first.subject] if len(group) == 1 else ""
    lead = ("▸" if ui.cursor in subjects else " ") + (f"{shape(state, ui.ascii)} " if state else "  ")
    text = f"{who} ({_truth(view, first.subject, len(group))}): {', '.join(parts)}"
    return wrapped(text, width, _style(view, first), lead=lead, lead_style=state or "title")


def _heading(view: ClusterView, found: list[Opinions], width: int) -> list[Row]:
    different = truths(view)
    disputed = sum(o.disputed for o in found)
    nodes = count(len(observers(view)), "running node")
    if different <= 1:
        return wrapped(f"One truth: all {nodes} believe in the same live set", width, "good", lines_max=2)
    about = f", {count(disputed, 'node')} disputed" if disputed else ""
    return wrapped(f"{different} different truths among {nodes}{about}", width, "warn", lines_max=2)


def _truth(view: ClusterView, name: NodeId, number: int) -> str:
    node = view.nodes[name]
    runs = "runs" if number == 1 else "run"
    words = {"up": runs, "paused": "frozen", "down": "dead", "starting": "starting"}[node.process]
    return f"{words}, side {side_letter(node.side)}" if split(view) else words


def _style(view: ClusterView, opinion: Opinions) -> str:
    """Bad is a belief that the truth contradicts: a running node suspected on its own side, or a dead one thought alive."""
    node = view.nodes[opinion.subject]
    if node.process != "up":
        return "bad" if opinion.alive and node.process == "down" else "warn"
    false = any(view.nodes[name].side == node.side for name in opinion.suspect)
    return "bad" if false else "warn" if opinion.suspect else "dim"
