"""Row 1 of the incident screens: which incident, how its runs stand, which screens there are."""

from __future__ import annotations

from tui.playbill import SIDES, Playbill
from tui.select.acts import NAMES, in_short
from tui.select.spans import fit, width_of
from tui.select.title import screens
from tui.state import Row, Span, UiState


def rows(bill: Playbill, ui: UiState, width: int, height: int) -> list[Row]:
    """One row; what does not fit is left out from the right."""
    left: list[Span] = [(" ", ""), ("╱╱ " if not ui.ascii else "// ", "accent"), ("faultline", "title")]
    right = screens(ui)
    for part in _parts(bill, ui):
        if width_of(left) + 3 + width_of(part) + width_of(right) >= width:
            break  # what comes after it matters less
        left += [(" │ " if not ui.ascii else " | ", "faint"), *part]
    gap = max(1, width - width_of(left) - width_of(right))
    return fit([[*left, (" " * gap, ""), *right]], width, height)


def _parts(bill: Playbill, ui: UiState) -> list[list[Span]]:
    if ui.screen == "incidents" or bill.programme is None:
        built = sum(1 for listed in bill.listed if listed.built)
        return [[("INCIDENTS", "badge")], [(f"{built} of {len(bill.listed)} are built", "dim")]]
    parts: list[list[Span]] = [[("INCIDENT", "badge"), (f" {bill.programme.n:02} {bill.programme.slug}", "title")]]
    for side in SIDES:
        said, style = in_short(bill, side)
        parts.append([(f"{NAMES[side].lower()} ", "dim"), (said, style)])
    opened = next((scene.opened for scene in bill.scenes.values() if scene.opened is not None), None)
    if opened is not None:
        parts.append([(f"seed {opened.seed}", "dim")])
        parts += [[(f"time ×{opened.scale:g}", "warn")]] if opened.scale != 1 else []
    return parts
