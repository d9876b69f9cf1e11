"""The suspicion matrix: one row per observer, one column per subject, both ordered by side.

How to read it: a hot *column* is a silent node; a hot *row* is an observer that was itself frozen; hot off-diagonal *blocks* are a
cut. Law 1: an observer that is dead or frozen has no data, and is hatched, never zero.
Law 2: what does not fit is pooled by its maximum, and the pane says so: a conviction is never averaged away.
"""

from __future__ import annotations

from cluster.core.types import NodeId
from cluster.telemetry.view import ClusterView, VerdictView
from tui.select.pulse import phi_text
from tui.select.spans import clip, duration, fit, width_of
from tui.select.standing import by_side
from tui.state import Row, Span, UiState

LEVELS = 10
NO_DATA = -1
SELF = -2
LABEL_CELLS = 4
WIDE_NODES_MAX = 16
# Two cells per pair: shape says the level again, for those who see no colour.
WIDE = ("  ", " ·", "··", "░░", "░░", "▒▒", "▒▒", "▓▓", "▓▓", "██")
WIDE_ASCII = ("  ", " .", "..", "--", "--", "++", "++", "%%", "%%", "##")


def rows(view: ClusterView, ui: UiState, width: int, height: int) -> list[Row]:
    """Matrix, then legend and verdicts in the lines left."""
    order = by_side(view, view.nodes)
    if not order or height < 3:
        return fit([[(" no node yet", "dim")]], width, height)
    below = min(6, max(2, height - 2 - len(order)))
    room = height - below
    if len(order) <= WIDE_NODES_MAX and LABEL_CELLS + 2 * len(order) + len(view.sides) <= width and len(order) + 1 <= room:
        body = _wide(view, ui, order)
    else:
        body = _dense(view, ui, order, width, room)
    return fit([*body, *_below(view, ui, width)[: max(0, height - len(body))]], width, height)


def level(phi_tenths: int, threshold: float) -> int:
    """φ as one of ten levels; the eighth is the threshold."""
    return min(LEVELS - 1, int(phi_tenths * 8 / (10 * threshold))) if phi_tenths > 0 else 0


def matrix(view: ClusterView, order: list[NodeId]) -> list[list[int]]:
    """Levels by observer and subject; `NO_DATA` and `SELF` where there is none."""
    threshold = view.lab.threshold if view.lab else 8.0
    place = {node: x for x, node in enumerate(order)}
    grid = [[NO_DATA] * len(order) for _ in order]
    for y, observer in enumerate(order):
        node = view.nodes[observer]
        if node.process == "up" and node.state is not None:
            line = grid[y]
            for belief in node.state.beliefs:
                if belief.phi_tenths >= 0 and belief.node in place:
                    line[place[belief.node]] = level(belief.phi_tenths, threshold)
        grid[y][y] = SELF
    return grid


def _wide(view: ClusterView, ui: UiState, order: list[NodeId]) -> list[Row]:
    """Two cells per pair, names on both axes, a line between the sides."""
    sides = [view.nodes[node].side for node in order]
    seam = "│" if not ui.ascii else "|"
    head: list[Span] = [(" " * LABEL_CELLS, "")]
    for x, node in enumerate(order):
        head.append((seam if x and sides[x] != sides[x - 1] else "", "bad"))
        head.append((f"{node[1:]:>2}", "cursor" if node == ui.cursor else "axis"))
    body: list[Row] = [tuple(head)]
    for y, line in enumerate(matrix(view, order)):
        label = (f"{order[y]:>{LABEL_CELLS - 1}} ", "cursor" if order[y] == ui.cursor else "axis")
        spans: list[Span] = [label]
        for x, value in enumerate(line):
            if x and sides[x] != sides[x - 1]:
                spans.append((seam, "bad"))
            spans.append(_cell(value, ui))
        body.append(tuple(spans))
    return body


def _cell(value: int, ui: UiState) -> Span:
    if value == SELF:
        return ("\\ " if ui.ascii else "╲ ", "faint")
    if value == NO_DATA:
        return ("//" if ui.ascii else "╱╱", "nodata")
    return ((WIDE_ASCII if ui.ascii else WIDE)[value], f"phi.{value}")


