"""The toggles of the incident, as they stand on each side: what the card says, what was chosen, what was changed while it runs.

Law 1: a value that only the next run will have has an arrow before it; without one it is that of the run that is shown, with a star behind
it where it is not the card's.
"""

from __future__ import annotations

from tui.playbill import SIDES, Playbill, Switch
from tui.select.acts import CHANGED, NAMES
from tui.select.spans import fit, pad, window_around
from tui.state import Row, Span, UiState

NAME_CELLS, VALUE_CELLS = 21, 10


def rows(bill: Playbill, ui: UiState, width: int, height: int) -> list[Row]:
    """One row a toggle, the chosen one among them; below them what it does."""
    if not bill.switches:
        return fit([[(" no toggles", "dim")]], width, height)
    chosen = next((i for i, switch in enumerate(bill.switches) if switch.name == ui.switch), 0)
    about = height >= 5
    shown = window_around(len(bill.switches), chosen, height - 1 - about)
    lines = [_heading(bill), *(_line(bill, bill.switches[i], ui, chosen=i == chosen) for i in shown)]
    if about:
        lines.append([(f"  {bill.switches[chosen].help}", "dim")])
    return fit(lines, width, height, ascii=ui.ascii)


def _value(bill: Playbill, side: str, name: str) -> tuple[str, bool]:
    """The value, and whether it is the next run's only (law 1)."""
    next_one = bill.toggles(side).get(name, "")
    later = side not in (*bill.going, *bill.waiting) and next_one != bill.shown_toggles(side).get(name, "")
    return (f"→{next_one}" if later else next_one), later


def _heading(bill: Playbill) -> list[Span]:
    spans: list[Span] = [("  toggle", "axis")]
    for i, side in enumerate(SIDES):
        pad(spans, NAME_CELLS + i * VALUE_CELLS)
        spans.append((NAMES[side].lower(), "axis"))
    if any(_value(bill, side, switch.name)[1] for side in SIDES for switch in bill.switches):
        pad(spans, NAME_CELLS + 2 * VALUE_CELLS)
        spans.append(("→ next run", "warn"))
    return spans


def _line(bill: Playbill, switch: Switch, ui: UiState, *, chosen: bool) -> list[Span]:
    over = "+cursor" if chosen else ""
    spans: list[Span] = [("▸ " if chosen else "  ", "cursor" if chosen else ""), (switch.name, f"title{over}")]
    for i, side in enumerate(SIDES):
        pad(spans, NAME_CELLS + i * VALUE_CELLS)
        value, later = _value(bill, side, switch.name)
        changed = not later and value != getattr(switch, side)
        value += CHANGED if changed else ""
        style = "warn" if later or changed else "accent" if switch.broken != switch.canonical else "dim"
        spans.append((value, f"{style}{'+cursor' if chosen and side == ui.side else ''}"))
    pad(spans, NAME_CELLS + 2 * VALUE_CELLS)
    live = switch.hot and ui.side in bill.going
    spans.append(("t now" if live else "hot" if switch.hot else "", "key" if live else "warn"))
    return spans
