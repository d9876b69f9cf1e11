"""The cluster as a picture: nodes on a ring (or a grid) per side, the cut as a seam between them, lost messages counted each way.

Law 1: position says the side: nodes that cannot hear each other never stand in one ring.
Law 2: the leader's links are drawn only where they work; a direction that is cut is named as an arrow.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from cluster.core.types import NodeId
from cluster.telemetry.view import ClusterView
from tui.select.pulse import side_style, verdict
from tui.select.signs import shape, states_of
from tui.select.spans import fit
from tui.select.standing import cut_links, quorum_of, side_letter, split, voters_of
from tui.state import Row, Span, UiState

Place = tuple[int, int]
LINKS_MAX = 16  # more nodes than this, and the lines hide the nodes
ONE_WAY_MAX = 3
MARGIN_CELLS = 3


class Canvas:
    """Cells with styles; the last to draw wins, except that nothing is drawn over a node."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self._cells: list[dict[int, Span]] = [{} for _ in range(height)]

    def put(self, x: int, y: int, text: str, style: str) -> None:
        if 0 <= y < self.height:
            for offset, character in enumerate(text):
                if 0 <= x + offset < self.width:
                    self._cells[y][x + offset] = (character, style)

    def line(self, start: Place, end: Place, character: str, style: str) -> None:
        """Dots between two places, both ends left free."""
        steps = max(abs(end[0] - start[0]), abs(end[1] - start[1]))
        for step in range(2, steps - 1, 2):
            x = round(start[0] + (end[0] - start[0]) * step / steps)
            y = round(start[1] + (end[1] - start[1]) * step / steps)
            if 0 <= y < self.height and x not in self._cells[y]:
                self.put(x, y, character, style)

    def rows(self) -> list[Row]:
        return [self._row(cells) for cells in self._cells]

    def _row(self, cells: dict[int, Span]) -> Row:
        spans: list[Span] = []
        text, style, end = "", "", 0
        for x in sorted(cells):
            character, its = cells[x]
            gap = " " * (x - end)
            if its != style or gap:
                if text:
                    spans.append((text, style))
                if gap:
                    spans.append((gap, ""))
                text, style = "", its
            text, end = text + character, x + 1
        return (*spans, (text, style)) if text else tuple(spans)


def rows(view: ClusterView, ui: UiState, width: int, height: int) -> list[Row]:
    """The picture, with one caption line per row of sides below it."""
    if not view.nodes or height < 3 or width < 12:
        return fit([[(" no node yet", "dim")]], width, height)
    notes = _notes(view, ui)[: max(0, height - 4)]
    canvas = Canvas(width, height - 1 - len(notes))
    sides = [side for side in view.sides if side] or [tuple(view.nodes)]
    states = states_of(view)
    places = _places(ui, sides, canvas)
    _links(view, ui, canvas, places, states)
    for number in range(1, len(sides)):
        _seam(ui, canvas, _left_edge(number, sides, width))
    for node, (x, y) in places.items():
        _node(view, ui, canvas, node, states[node], (x, y), small=len(view.nodes) > 24)
    return fit([*canvas.rows(), _captions(view, ui, states, sides, width), *notes], width, height)


def _left_edge(number: int, sides: Sequence[tuple[NodeId, ...]], width: int) -> int:
    """Where side `number` begins: room by the number of nodes, but never too little to write in."""
    weights = [max(2.0, math.sqrt(len(side)) * 2) for side in sides]
    return round(width * sum(weights[:number]) / sum(weights))