def _dense(view: ClusterView, ui: UiState, order: list[NodeId], width: int, height: int) -> list[Row]:
    """Half blocks: one column per subject, two observers per row; pooled when even that is too large."""
    columns_room, lines_room = width - LABEL_CELLS, max(1, height - 2)
    pool = max(-(-len(order) // max(1, columns_room)), -(-len(order) // (2 * lines_room)), 1)
    grid = _pooled(matrix(view, order), pool)
    firsts = order[::pool]
    blank = " " * LABEL_CELLS
    tens = "".join(node[1:].rjust(2)[0] for node in firsts)
    body: list[Row] = [((blank + tens, "axis"),)] if any(len(node) > 2 for node in firsts) else []
    body.append(((blank + "".join(node[-1] for node in firsts), "axis"),))
    for y in range(0, len(grid), 2):
        upper = grid[y]
        lower = grid[y + 1] if y + 1 < len(grid) else [SELF] * len(upper)
        body.append(((f"{firsts[y]:>{LABEL_CELLS - 1}} ", "axis"), *_half_row(upper, lower, ui)))
    if pool > 1:
        body.append(((f" {pool}×{pool} nodes per cell, the highest shown", "dim"),))
    return body


def _pooled(grid: list[list[int]], pool: int) -> list[list[int]]:
    """The maximum of each `pool` × `pool` block."""
    if pool == 1:
        return grid
    across = [[max(line[x : x + pool]) for x in range(0, len(line), pool)] for line in grid]
    return [[max(column) for column in zip(*across[y : y + pool], strict=True)] for y in range(0, len(across), pool)]


def _half_row(upper: list[int], lower: list[int], ui: UiState) -> list[Span]:
    """Neighbours of one look become one span."""
    spans: list[Span] = []
    text, style = "", ""
    for above, below in zip(upper, lower, strict=True):
        glyph, its = _half(above, below, ui)
        if its == style:
            text += glyph
        else:
            if text:
                spans.append((text, style))
            text, style = glyph, its
    return [*spans, (text, style)]


def _half(above: int, below: int, ui: UiState) -> Span:
    if not ui.colour or ui.ascii:
        highest = max(above, below)
        return (str(highest) if highest >= 0 else "/" if NO_DATA in (above, below) else "\\", "")
    if above >= 0 and below >= 0:
        return ("▀", f"phi.{above}/{below}")
    if above >= 0:
        return ("▀", f"phi.{above}")
    if below >= 0:
        return ("▄", f"phi.{below}")
    return ("╱", "nodata") if NO_DATA in (above, below) else ("╲", "faint")


def _below(view: ClusterView, ui: UiState, width: int) -> list[Row]:
    """The legend, the nearest conviction, and the last verdicts beside the truth."""
    lines: list[Row] = [_legend(view, ui, width), _countdown(view, ui)]
    lines.extend(clip(_verdict(verdict), width) for verdict in reversed(view.verdicts[-4:]))
    return lines


def _legend(view: ClusterView, ui: UiState, width: int) -> Row:
    """The scale, and as many of its explanations as fit."""
    threshold = view.lab.threshold if view.lab else 8.0
    detector = view.lab.detector if view.lab else ""
    marks = WIDE_ASCII if ui.ascii else WIDE
    spans: list[Span] = [(" 0", "dim")]
    spans += [(marks[value], f"phi.{value}") for value in (1, 3, 5, 7, 9)]
    above, hatch = (">=", "//") if ui.ascii else ("≥", "╱╱")
    words: tuple[Row, ...] = (
        ((f" {above}{threshold:g} convicted", "dim"),),
        ((f" by {detector}", "dim"),),
        (("  ", ""), (hatch, "nodata"), (" no data", "dim")),
    )
    for word in words:
        if width_of(spans) + width_of(word) <= width:
            spans += word
    return tuple(spans)


def _countdown(view: ClusterView, ui: UiState) -> Row:
    """Who will be convicted next, if its silence goes on."""
    best: tuple[int, int, NodeId, NodeId] | None = None
    for node in view.nodes.values():
        if node.process != "up" or node.state is None:
            continue
        age = view.now_us - node.state.at_us
        for belief in node.state.beliefs:
            if belief.phi_tenths >= 5 and belief.countdown_us > 0:
                found = (max(0, belief.countdown_us - age), belief.phi_tenths, node.node, belief.node)
                best = min(best, found) if best is not None else found
    if best is None:
        return ((" nobody is close to conviction", "dim"),)
    left, tenths, observer, subject = best
    phi = f"{'phi' if ui.ascii else 'φ'} {phi_text(tenths)}"
    return ((f" {observer} convicts {subject} in {duration(left)}", "warn"), (f" ({phi})", "dim"))


def _verdict(verdict: VerdictView) -> list[Span]:
    if not verdict.convicted:
        return [(f" {verdict.observer} hears {verdict.subject} again", "dim")]
    late = f", {duration(verdict.late_us)} late" if verdict.truth == "true" and verdict.late_us else ""
    style = "bad" if verdict.truth == "false" else "good"
    return [(f" {verdict.observer} convicts {verdict.subject}: ", ""), (f"{verdict.truth}{late}", style)]
