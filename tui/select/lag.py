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
from tui.select.spans import count, duration, fit, wrapped
from tui.select.standing import by_side, side_letter, split
from tui.state import Row, Span, UiState

# Lags from here on are coloured as a warning, and as bad: at the usual 100 ms interval, half a second and two seconds.
WARN, BAD = 5, 20
# Reports are up to a quarter of a second apart; more than this much age is not forgiven.
REPORT_AGE_MAX_US = 500_000
STALE_OBSERVER_US = 2_000_000
# What a cell can hold besides a number of heartbeats; the larger, the worse.
OLD_KEYS, OLD_LIFE, NEVER, NO_DATA, SELF = 1_000_000, 1_000_001, 1_000_002, -2, -1
FEET_MOST, FEET_POOLED = 5, 3
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
    seams = len(found.groups) - 1 if height >= 12 else 0
    table = _table(view)
    room = height - len(head) - seams
    # The words below give way to the matrix as long as that saves it from being pooled.
    spare = room - len(nodes)
    feet = 0 if height < 4 else min(FEET_MOST, spare) if spare >= 1 else min(FEET_POOLED, room - 1)
    groups = _row_groups(found, max(1, room - feet))
    pooled_by = (max(len(group) for group in groups), found.pool)
    foot = _foot(view, table, found, pooled_by, width, feet)
    body: list[list[Span]] = []
    for place, group in enumerate(groups):
        if seams and place and view.nodes[group[0]].side != view.nodes[groups[place - 1][0]].side:
            body.append([(" " * label + "┄" * found.width, "warn")])
        body.append(_line(view, ui, table, group, found, label))
    return fit([*head, *body, *foot], width, height, ascii=ui.ascii)


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
            if generation < known[0]:
                continue
            # Within one life the newest heartbeat and the newest keys need not be in the same report.
            version = max(belief.version, known[2]) if generation == known[0] else belief.version
            if generation > known[0] or heartbeat > known[1]:
                best[belief.node] = (generation, heartbeat, version, state.at_us)
            elif version > known[2]:
                best[belief.node] = (generation, known[1], version, known[3])
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


def _lags(table: dict[NodeId, dict[NodeId, int]], group: Sequence[NodeId], side: Sequence[Sequence[NodeId]]) -> list[int]:
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


def _foot(
    view: ClusterView, table: dict[NodeId, dict[NodeId, int]], found: Columns, pooled_by: tuple[int, int], width: int, feet: int
) -> list[Row]:
    """`feet` rows: whether cells are pooled, the largest lag in words, and what the signs mean, as far as there is room."""
    rows: list[Row] = []
    if feet > 1 and max(pooled_by) > 1:
        rows.append(((f"Pooled {pooled_by[0]}×{pooled_by[1]}: a cell shows its worst.", "dim"),))
    left = feet - len(rows)
    if left > 0:
        text, style = _worst(view, table, width)
        rows += wrapped(text, width, style, lines_max=max(1, min(2, left - 1)))
    left = feet - len(rows)
    if left > 0:
        rows += wrapped(_legend(found, width), width, "dim", lines_max=left)
    return rows


def _worst(view: ClusterView, table: dict[NodeId, dict[NodeId, int]], width: int) -> tuple[str, str]:
    """The largest lag in words, and its style."""
    worst, observer, subject = 0, "", ""
    for name, row in table.items():
        numbers = [behind for behind in row.values() if behind < OLD_KEYS]
        most = max(numbers, default=0)
        if most > worst:
            worst, observer = most, name
            subject = next(other for other, behind in row.items() if behind == most)
    if worst < WARN:
        roomy = "Everyone is up to date on everyone, within the age of the reports."
        return roomy if width >= len(roomy) else "Everyone is up to date on everyone.", "good"
    interval = view.lab.gossip_interval_us if view.lab is not None else 0
    beats, age = count(worst, "heartbeat"), duration(worst * interval)
    said = (
        f"Furthest behind: {observer} knows {subject} as it was {beats} ago ({age}).",
        f"{observer} is {beats} behind on {subject} ({age}).",
        f"{observer} is {beats} behind on {subject}.",
    )
    text = next((text for text in said if len(text) <= width), said[-1])
    return text, "bad" if worst >= BAD else "warn"


def _legend(found: Columns, width: int) -> str:
    signs = ["· level", "7 heartbeats behind", "v old keys", "G older life", "? unheard", "╱ no report"]
    if found.cells <= 2:
        signs.insert(2, "+ 10 or more")
    whole = "  ".join(signs)
    lead = "rows observe, columns are observed  "
    return (lead if len(lead) + len(whole) <= width else "") + whole
