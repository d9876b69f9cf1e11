"""The list of incidents by family, with the last verdicts of those that are built.

Law 1: a run that came to no verdict does not hide the last one that was given: both stand there.
"""

from __future__ import annotations

from tui.playbill import SIDES, Listed, Playbill
from tui.select.acts import NAMES, VERDICT_STYLES
from tui.select.spans import fit, pad, window_around
from tui.state import Row, Span, UiState

NAME_CELLS = 30
VERDICT_CELLS = 15  # "VACUOUS, ERROR"


def rows(bill: Playbill, ui: UiState, width: int, height: int) -> list[Row]:
    """A heading, then families and their incidents, the chosen one always among those that are shown."""
    if not bill.listed:
        return fit([[(" the list is being read", "dim")]], width, height)
    lines, place = _lines(bill, ui, width)
    room = max(0, height - 1)
    shown = window_around(len(lines), place, room)
    return fit([_heading(width), *(lines[i] for i in shown)], width, height, ascii=ui.ascii)


def _heading(width: int) -> list[Span]:
    spans: list[Span] = [("    incident", "axis")]
    if width >= NAME_CELLS + 2 * VERDICT_CELLS:
        for i, side in enumerate(SIDES):
            pad(spans, NAME_CELLS + i * VERDICT_CELLS)
            spans.append((NAMES[side].lower(), "axis"))
    return spans


def _lines(bill: Playbill, ui: UiState, width: int) -> tuple[list[list[Span]], int]:
    lines: list[list[Span]] = []
    family, place = "", 0
    for listed in bill.listed:
        if listed.family != family:
            family = listed.family
            lines.append([(f" {family}", "heading")])
        chosen = listed.slug == ui.slug
        if chosen:
            place = len(lines)
        lines.append(_line(listed, width, chosen=chosen))
    return lines, place


def _line(listed: Listed, width: int, *, chosen: bool) -> list[Span]:
    over = "+cursor" if chosen else ""
    spans: list[Span] = [("▸" if chosen else " ", "cursor" if chosen else ""), (f"{listed.n:02} ", f"axis{over}")]
    spans.append((listed.slug, f"{'title' if listed.built else 'dim'}{over}"))
    if width < NAME_CELLS + 2 * VERDICT_CELLS:
        return spans
    if not listed.built:
        pad(spans, NAME_CELLS)
        return [*spans, ("its card cannot be used", "bad") if listed.wrong else ("not built yet", "faint")]
    for i, side in enumerate(SIDES):
        pad(spans, NAME_CELLS + i * VERDICT_CELLS)
        verdict = listed.last.get(side, "")
        spans.append((verdict or "–", VERDICT_STYLES.get(verdict, "faint")))
        if side in listed.errors and verdict != "ERROR":
            spans.append((", ERROR", VERDICT_STYLES["ERROR"]))  # what came after it was no run
    return spans
