"""The journal: every line of the lab's log that is still kept, whole, filtered by `ui.filter` and scrolled by `ui.scroll`.

Law 1: a line is wrapped, not cut: this is the place where the full text can be read.
Law 2: alike lines are one, and it says how many, by whom and for how long.
Law 3: words of the filter must all occur, in any order and any case, in time, node, kind or text.
"""

from __future__ import annotations

from cluster.telemetry.view import ClusterView, LogLine
from tui.select.events import KIND_STYLES
from tui.select.folding import CROWD_LEAST, Folded, folded
from tui.select.spans import clip, clock, count, fit, listed, wrapped
from tui.state import Row, UiState

LINES_PER_ENTRY_MAX = 3
NAMES_MAX = 6


def rows(view: ClusterView, ui: UiState, width: int, height: int) -> list[Row]:
    """The newest lines at the bottom, above them a heading, below them the last command and its answer."""
    answer = _answer(view, width) if height >= 6 else []
    heading, room = (1 if height >= 4 else 0), height - len(answer)
    room -= heading
    zero = view.lab.at_us if view.lab is not None else 0
    wanted = ui.filter.lower().split()
    folds = folded(_matching(view, wanted, zero), crowd=len(view.nodes) >= CROWD_LEAST)
    skipped = 0 if ui.follow else min(ui.scroll, max(0, len(folds) - 1))
    body: list[Row] = []
    for fold in reversed(folds[: len(folds) - skipped]):
        body[:0] = _entry(fold, zero, width)
        if len(body) >= room:
            break
    if not body:
        nothing = f"No line contains “{ui.filter}”." if view.log and wanted else "Nothing has happened yet."
        body = [((nothing, "dim"),)]
    head = [_heading(view, ui, skipped, len(folds))] if heading else []
    return fit([*head, *body[-room:], *answer], width, height, ascii=ui.ascii)


def _matching(view: ClusterView, wanted: list[str], zero: int) -> tuple[LogLine, ...]:
    if not wanted:
        return view.log
    return tuple(line for line in view.log if all(word in _searched(line, zero) for word in wanted))


def _searched(line: LogLine, zero: int) -> str:
    return f"{clock(line.at_us, zero)} {line.node} {line.kind} {line.text} #{line.fault}".lower()


def _entry(fold: Folded, zero: int, width: int) -> list[Row]:
    style = KIND_STYLES.get(fold.kind, "dim")
    lead = f"{clock(fold.first_us, zero)} {fold.who or '–':<6} "
    kind = f"{fold.kind:<8}"
    whole = fold.text + fold.tail
    room = width - len(lead) - len(kind)
    if room < 20:
        return [clip(((lead, "dim"), (kind, style), (whole, "")), width)]
    names = _others(fold)
    if len(whole) + len(names) <= room:  # who else says it is told where it costs no line
        whole += names
    text = wrapped(whole, room, "bad" if style == "bad" else "", lines_max=LINES_PER_ENTRY_MAX)
    first: Row = ((lead, "dim"), (kind, style), text[0][1])
    blank = " " * (len(lead) + len(kind))
    return [first, *(((blank, ""), row[1]) for row in text[1:])]


def _others(fold: Folded) -> str:
    return f" (also {listed(fold.nodes[1:], NAMES_MAX)})" if len(fold.nodes) > 1 else ""


def _heading(view: ClusterView, ui: UiState, skipped: int, shown: int) -> Row:
    gone = view.log_total - len(view.log)
    text = f"{count(view.log_total, 'line')}" + (f", {len(view.log)} are kept: the newest, and what explains them" if gone else "")
    if not ui.filter.split() and shown < len(view.log):
        text += ", alike ones folded"
    spans = [(text, "axis")]
    if ui.filter.split():
        spans.append((f" · only those with “{ui.filter}”", "warn"))
    if skipped:
        spans.append((f" · {count(skipped, 'newer entry', 'newer entries')} below: ", "warn"))
        spans.append(("end", "key"))
    return tuple(spans)


def _answer(view: ClusterView, width: int) -> list[Row]:
    if not view.last_command:
        return []
    style = "good" if view.last_ok else "bad"
    return wrapped(f"{view.last_command} → {view.last_answer or 'done'}", width, style, lead=": ", lead_style="key", lines_max=2)
