"""Row 2 of the incident screens: every process of both runs, one sign each."""

from __future__ import annotations

from tui.playbill import SIDES, Playbill
from tui.select.acts import NAMES, sign_of
from tui.select.course import players_in_order
from tui.select.spans import fit
from tui.state import Row, Span, UiState

BEHIND_BYTES = 64 * 1024  # less is what one look at the files leaves


def rows(bill: Playbill, ui: UiState, width: int, height: int) -> list[Row]:
    """One row."""
    if ui.screen == "incidents":
        return fit([[(" ↑ ↓ choose · enter looks at its runs · b broken · c canonical · v both", "dim")]], width, height, ascii=ui.ascii)
    spans: list[Span] = []
    for side in SIDES:
        scene = bill.scenes.get(side)
        if scene is None or scene.opened is None:
            continue
        chosen = side == ui.side
        spans += [("▸" if chosen else " ", "cursor" if chosen else ""), (f"{NAMES[side]} ", "title" if chosen else "dim"), ("[", "faint")]
        spans += [sign_of(scene.players[name], scene, ascii=ui.ascii) for name in players_in_order(scene)]
        spans += [("]", "faint"), (f" {sum(scene.counts.values())} records ", "dim")]
        if scene.behind >= BEHIND_BYTES:
            spans.append((f"{scene.behind // 1024} kB behind ", "warn"))
    return fit([spans or [(" nothing has run yet", "dim")]], width, height, ascii=ui.ascii)
