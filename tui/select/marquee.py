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
        scene = bill.scenes.get(side)
        opened = scene.opened if scene is not None else None
        parts.append([(f"{NAMES[side].lower()} ", "dim"), (said, style)])
        if bill.mixed and opened is not None:
            parts[-1].append((f" seed {opened.seed}{f' time ×{opened.scale:g}' if opened.scale != 1 else ''}", "warn"))
    common = next((scene.opened for scene in bill.scenes.values() if scene.opened is not None), None)
    if common is not None and not bill.mixed:
        parts.append([(f"seed {common.seed}", "dim")])
        parts += [[(f"time ×{common.scale:g}", "warn")]] if common.scale != 1 else []
    return parts
