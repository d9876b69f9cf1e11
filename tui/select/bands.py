"""Membership digests as bands: nodes that believe in the same live set share a letter.

Law 1: two letters are a split view; the nodes that cannot report have none.
Law 2: letters go by size, `a` is the largest band, so that the picture stands still while the digests change; tints are those of terms.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from cluster.core.types import NodeId, by_number
from cluster.telemetry.view import ClusterView
from tui.select.beliefs import observers
from tui.select.columns import SEAM, columns, heading, merged, placed, pooled
from tui.select.logcells import TERM_STYLES
from tui.select.signs import shape, states_of
from tui.select.spans import count, fit, listed, wrapped
from tui.select.standing import by_side
from tui.state import Row, Span, UiState

LETTERS = "abcdefghijklmnopqrstuvwxyz"
LEAD = 7


class Band(NamedTuple):
    """The nodes that share one live set, and that set (themselves included)."""

    members: tuple[NodeId, ...]
    live: tuple[NodeId, ...]


def bands(view: ClusterView) -> list[Band]:
    """The largest first; of equal ones, that of the lowest node."""
    members: dict[int, list[NodeId]] = {}
    for name in by_number(observers(view)):
        state = view.nodes[name].state
        assert state is not None, "an observer has reported"
        members.setdefault(state.membership_digest, []).append(name)
    groups = sorted(members.values(), key=lambda group: -len(group))
    return [Band(tuple(group), _live_set(view, group[0])) for group in groups]


def _live_set(view: ClusterView, name: NodeId) -> tuple[NodeId, ...]:
    state = view.nodes[name].state
    assert state is not None, "an observer has reported"
    return tuple(by_number([name, *(belief.node for belief in state.beliefs if belief.alive)]))


def rows(view: ClusterView, ui: UiState, width: int, height: int) -> list[Row]:
    """The strip of letters below the node names, then each band in words."""
    found = bands(view)
    if not found:
        return fit([[("Nobody reports: there is no membership to compare.", "dim")]], width, height, ascii=ui.ascii)
    letter = {name: LETTERS[min(place, 25)] for place, band in enumerate(found) for name in band.members}
    verdict = "good" if len(found) == 1 else "warn"
    text = "one live set" if len(found) == 1 else f"{len(found)} different live sets: a split view"
    drawn: list[Iterable[Span]] = [*wrapped(f"{count(len(letter), 'node reports', 'nodes report')} {text}", width, verdict, lines_max=2)]
    if height >= 5:
        drawn += _strip(view, ui, letter, width)
    everyone = set(view.nodes)
    for place, band in enumerate(found):
        drawn += _band(LETTERS[min(place, 25)], place, band, everyone, width)
    return fit(drawn, width, height, ascii=ui.ascii)


def _strip(view: ClusterView, ui: UiState, letter: dict[NodeId, str], width: int) -> list[list[Span]]:
    found = columns(view, by_side(view, view.nodes), max(4, width - LEAD))
    states = states_of(view)
    cells: list[Span] = []
    for place, side in enumerate(pooled(found)):
        if place:
            cells.append((SEAM, "warn"))
        for nodes in side:
            letters = {letter.get(node, "") for node in nodes}
            only = next(iter(letters)) if len(letters) == 1 else "%"
            style = f"term.{LETTERS.index(only) % TERM_STYLES}" if only in letter.values() else "nodata"
            text = only or shape(states[nodes[0]], ui.ascii)
            cells.append((placed(text, found.cells), style if only else states[nodes[0]]))
    return [*heading(found, LEAD), [("band".ljust(LEAD), "axis"), *merged(cells)]]


def _band(letter: str, place: int, band: Band, everyone: set[NodeId], width: int) -> list[Row]:
    most = max(3, (width - 20) // 10)
    missing = by_number(everyone - set(band.live))
    believe = "believes" if len(band.members) == 1 else "believe"
    sees = f"{believe} all {len(everyone)} alive"
    if missing:
        sees = f"{believe} {len(band.live)} of {len(everyone)} alive, not {listed(missing, most)}"
    text = f"{listed(band.members, most)} {sees}"
    return wrapped(text, width, "" if missing else "dim", lead=f"{letter} ", lead_style=f"term.{place % TERM_STYLES}")
