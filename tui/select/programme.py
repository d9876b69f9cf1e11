"""The chosen incident as it was reported, and what is known of it here."""

from __future__ import annotations

from tui.playbill import Playbill, Switch
from tui.select.spans import fit, wrapped
from tui.state import Row, UiState

LINES_MAX = 12


def rows(bill: Playbill, ui: UiState, width: int, height: int) -> list[Row]:
    """Scrolled by `ui.scroll`; what is left below is counted."""
    if bill.programme is None:
        return fit([[(" choose an incident: ↑ ↓, then enter", "dim")]], width, height, ascii=ui.ascii)
    lines = _lines(bill, width)
    start = min(ui.scroll, max(0, len(lines) - height))
    shown = lines[start : start + height]
    if start + height < len(lines) and shown:
        shown[-1] = ((f" … {len(lines) - start - height + 1} more lines: ", "warn"), ("pgdn", "key"))
    return fit(shown, width, height, ascii=ui.ascii)


def _lines(bill: Playbill, width: int) -> list[Row]:
    programme = bill.programme
    assert programme is not None
    lines: list[Row] = [((f" {programme.n:02} {programme.title}", "title"),)]
    if not programme.built:
        said = f"its card cannot be used: {programme.wrong}" if programme.wrong else "not built yet: this is what was reported"
        lines += wrapped(said, width - 2, "bad" if programme.wrong else "warn", " ")
    for heading, texts in programme.parts:
        lines += [(), ((f" {heading}", "heading"),)]
        for text in texts:
            lines += wrapped(text, width - 2, "", "  ", lines_max=LINES_MAX)
        if heading == "CANONICAL SOLUTION" and programme.switches:
            lines += [(), ((" TOGGLES  broken → canonical", "heading"),)]
            lines += [row for switch in programme.switches for row in _switch(switch, width)]
    return lines


def _switch(switch: Switch, width: int) -> list[Row]:
    differs = switch.broken != switch.canonical
    values = f"{switch.broken} → {switch.canonical}" if differs else f"{switch.broken} (of {', '.join(switch.values)})"
    hot = "  hot" if switch.hot else ""
    head: Row = ((f"  {switch.name}", "title"), (f"  {values}", "accent" if differs else "dim"), (hot, "warn"))
    return [head, *wrapped(switch.help, width - 2, "dim", "    ")]