def _places(ui: UiState, sides: Sequence[tuple[NodeId, ...]], canvas: Canvas) -> dict[NodeId, Place]:
    places: dict[NodeId, Place] = {}
    for number, side in enumerate(sides):
        left = _left_edge(number, sides, canvas.width) + (1 if number else 0)
        right = _left_edge(number + 1, sides, canvas.width)
        lay = _ring if ui.layout == "ring" and len(side) <= 2 * (canvas.height + (right - left) // 6) else _grid
        places |= lay(side, left, right - left, canvas.height)
    return places


def _ring(side: tuple[NodeId, ...], left: int, width: int, height: int) -> dict[NodeId, Place]:
    """The first node on top, then clockwise."""
    middle_x, middle_y = left + (width - 1) / 2, (height - 1) / 2
    radius_x, radius_y = max(0.0, width / 2 - MARGIN_CELLS), max(0.0, height / 2 - 1)
    places: dict[NodeId, Place] = {}
    for number, node in enumerate(side):
        angle = 2 * math.pi * number / len(side) - math.pi / 2
        if len(side) == 1:
            radius_x = radius_y = 0.0
        places[node] = (round(middle_x + radius_x * math.cos(angle)), round(middle_y + radius_y * math.sin(angle)))
    return places


def _grid(side: tuple[NodeId, ...], left: int, width: int, height: int) -> dict[NodeId, Place]:
    """Row by row, as square as the room allows."""
    cell = 5
    across = max(1, min(len(side), (width - 2) // cell))
    down = -(-len(side) // across)
    gap = max(1, min(3, height // max(1, down)))
    top = max(0, (height - gap * (down - 1) - 1) // 2)
    return {
        node: (left + 2 + cell * (number % across), min(height - 1, top + gap * (number // across)))
        for number, node in enumerate(side)
    }


def _links(view: ClusterView, ui: UiState, canvas: Canvas, places: dict[NodeId, Place], states: dict[NodeId, str]) -> None:
    """From every leader to whom it can reach: solid dots while both ends live, broken ones where messages are spoilt."""
    if len(view.nodes) > LINKS_MAX:
        return
    cuts = cut_links(view)
    spoilt = {(link.source, link.target) for link in view.plan.links if not link.cut}
    dot, rough = ("·", "~") if not ui.ascii else (".", "~")
    for leader, state in states.items():
        if state not in ("leader", "stale"):
            continue
        for other, place in places.items():
            apart = (leader, other) in cuts or (other, leader) in cuts
            if other == leader or apart or states[other] in ("dead", "paused") or view.nodes[other].side != view.nodes[leader].side:
                continue
            bad = (leader, other) in spoilt or (other, leader) in spoilt
            canvas.line(places[leader], place, rough if bad else dot, "warn" if bad else "faint")


def _seam(ui: UiState, canvas: Canvas, x: int) -> None:
    for y in range(canvas.height):
        cross = y % 4 == 2
        canvas.put(x, y, ("X" if cross else "|") if ui.ascii else ("╳" if cross else "╎"), "bad" if cross else "faint")


def _node(
    view: ClusterView, ui: UiState, canvas: Canvas, node: NodeId, state: str, place: Place, *, small: bool
) -> None:
    """Its shape stands exactly at its place, its name behind it."""
    x = min(place[0], canvas.width - (1 if small else 1 + len(node)))
    canvas.put(x, place[1], shape(state, ui.ascii), state)
    style = "cursor" if node == ui.cursor else "marked" if node in ui.marked else side_style(view.nodes[node].side)
    canvas.put(x + 1, place[1], node[1:] if small else node, style)


def _captions(
    view: ClusterView, ui: UiState, states: dict[NodeId, str], sides: Sequence[tuple[NodeId, ...]], width: int
) -> Row:
    """Under each side: its letter, its voters, its verdict."""
    canvas = Canvas(width, 1)
    free = 0  # from here on nothing is written yet
    for number, side in enumerate(sides):
        word, style, up = verdict(view, states, side)
        left = _left_edge(number, sides, width) + 1
        right = _left_edge(number + 1, sides, width)
        letter = f"{side_letter(number)} " if split(view) else ""
        head = f"{letter}{up}/{len(voters_of(view))} "
        if len(head) + len(word) + 12 <= right - left and word in ("STALLED", "NO QUORUM"):
            word += f", needs {quorum_of(view)}"
        # A narrow side may begin under its neighbour, where that has left room.
        left = max(free, min(left, right - len(head) - len(word)))
        canvas.put(left, 0, head[: right - left], side_style(number))
        canvas.put(left + len(head), 0, word[: max(0, right - left - len(head))], style)
        free = min(right, left + len(head) + len(word) + 1)
    return canvas.rows()[0]


def _notes(view: ClusterView, ui: UiState) -> list[Row]:
    """Messages dropped between sides, and directions that are cut alone."""
    arrow, cross = (">", "X") if ui.ascii else ("→", "╳")
    notes: list[Row] = []
    dropped = _dropped_between_sides(view)
    if dropped:
        words = [f"{side_letter(a)}{arrow}{side_letter(b)} {count}" for (a, b), count in sorted(dropped.items())[:4]]
        notes.append(((" dropped  ", "dim"), ("  ".join(words), "warn")))
    cuts = cut_links(view)
    one_way = [(a, b) for a, b in cuts if (b, a) not in cuts]
    if one_way:
        words = [f"{a} {cross}{arrow} {b}" for a, b in one_way[:ONE_WAY_MAX]]
        more = f" and {len(one_way) - ONE_WAY_MAX} more" if len(one_way) > ONE_WAY_MAX else ""
        notes.append(((" one way  ", "dim"), ("  ".join(words) + more, "bad")))
    return notes


def _dropped_between_sides(view: ClusterView) -> dict[tuple[int, int], int]:
    """Totals that the senders counted since their processes started."""
    if not split(view):
        return {}
    totals: dict[tuple[int, int], int] = {}
    for node in view.nodes.values():
        for other, count in node.state.dropped if node.state is not None else ():
            target = view.nodes.get(other)
            if count and target is not None and target.side != node.side:
                key = (node.side, target.side)
                totals[key] = totals.get(key, 0) + count
    return totals
