"""Version lag: how far each observer's knowledge of each subject is behind the newest that anyone reports.

Law 1: observers report at different moments; what can be explained by the age of a report is not called lag.
Law 2: an observer that cannot report (frozen, dead, silent) is hatched, never zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from cluster.core.types import NodeId
from cluster.telemetry.view import ClusterView
from tui.select.columns import SEAM, Columns, columns, heading, merged, placed, pooled
from tui.select.spans import count, duration, fit
from tui.select.standing import by_side, side_letter, split
from tui.state import Row, Span, UiState

# Lags from here on are coloured as a warning, and as bad: at the usual 100 ms interval, half a second and two seconds.
WARN, BAD = 5, 20
# Reports are up to a quarter of a second apart; more than this much age is not forgiven.
REPORT_AGE_MAX_US = 500_000
STALE_OBSERVER_US = 2_000_000
# What a cell can hold besides a number of heartbeats; the larger, the worse.
OLD_KEYS, OLD_LIFE, NEVER, NO_DATA, SELF = 1_000_000, 1_000_001, 1_000_002, -2, -1
SIGNS = {OLD_KEYS: "v", OLD_LIFE: "G", NEVER: "?", NO_DATA: "╱", SELF: "\\"}


# Of one subject: generation, heartbeat and key version, and when that was reported. A plain tuple: there are n² comparisons a frame.
Newest = tuple[int, int, int, int]


def rows(view: ClusterView, ui: UiState, width: int, height: int) -> list[Row]:
    """The matrix; rows and columns are pooled to their worst cell when the pane is too small, and the legend says so."""
    nodes = by_side(view, view.nodes)
    if not nodes:
        return fit([[("No nodes yet.", "dim")]], width, height, ascii=ui.ascii)
    label = max(len(node) for node in nodes) + (5 if split(view) else 3)
    found = columns(view, nodes, max(4, width - label))
    head = heading(found, label) if height >= 5 else []
    feet = 2 if height >= 8 else 1 if height >= 4 else 0
    seams = len(found.groups) - 1 if height >= 12 else 0
    groups = _row_groups(found, max(1, height - len(head) - feet - seams))
    table = _table(view)
    body: list[list[Span]] = []
    for place, group in enumerate(groups):
        if seams and place and view.nodes[group[0]].side != view.nodes[groups[place - 1][0]].side:
            body.append([(" " * label + "┄" * found.width, "warn")])
        body.append(_line(view, ui, table, group, found, label))
    rows_pooled = max(len(group) for group in groups)
    summary = _worst(view, table)
    if found.pool > 1 or rows_pooled > 1:
        summary.insert(0, (f"Pooled {rows_pooled}×{found.pool}, the worst is shown. ", "dim"))
    foot = [summary, _legend(width)]
    return fit([*head, *body, *foot[:feet]], width, height, ascii=ui.ascii)


def _row_groups(found: Columns, room: int) -> list[tuple[NodeId, ...]]:
    """Observers per row, never across a side."""
    pool = 1
    while True:
        groups = [side[i : i + pool] for side in found.groups for i in range(0, len(side), pool)]
        if len(groups) <= room or pool >= max(len(side) for side in found.groups):
            return groups
        pool += 1


def _table(view: ClusterView) -> dict[NodeId, dict[NodeId, int]]:
    """observer -> subject -> heartbeats behind, or one of `SIGNS`. No row: no data."""
    newest = _newest(view)
    interval = max(1, view.lab.gossip_interval_us) if view.lab is not None else 1
    table: dict[NodeId, dict[NodeId, int]] = {}
    for name, node in view.nodes.items():
        state = node.state
        if state is None or node.process != "up" or view.now_us - state.at_us > STALE_OBSERVER_US:
            continue
        row: dict[NodeId, int] = {}
        for belief in state.beliefs:
            subject = belief.node
            generation, heartbeat, version, at_us = newest[subject]
            if belief.generation != generation:
                row[subject] = OLD_LIFE if belief.generation else NEVER
                continue
            behind = heartbeat - belief.heartbeat
            if behind and at_us > state.at_us:
                behind = max(0, behind - min(at_us - state.at_us, REPORT_AGE_MAX_US) // interval - 1)
            row[subject] = OLD_KEYS if behind <= 1 and belief.version < version else behind
        table[name] = row
    return table


def _newest(view: ClusterView) -> dict[NodeId, Newest]:
    """Subject -> the newest knowledge of it that any report holds."""
    best: dict[NodeId, Newest] = {}
    nothing: Newest = (-1, -1, -1, 0)
    for node in view.nodes.values():
        state = node.state
        if state is None:
            continue
        for belief in state.beliefs:
            generation, heartbeat = belief.generation, belief.heartbeat
            known = best.get(belief.node, nothing)
            if (heartbeat > known[1] and generation == known[0]) or generation > known[0]:
                best[belief.node] = (generation, heartbeat, belief.version, state.at_us)
    return best


def _line(
    view: ClusterView,
    ui: UiState,
    table: dict[NodeId, dict[NodeId, int]],
    group: Sequence[NodeId],
    found: Columns,
    label: int,
) -> list[Span]:
    picked = ui.cursor in group
    name = group[0] if len(group) == 1 else f"{group[0]}+"
    letter = side_letter(view.nodes[group[0]].side)
    spans: list[Span] = [("▸" if picked else " ", "cursor")]
    if split(view):
        spans.append((letter + " ", f"side.{letter.lower()}"))
    spans.append((name.ljust(label - 1 - (2 if split(view) else 0)), "title" if picked else ""))
    cells: list[Span] = []
    for place, side in enumerate(pooled(found)):
        if place:
            cells.append((SEAM, "warn"))
        cells += [_cell(lag, found.cells) for lag in _lags(table, group, side)]
    return spans + merged(cells)


def _lags(
    table: dict[NodeId, dict[NodeId, int]], group: Sequence[NodeId], side: Sequence[Sequence[NodeId]]
) -> list[int]:
    """One value per column: the worst of all its pairs."""
    known = [table[node] for node in group if node in table]
    if not known:
        return [SELF if tuple(group) == tuple(subjects) else NO_DATA for subjects in side]
    if len(known) == 1 and all(len(subjects) == 1 for subjects in side):
        row = known[0]
        return [row.get(subjects[0], SELF) for subjects in side]
    return [max([row.get(subject, SELF) for row in known for subject in subjects]) for subjects in side]


@lru_cache(maxsize=4096)
def _cell(lag: int, cells: int) -> Span:
    if lag in SIGNS:
        style = {OLD_KEYS: "warn", OLD_LIFE: "bad", NEVER: "warn", NO_DATA: "nodata", SELF: "dim"}[lag]
        return (SIGNS[lag] * cells if lag == NO_DATA else placed(SIGNS[lag], cells)), style
    style = "bad" if lag >= BAD else "warn" if lag >= WARN else "" if lag > 1 else "dim"
    text = "·" if lag <= 1 else str(lag)
    return placed(text if len(text) < max(2, cells) else "+", cells), style


def _worst(view: ClusterView, table: dict[NodeId, dict[NodeId, int]]) -> list[Span]:
    """The largest lag in words."""
    worst, observer, subject = 0, "", ""
    for name, row in table.items():
        numbers = [behind for behind in row.values() if behind < OLD_KEYS]
        most = max(numbers, default=0)
        if most > worst:
            worst, observer = most, name
            subject = next(other for other, behind in row.items() if behind == most)
    if worst < WARN:
        return [("Everyone is up to date on everyone, within the age of the reports.", "good")]
    interval = view.lab.gossip_interval_us if view.lab is not None else 0
    text = f"Furthest behind: {observer} knows {subject} as it was {count(worst, 'heartbeat')} ago ({duration(worst * interval)})."
    return [(text, "bad" if worst >= BAD else "warn")]


def _legend(width: int) -> list[Span]:
    text = "· level  7 heartbeats behind  v old keys  G older life  ? unheard  ╱ no report"
    return [(f"rows observe, columns are observed  {text}" if width >= 120 else text, "dim")]
