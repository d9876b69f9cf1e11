"""Nodes as columns: ordered by side, a line where the cut runs, full names when they fit and stacked digits when not.

Law 1: every pane of the Gossip screen uses the same columns, so that the eye can go straight down.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from cluster.core.types import NodeId
from cluster.telemetry.view import ClusterView
from tui.state import Span

SEAM = "│"
WIDE_CELLS = 4


class Columns(NamedTuple):
    """`groups`: the nodes of each side in reading order. `cells`: width of one column; 1 means stacked digits. `pool`: nodes per column."""

    groups: tuple[tuple[NodeId, ...], ...]
    cells: int
    pool: int = 1

    @property
    def width(self) -> int:
        places = sum(-(-len(group) // self.pool) for group in self.groups)
        return places * self.cells + len(self.groups) - 1


def columns(view: ClusterView, nodes: Sequence[NodeId], room: int, narrow: int = 1) -> Columns:
    """The widest columns of `nodes` (already ordered by side) that fit into `room` cells; pooled when even one cell each does not.

    `narrow`: the least cells that one column may take.
    """
    groups: dict[int, list[NodeId]] = {}
    for node in nodes:
        groups.setdefault(view.nodes[node].side, []).append(node)
    sides = tuple(tuple(groups[side]) for side in sorted(groups))
    for cells in range(WIDE_CELLS, narrow - 1, -1):
        found = Columns(sides, cells)
        if found.width <= room:
            return found
    pool = 2
    while Columns(sides, narrow, pool).width > room and pool < len(nodes):
        pool += 1
    return Columns(sides, narrow, pool)


def pooled(found: Columns) -> list[list[tuple[NodeId, ...]]]:
    """Per side, the nodes that share each column."""
    return [[group[i : i + found.pool] for i in range(0, len(group), found.pool)] for group in found.groups]


def placed(text: str, cells: int) -> str:
    """A cell's text, its last character one blank before the next cell."""
    return text.rjust(cells - 1) + " " if cells > 1 else text


def heading(found: Columns, lead: int) -> list[list[Span]]:
    """One row of names, or two of stacked digits, after `lead` blanks."""
    blank = " " * lead
    if found.cells >= WIDE_CELLS:
        text = SEAM.join("".join(placed(node, WIDE_CELLS) for node in group) for group in found.groups)
        return [[(blank, ""), (text, "axis")]]
    firsts = [[place[0][1:] for place in side] for side in pooled(found)]
    tens = SEAM.join("".join(placed(_digit(number, 1), found.cells) for number in side) for side in firsts)
    units = SEAM.join("".join(placed(_digit(number, 0), found.cells) for number in side) for side in firsts)
    return [[(blank, ""), (tens, "axis")], [(blank, ""), (units, "axis")]]


def _digit(number: str, place: int) -> str:
    return number[-1 - place] if len(number) > place else " "


def merged(cells: Sequence[Span]) -> list[Span]:
    """Neighbours of one style become one span: fewer segments to paint."""
    spans: list[Span] = []
    texts: list[str] = []
    style = ""
    for text, its in cells:
        if texts and its != style:
            spans.append(("".join(texts), style))
            texts = []
        texts.append(text)
        style = its
    if texts:
        spans.append(("".join(texts), style))
    return spans
