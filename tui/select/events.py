"""The event pane: what happened, newest at the bottom, alike lines as one.

Law 1: while it follows, the newest line is shown; scrolled back, it stands still.
"""

from __future__ import annotations

from cluster.telemetry.view import ClusterView, LogLine
from tui.select.folding import CROWD_LEAST, Folded, folded
from tui.select.spans import clip, clock, fit
from tui.state import Row, UiState

# The style of each kind of line, here and in the journal.
KIND_STYLES = {
    "LEADER": "leader", "ELECT": "candidate", "RESIGN": "stale", "VOTE": "dim", "FAULT": "warn", "HEAL": "good", "SUSPECT": "warn",
    "CLEAR": "good", "PAUSE": "paused", "DOWN": "dead", "UP": "good", "READY": "good", "START": "dim", "GAP": "paused", "STALL": "bad",
    "TRUNC": "stale", "GROUP": "accent", "SNAP": "dim",
    "LIGHT": "bad", "COUNT": "good", "RUMOUR": "accent", "REFUSED": "bad", "WARN": "warn", "LOST": "bad",
    "FREEZE": "paused", "LAB": "dim",
}  # fmt: skip


def rows(view: ClusterView, ui: UiState, width: int, height: int) -> list[Row]:
    """As many lines as fit, of those that contain the filter."""
    crowd = len(view.nodes) >= CROWD_LEAST
    lines = folded(matching(view, ui.filter), crowd=crowd)
    if not lines:
        return fit([[(f" nothing contains {ui.filter!r}" if ui.filter else " nothing has happened yet", "dim")]], width, height)
    end = len(lines) - (0 if ui.follow else min(ui.scroll, max(0, len(lines) - height)))
    zero = view.lab.at_us if view.lab else 0
    return [_line(line, zero, width, 7 if crowd else 6) for line in lines[max(0, end - height) : end]]


def matching(view: ClusterView, wanted: str) -> tuple[LogLine, ...]:
    """Lines whose node, kind or text contains `wanted`, in any case."""
    if not wanted:
        return view.log
    low = wanted.lower()
    return tuple(line for line in view.log if low in f"{line.node} {line.kind} {line.text}".lower())


def _line(line: Folded, zero_us: int, width: int, who_cells: int) -> Row:
    """One row: when it began, who says it, what; how often stays in sight even where the text is cut."""
    # Votes and gaps matter by the hundredth: a clock of tenths would show an election as one moment.
    hundredths = max(0, line.first_us - zero_us) // 10_000 % 10
    head: Row = (
        (f" {clock(line.first_us, zero_us)}{hundredths} ", "axis"),
        (line.who.ljust(who_cells), "dim"),
        (f"{line.kind:<8}", KIND_STYLES.get(line.kind, "")),
    )
    style = "dim" if line.kind in ("VOTE", "START") else ""
    room = width - sum(len(text) for text, _ in head) - len(line.tail)
    return clip((*head, *clip(((line.text, style),), max(0, room)), (line.tail, "accent")), width)
