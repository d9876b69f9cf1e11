"""The event pane: what happened, newest at the bottom.

Law 1: while it follows, the newest line is shown; scrolled back, it stands still.
"""

from __future__ import annotations

from cluster.telemetry.view import ClusterView, LogLine
from tui.select.spans import clip, clock, fit
from tui.state import Row, UiState

KIND_STYLES = {
    "LEADER": "leader", "ELECT": "candidate", "RESIGN": "candidate", "VOTE": "dim", "FAULT": "bad", "HEAL": "good", "SUSPECT": "warn",
    "CLEAR": "good", "PAUSE": "paused", "DOWN": "dead", "UP": "good", "READY": "good", "START": "dim", "GAP": "paused", "STALL": "bad",
    "TRUNC": "stale", "LIGHT": "bad", "COUNT": "good", "RUMOUR": "accent", "REFUSED": "warn", "WARN": "warn", "LOST": "bad",
    "FREEZE": "paused", "LAB": "dim",
}  # fmt: skip


def rows(view: ClusterView, ui: UiState, width: int, height: int) -> list[Row]:
    """As many lines as fit, of those that contain the filter."""
    lines = matching(view, ui.filter)
    if not lines:
        return fit([[(f" nothing contains {ui.filter!r}" if ui.filter else " nothing has happened yet", "dim")]], width, height)
    end = len(lines) - (0 if ui.follow else min(ui.scroll, max(0, len(lines) - height)))
    zero = view.lab.at_us if view.lab else 0
    return [clip(_line(line, zero), width) for line in lines[max(0, end - height) : end]]


def matching(view: ClusterView, wanted: str) -> tuple[LogLine, ...]:
    """Lines whose node, kind or text contains `wanted`, in any case."""
    if not wanted:
        return view.log
    low = wanted.lower()
    return tuple(line for line in view.log if low in f"{line.node} {line.kind} {line.text}".lower())


def _line(line: LogLine, zero_us: int) -> Row:
    # Votes and gaps matter by the hundredth: a clock of tenths would show an election as one moment.
    hundredths = max(0, line.at_us - zero_us) // 10_000 % 10
    style = KIND_STYLES.get(line.kind, "")
    text_style = "dim" if line.kind in ("VOTE", "START") else ""
    return (
        (f" {clock(line.at_us, zero_us)}{hundredths} ", "axis"),
        (f"{line.node:<4}", "dim"),
        (f"{line.kind:<8}", style),
        (line.text, text_style),
    )
