"""The infection wave of one rumour: a row per gossip round, a column per node, against the curve to be expected.

Law 1: a round is an interval of gossip counted from the rumour's birth; who told whom is what the learner itself reported.
Law 2: `ui.rumour` picks the rumour, 0 is the newest.
Law 3: a node that could not hear in a round (frozen, dead, cut off) is drawn so, never as one that was merely not told yet.
"""

from __future__ import annotations

from typing import NamedTuple

from cluster.core.types import Micros, NodeId
from cluster.telemetry.view import ClusterView, Rumour
from tui.select.columns import SEAM, Columns, columns, heading, merged, placed, pooled
from tui.select.epidemic import expected, floor_rounds
from tui.select.spans import bar, count, duration, fit, listed
from tui.select.standing import by_side, side_letter, split
from tui.state import Row, Span, UiState

LEAD = 7
# state of a cell -> (shape, ASCII shape, style)
CELLS = {
    "origin": ("◉", "@", "leader"),
    "new": ("◐", "+", "candidate"),
    "knows": ("●", "o", "follower"),
    "not": ("·", ".", "dim"),
    "cut": ("╳", "/", "warn"),
    "paused": ("‖", "=", "paused"),
    "dead": ("✖", "x", "dead"),
}
WORDS = {"new": "learned now", "not": "not yet", "cut": "cut off", "paused": "frozen"}
# Of several nodes that share a column, the one that is behind decides: nothing is drawn as known that is not.
WORST = ("not", "cut", "paused", "dead", "new", "knows", "origin")


class _Wave(NamedTuple):
    """One rumour, read: `learned` maps node -> (round, teller)."""

    rumour: Rumour
    interval_us: Micros
    learned: dict[NodeId, tuple[int, NodeId]]
    cut_since_us: Micros
    last_round: int


def rows(view: ClusterView, ui: UiState, width: int, height: int) -> list[Row]:
    """The pane; without any rumour, how to start one and what to expect of it."""
    if view.lab is None or not view.rumours:
        return fit(_invitation(view), width, height, ascii=ui.ascii)
    wave = _read(view, view.rumours[-1 - min(max(0, ui.rumour), len(view.rumours) - 1)])
    nodes = by_side(view, view.nodes)
    # Wide columns are pleasant; who told whom is worth more.
    tail = 56 if width >= 140 else 20 if width >= 70 else 8
    found = columns(view, nodes, max(4, width - LEAD - tail))
    head = [_title(view, ui, wave, width)] if height >= 5 else []
    head += _header(found, wave, width) if height >= 4 else []
    foot = _summary(view, wave) if height >= 4 else []
    foot += [_legend(ui)] if height >= 10 else []
    shown = _rounds(wave, height - len(head) - len(foot))
    body = [_round(view, ui, wave, found, number, width) for number in shown]
    return fit([*head, *body, *foot], width, height, ascii=ui.ascii)


def _invitation(view: ClusterView) -> list[list[Span]]:
    lines: list[list[Span]] = [[("No rumour yet: press ", ""), ("n", "key"), (" to start one.", "")]]
    if view.lab is not None and len(view.nodes) > 1:
        nodes, fanout = len(view.nodes), view.lab.fanout
        rounds = len(expected(nodes, fanout)) - 1
        text = (
            f"Every {duration(view.lab.gossip_interval_us)} each node talks with {fanout} others: "
            f"all {nodes} should know after about {count(rounds, 'round')}."
        )
        lines.append([(text, "dim")])
    return lines


