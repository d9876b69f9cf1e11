"""Who led when: the terms and leaders of the lab as a ribbon, with the gaps in which nobody led.

Law 1: a reign is what nodes announced and the supervisor confirmed by processes; the ribbon adds only whether the last leader still runs.
Law 2: a gap is never rounded away: a cell that touches one shows it.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

from cluster.core.types import Micros
from cluster.telemetry.view import REIGNS_MAX, ClusterView, Reign
from tui.select.logcells import term_style
from tui.select.spans import SECOND_US, clock, count, duration, fit
from tui.select.standing import highest_term, running
from tui.state import Row, Span, UiState

WINDOW_LEAST_US = 30 * SECOND_US
WINDOW_MOST_US = 600 * SECOND_US
# So many of the newest reigns decide how far back the ribbon reaches.
REIGNS_SHOWN = 6


class Gap(NamedTuple):
    """A stretch without a leader; `ended_us` 0 while it lasts. `before` is the term that ended it, 0 while it lasts."""

    began_us: Micros
    ended_us: Micros
    before: int


def rows(view: ClusterView, ui: UiState, width: int, height: int) -> list[Row]:
    """The ribbon (1 row), its time axis (from 3 rows on), and the reigns, newest first."""
    if view.lab is None:
        return fit([[("No lab yet.", "dim")]], width, height, ascii=ui.ascii)
    gaps = gaps_of(view)
    drawn: list[list[Span]] = [_ribbon(view, gaps, width, ascii=ui.ascii)]
    if height >= 3:
        drawn.append(_axis(view, width))
    if height >= 4:
        drawn.append(_summary(view, gaps))
    room = height - len(drawn)
    if height >= 3 and room > 0:
        drawn += [_reign(view, reign, gaps) for reign in reversed(view.reigns[-room:])]
    return fit(drawn, width, height, ascii=ui.ascii)


def gaps_of(view: ClusterView) -> list[Gap]:
    """Every stretch without a leader, from the opening of the lab on (or the oldest reign still known)."""
    zero = view.lab.at_us if view.lab is not None else 0
    reigns = view.reigns
    if not reigns:
        return [Gap(zero, 0, 0)]
    # Reigns are bounded: before the oldest one kept, nobody knows, unless it is the first.
    oldest_known = len(reigns) < REIGNS_MAX and zero < reigns[0].began_us
    gaps = [Gap(zero, reigns[0].began_us, reigns[0].term)] if oldest_known else []
    gaps += [Gap(one.ended_us, other.began_us, other.term) for one, other in pairwise(reigns) if one.ended_us < other.began_us]
    if reigns[-1].ended_us and not view.closed:
        gaps.append(Gap(reigns[-1].ended_us, 0, 0))
    return gaps




def _span(view: ClusterView) -> Micros:
    """How much time the ribbon shows: enough for the newest reigns, in steps so that it does not creep."""
    zero = view.lab.at_us if view.lab is not None else 0
    lived = view.now_us - zero
    since = view.now_us - view.reigns[-min(REIGNS_SHOWN, len(view.reigns))].began_us if view.reigns else lived
    wanted = min(WINDOW_MOST_US, max(WINDOW_LEAST_US, since + 2 * SECOND_US))
    stepped = -(-wanted // (10 * SECOND_US)) * 10 * SECOND_US
    return max(SECOND_US, min(stepped, lived))


def _ribbon(view: ClusterView, gaps: list[Gap], width: int, *, ascii: bool) -> list[Span]:
    head, tail = "leader ", "▶ now" if not view.closed else " end"
    if ascii:
        tail = "> now"
    cells = max(1, width - len(head) - len(tail))
    span = _span(view)
    first = view.now_us - span
    paint: list[tuple[str, str]] = [(" ", "")] * cells

    def column(at_us: Micros) -> int:
        return min(cells, max(0, (at_us - first) * cells // span))

    for reign in view.reigns:
        end = reign.ended_us or view.now_us
        if end > first:
            _paint_reign(view, reign, paint, column(reign.began_us), column(end) if reign.ended_us else cells, ascii=ascii)
    for gap in gaps:
        end = gap.ended_us or view.now_us
        if end > first:
            _paint_gap(gap, end, paint, column(gap.began_us), column(end), ascii=ascii)
    for reign in view.reigns:  # names last: a gap of one cell must not eat the first letter of what follows it
        end = reign.ended_us or view.now_us
        if end > first:
            _write_name(reign, paint, column(reign.began_us), column(end) if reign.ended_us else cells)
    return [(head, "axis"), *_merged(paint), (tail, "axis")]


def _paint_reign(view: ClusterView, reign: Reign, paint: list[Span], start: int, stop: int, *, ascii: bool) -> None:
    style = term_style(reign.term)
    node = view.nodes.get(reign.node)
    for cell in range(start, stop):
        paint[cell] = ("=" if ascii else "━", style)
    if not reign.ended_us and node is not None and not running(node):
        # It still reigns in its own mind; nobody hears it.
        share = max(1, min(stop - start, (stop - start) * (view.now_us - node.since_us) // max(1, view.now_us - reign.began_us)))
        for cell in range(stop - share, stop):
            paint[cell] = ("-" if ascii else "╍", "paused")


def _write_name(reign: Reign, paint: list[Span], start: int, stop: int) -> None:
    style, label = term_style(reign.term), f"{reign.term} {reign.node} "
    free = [cell for cell in range(start, stop) if paint[cell][1] == style]
    if len(free) > len(label):
        for cell, letter in zip(free, label, strict=False):
            paint[cell] = (letter, style)


def _paint_gap(gap: Gap, end_us: Micros, paint: list[Span], start: int, stop: int, *, ascii: bool) -> None:
    start = min(start, len(paint) - 1)
    stop = max(stop, start + 1)
    for cell in range(start, stop):
        paint[cell] = ("%" if ascii else "▒", "bad")
    label = duration(end_us - gap.began_us)
    if stop - start >= len(label) + 2:
        left = start + (stop - start - len(label)) // 2
        for place, letter in enumerate(label):
            paint[left + place] = (letter, "bad")


def _merged(paint: list[Span]) -> list[Span]:
    spans: list[Span] = []
    for text, style in paint:
        if spans and spans[-1][1] == style:
            spans[-1] = (spans[-1][0] + text, style)
        else:
            spans.append((text, style))
    return spans


def _axis(view: ClusterView, width: int) -> list[Span]:
    assert view.lab is not None, "asked only of an opened lab"
    span = _span(view)
    begin = clock(view.now_us - span, view.lab.at_us)
    end = clock(view.now_us, view.lab.at_us)
    middle = f"the last {duration(span)}" if span < view.now_us - view.lab.at_us else "since the lab opened"
    room = max(0, width - 7 - len(begin) - len(end) - 4)
    return [(f"       {begin}{middle.center(room)[:room]}{end}", "axis")]


def _summary(view: ClusterView, gaps: list[Gap]) -> list[Span]:
    """The bill: how many leaders, and how long nobody led."""
    lost = [(gap.ended_us or view.now_us) - gap.began_us for gap in gaps]
    leaders = count(len(view.reigns), "reign")
    if not view.reigns:
        return [(f"No leader yet, {duration(sum(lost))} after the lab opened", "warn")]
    if not lost:
        return [(f"{leaders}, never without a leader", "good")]
    bill = f"{leaders}, {count(len(lost), 'gap')}: {duration(sum(lost))} without a leader in all, longest {duration(max(lost))}"
    if gaps[-1].ended_us == 0:
        return [(f"No leader for {duration(lost[-1])}", "bad"), (f" · {bill}", "dim")]
    return [(bill, "dim")]


def _reign(view: ClusterView, reign: Reign, gaps: list[Gap]) -> list[Span]:
    before = next((gap for gap in gaps if gap.before == reign.term), None)
    lasted = duration((reign.ended_us or view.now_us) - reign.began_us)
    spans: list[Span] = [
        (f"term {reign.term:<4}", term_style(reign.term)),
        (f" {reign.node:<4}", "title"),
        (f" led {lasted}" if reign.ended_us else f" leads for {lasted}", ""),
    ]
    node = view.nodes.get(reign.node)
    if not reign.ended_us and node is not None and not running(node):
        spans.append((f", {'frozen' if node.process == 'paused' else 'down'} since {duration(view.now_us - node.since_us)}", "paused"))
    if before is not None:
        took = duration(before.ended_us - before.began_us)
        first = before.began_us == (view.lab.at_us if view.lab else 0)
        text, style = (f"the first leader came after {took}", "dim") if first else (f"after {took} without a leader", "warn")
        spans.append((f" · {text}", style))
    elif highest_term(view) < reign.term:
        spans.append((" · not in any node's report yet", "dim"))
    return spans
