"""The journal: every line of the lab's log that is still kept, whole, filtered by `ui.filter` and scrolled by `ui.scroll`.

Law 1: a line is folded, not cut: this is the place where the full text can be read.
Law 2: words of the filter must all occur, in any order and any case, in time, node, kind or text.
"""

from __future__ import annotations

from collections.abc import Iterator

from cluster.telemetry.view import ClusterView, LogLine
from tui.select.spans import clip, clock, count, fit, wrapped
from tui.state import Row, UiState

LINES_PER_ENTRY_MAX = 3
STYLES = {
    "FAULT": "warn",
    "HEAL": "good",
    "LEADER": "leader",
    "ELECT": "candidate",
    "VOTE": "candidate",
    "RESIGN": "stale",
    "SUSPECT": "warn",
    "CLEAR": "good",
    "PAUSE": "paused",
    "DOWN": "dead",
    "UP": "good",
    "READY": "good",
    "TRUNC": "bad",
    "STALL": "bad",
    "LIGHT": "bad",
    "LOST": "bad",
    "WARN": "warn",
    "REFUSED": "bad",
    "COUNT": "good",
    "FREEZE": "paused",
}


def rows(view: ClusterView, ui: UiState, width: int, height: int) -> list[Row]:
    """The newest lines at the bottom, above them a heading, below them the last command and its answer."""
    answer = _answer(view, width) if height >= 6 else []
    heading, room = (1 if height >= 4 else 0), height - len(answer)
    room -= heading
    zero = view.lab.at_us if view.lab is not None else 0
    wanted = ui.filter.lower().split()
    body: list[Row] = []
    skipped = 0
    for line in _matching(view, wanted, zero):
        if skipped < (0 if ui.follow else ui.scroll):
            skipped += 1
            continue
        body[:0] = _entry(line, zero, width)
        if len(body) >= room:
            break
    if not body:
        nothing = f"No line contains “{ui.filter}”." if view.log and wanted else "Nothing has happened yet."
        body = [((nothing, "dim"),)]
    head = [_heading(view, ui, skipped, wanted)] if heading else []
    return fit([*head, *body[-room:], *answer], width, height, ascii=ui.ascii)


def _matching(view: ClusterView, wanted: list[str], zero: int) -> Iterator[LogLine]:
    """Newest first."""
    for line in reversed(view.log):
        if not wanted:
            yield line
            continue
        text = f"{clock(line.at_us, zero)} {line.node} {line.kind} {line.text} #{line.fault}".lower()
        if all(word in text for word in wanted):
            yield line


def _entry(line: LogLine, zero: int, width: int) -> list[Row]:
    style = STYLES.get(line.kind, "dim")
    lead = f"{clock(line.at_us, zero)} {line.node or '–':<4}"
    kind = f"{line.kind:<8}"
    room = width - len(lead) - len(kind) - 1
    if room < 20:
        return [clip(((lead, "dim"), (kind, style), (" " + line.text, "")), width)]
    text = wrapped(line.text, room, "bad" if style == "bad" else "", lines_max=LINES_PER_ENTRY_MAX)
    first: Row = ((lead, "dim"), (kind, style), (" ", ""), text[0][1])
    blank = " " * (len(lead) + len(kind) + 1)
    return [first, *(((blank, ""), row[1]) for row in text[1:])]


def _heading(view: ClusterView, ui: UiState, skipped: int, wanted: list[str]) -> Row:
    gone = view.log_total - len(view.log)
    text = f"{count(view.log_total, 'line')}" + (f", the newest {len(view.log)} are kept" if gone else "")
    spans = [(text, "axis")]
    if wanted:
        spans.append((f" · only those with “{ui.filter}”", "warn"))
    if skipped:
        spans.append((f" · {count(skipped, 'newer line')} below: ", "warn"))
        spans.append(("end", "key"))
    return tuple(spans)


def _answer(view: ClusterView, width: int) -> list[Row]:
    if not view.last_command:
        return []
    style = "good" if view.last_ok else "bad"
    return wrapped(f"{view.last_command} → {view.last_answer or 'done'}", width, style, lead=": ", lead_style="key", lines_max=2)