def _read(view: ClusterView, rumour: Rumour) -> _Wave:
    assert view.lab is not None, "asked only of an opened lab"
    interval = max(1, view.lab.gossip_interval_us)
    learned: dict[NodeId, tuple[int, NodeId]] = {}
    for news in rumour.learned:
        late = news.at_us - rumour.began_us
        number = 0 if news.node == rumour.origin else max(1, -(-late // interval))
        learned.setdefault(news.node, (number, news.teller))
    cuts = {link.lease for link in view.plan.links if link.cut}
    began = [fault.fault.at_us for number, fault in view.faults.items() if number in cuts]
    newest = max((number for number, _ in learned.values()), default=0)
    so_far = max(0, (view.now_us - rumour.began_us) // interval)
    last = newest if len(learned) >= len(view.nodes) else max(newest, so_far)
    return _Wave(rumour, interval, learned, min(began, default=view.now_us + 1), last)


def _rounds(wave: _Wave, room: int) -> list[int]:
    """The rounds to draw: those with news, then the present one; what is left out is a stretch in which nobody learned anything."""
    newest = max((number for number, _ in wave.learned.values()), default=0)
    wanted = list(range(newest + 1))
    if wave.last_round > newest:
        wanted += [newest + 1] if wave.last_round == newest + 1 else [newest + 1, wave.last_round]
    if len(wanted) <= room:
        return wanted
    with_news = sorted({number for number, _ in wave.learned.values()})
    kept = [number for number in wanted if number in with_news or number == wave.last_round]
    return kept[-room:] if room > 0 else []


def _title(view: ClusterView, ui: UiState, wave: _Wave, width: int) -> list[Span]:
    rumour = wave.rumour
    text = f"“{rumour.text}”" if rumour.text else rumour.key
    spans: list[Span] = [("rumour ", "dim"), (text[: max(8, width // 3)], "title")]
    spans.append((f" of {rumour.origin}, {duration(view.now_us - rumour.began_us)} old", "dim"))
    if len(view.rumours) > 1:
        place = min(max(0, ui.rumour), len(view.rumours) - 1) + 1
        spans += [(f" · {place} of {len(view.rumours)}  ", "dim"), ("{ }" if ui.mode == "REPLAY" else "[ ]", "key"), (" pick", "dim")]
    return spans


def _header(found: Columns, wave: _Wave, width: int) -> list[list[Span]]:
    lines = heading(found, LEAD)
    lines[-1][0] = ("round".ljust(LEAD), "axis")
    lines[-1].append(("  know", "axis"))
    if width - LEAD - found.width >= 20:
        lines[-1].append(("    ┆ expected", "axis"))
    return lines


def _round(view: ClusterView, ui: UiState, wave: _Wave, found: Columns, number: int, width: int) -> list[Span]:
    end_us = wave.rumour.began_us + number * wave.interval_us
    cells: list[Span] = []
    for place, side in enumerate(pooled(found)):
        if place:
            cells.append((SEAM, "warn"))
        for nodes in side:
            states = {_cell(view, wave, node, number, end_us) for node in nodes}
            shape, plain, style = CELLS[next(state for state in WORST if state in states)]
            cells.append((placed(plain if ui.ascii else shape, found.cells), style))
    know = sum(learnt <= number for learnt, _ in wave.learned.values())
    spans: list[Span] = [(f"{number:>4}".ljust(LEAD), "axis"), *merged(cells)]
    spans += [(f"  {know:>2}/{len(view.nodes):<2}", "title")]
    return spans + _against_model(view, ui, wave, number, know, width - LEAD - found.width - 8)


def _cell(view: ClusterView, wave: _Wave, name: NodeId, number: int, end_us: Micros) -> str:
    if name == wave.rumour.origin:
        return "origin"
    learned = wave.learned.get(name)
    if learned is not None and learned[0] <= number:
        return "new" if learned[0] == number else "knows"
    node, origin = view.nodes[name], view.nodes.get(wave.rumour.origin)
    if node.process in ("paused", "down") and node.since_us <= end_us:
        return "dead" if node.process == "down" else "paused"
    apart = origin is not None and node.side != origin.side
    return "cut" if apart and wave.cut_since_us <= end_us else "not"


def _against_model(view: ClusterView, ui: UiState, wave: _Wave, number: int, know: int, room: int) -> list[Span]:
    """A bar of who knows with the expected number marked on it, then who told whom."""
    if room < 8 or view.lab is None:
        return []
    nodes = len(view.nodes)
    curve = expected(nodes, view.lab.fanout)
    wanted = curve[min(number, len(curve) - 1)]
    cells = min(20, room - 2)
    text = bar(know / nodes, cells, ascii=ui.ascii)
    mark = min(cells - 1, round(wanted / nodes * cells))
    style = "good" if know >= int(wanted) else "warn"
    spans: list[Span] = [("  ", ""), (text[:mark], style)]
    ahead = text[mark] not in " "
    spans.append((text[mark] if ahead else ("|" if ui.ascii else "┆"), style if ahead else "axis"))
    spans.append((text[mark + 1 :], style))
    if room - cells >= 12:
        spans.append(("  " + _telling(wave, number), "dim"))
    return spans


def _telling(wave: _Wave, number: int) -> str:
    """Who told whom in this round: `n3→n1 n2, n5→n6`."""
    told: dict[NodeId, list[NodeId]] = {}
    for learner, (learnt, teller) in wave.learned.items():
        if learnt == number and learner != wave.rumour.origin:
            told.setdefault(teller, []).append(learner)
    if not told:
        return f"{wave.rumour.origin} begins" if number == 0 else "nobody new"
    return ", ".join(f"{teller}→{' '.join(learners)}" for teller, learners in told.items())


def _summary(view: ClusterView, wave: _Wave) -> list[list[Span]]:
    assert view.lab is not None, "asked only of an opened lab"
    nodes, know = len(view.nodes), len(wave.learned)
    fanout = view.lab.fanout
    rounds = len(expected(nodes, fanout)) - 1
    model = f"expected {rounds}, pushing alone needs {floor_rounds(nodes, fanout)}"
    newest = max((number for number, _ in wave.learned.values()), default=0)
    if know >= nodes:
        took = max(news.at_us for news in wave.rumour.learned) - wave.rumour.began_us
        late = newest > rounds * 1.5
        return [[(f"All {nodes} know after {count(newest, 'round')} ({duration(took)}); {model}.", "warn" if late else "good")]]
    missing = [node for node in by_side(view, view.nodes) if node not in wave.learned]
    return [
        [(f"{know} of {nodes} know after {count(wave.last_round, 'round')}; {model}.", "")],
        [(f"Not told: {_missing(view, wave, missing)}.", "warn")],
    ]


def _missing(view: ClusterView, wave: _Wave, missing: list[NodeId]) -> str:
    """Why the rest does not know."""
    groups: dict[str, list[NodeId]] = {}
    origin = view.nodes.get(wave.rumour.origin)
    for name in missing:
        node = view.nodes[name]
        if node.process in ("paused", "down"):
            reason = "frozen" if node.process == "paused" else "dead"
        elif split(view) and origin is not None and node.side != origin.side:
            reason = f"side {side_letter(node.side)} of the cut"
        else:
            reason = "not reached yet"
        groups.setdefault(reason, []).append(name)
    return "; ".join(f"{listed(names, 5)} ({reason})" for reason, names in groups.items())


def _legend(ui: UiState) -> list[Span]:
    spans: list[Span] = []
    for state, (shape, plain, style) in CELLS.items():
        spans += [(plain if ui.ascii else shape, style), (f" {WORDS.get(state, state)}  ", "dim")]
    return spans
