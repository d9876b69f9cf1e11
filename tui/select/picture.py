"""One run as the incident wants to be looked at: counters, then a table of what its records say of each thing.

Law 1: red is a hint of the card's, with a sign beside it; the verdict stands in the first row and comes from the files.
Law 2: where there is no room for all rows, those that are red on either side stay.
Law 3: a row stands at the same height on both sides: what is beside each other is the same thing, broken and canonical.
"""

from __future__ import annotations

from scenarios.scene import Cell, Scene
from scenarios.viewing import Column, holds
from tui.playbill import SIDES, Playbill
from tui.select.acts import changed_by_hand, standing
from tui.select.spans import duration, fit, pad, width_of
from tui.state import Row, Span, UiState

GAP = 2
NAME_CELLS_MAX = 24
VALUE_CELLS_MAX = 20


def rows_of(bill: Playbill, side: str, ui: UiState, width: int, height: int) -> list[Row]:
    scene = bill.scenes.get(side)
    lines: list[list[Span]] = [_first(bill, side)]
    if scene is None or scene.opened is None:
        key = {"broken": "b", "canonical": "c"}[side]
        if bill.programme is not None and bill.programme.built and side not in (*bill.going, *bill.waiting):
            lines.append([(" ", ""), (key, "key"), (" runs it, ", "dim"), ("v", "key"), (" runs both", "dim")])
        return fit(lines, width, height, ascii=ui.ascii)
    both = [bill.scenes[one] for one in SIDES if one in bill.scenes and bill.scenes[one].opened is not None]
    if scene.view.counter:
        counters = _counters(scene)
        if _in_one_line(bill, width):
            lines[0] += counters
        else:
            lines.append([(" ", ""), *counters[1:]])
    lines += _table(scene, both, height - len(lines)) if scene.view.column else _counts(scene)
    return fit(lines, width, height, ascii=ui.ascii)


def _in_one_line(bill: Playbill, width: int) -> bool:
    """Whether on both sides the counters fit behind how the run stands (law 3). The two panes may differ by a cell."""
    scenes = {side: bill.scenes[side] for side in SIDES if side in bill.scenes and bill.scenes[side].opened is not None}
    return all(width_of(_first(bill, side)) + width_of(_counters(scene)) <= width - width % 2 for side, scene in scenes.items())


def _first(bill: Playbill, side: str) -> list[Span]:
    said, style = standing(bill, side)
    scene = bill.scenes.get(side)
    spans: list[Span] = [(f" {said}", style)]
    if scene is None or scene.opened is None:
        return spans
    if changed_by_hand(scene):
        spans.append(("   changed by hand", "warn"))
    elif side in bill.by_hand:
        spans.append(("   you are the fault", "warn"))
    return spans


def _style(column: Column, value: object) -> tuple[str, str]:
    """(sign, style) of a value."""
    if value is not None and holds(column.bad, value):
        return "✖", "bad"
    if value is not None and holds(column.good, value):
        return "✓", "good"
    return "", ""


def _counters(scene: Scene) -> list[Span]:
    spans: list[Span] = [("   ", "")]
    for counter, cell in zip(scene.view.counter, scene.counters, strict=True):
        sign, style = _style(counter, cell.value)
        spans += [(f"{counter.title} ", "dim"), (_value(cell.value) or "–", style or "title")]
        spans += [(f" {sign}" if sign else "", style), ("  ", "")]
    return spans


def _value(value: object) -> str:
    if value is None:
        return ""
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return text if len(text) <= VALUE_CELLS_MAX else text[: VALUE_CELLS_MAX - 1] + "…"


def _table(scene: Scene, both: list[Scene], room: int) -> list[list[Span]]:
    known = list(dict.fromkeys(name for one in both for name in one.rows))
    names = _shown(known, both, max(0, room - 1))
    hidden = len(known) - len(names) + scene.rows_left_out
    columns = scene.view.column
    now_ns = scene.ended_ns or scene.now_ns
    texts = {name: [_text(scene.rows.get(name, {}).get(i), column, now_ns) for i, column in enumerate(columns)] for name in names}
    at = [1 + GAP + min(NAME_CELLS_MAX, max([len(scene.view.title), *map(len, names)], default=0))]
    for i, column in enumerate(columns):
        widest = max([len(column.title), *(len(found[i][0]) for found in texts.values())])
        at.append(at[-1] + widest + GAP)
    lines = [_heading(scene, at)]
    for name in names:
        worst = {style for _, style in texts[name]}
        spans: list[Span] = [(f" {_short(name)}", "bad" if "bad" in worst else "")]
        for column_at, (text, style) in zip(at, texts[name], strict=False):
            pad(spans, column_at)
            spans.append((text, style))
        lines.append(spans)
    if hidden:
        lines.append([(f" … {hidden} more", "dim")])
    return lines


def _short(name: str) -> str:
    """What is too long keeps its end: addresses and the like begin alike."""
    return name if len(name) <= NAME_CELLS_MAX else "…" + name[1 - NAME_CELLS_MAX :]


def _heading(scene: Scene, at: list[int]) -> list[Span]:
    spans: list[Span] = [(f" {scene.view.title}", "axis")]
    for column_at, column in zip(at, scene.view.column, strict=False):
        pad(spans, column_at)
        spans.append((column.title, "axis"))
    return spans


def _text(cell: Cell | None, column: Column, now_ns: int) -> Span:
    if cell is None:
        return "·", "faint"
    if column.until:  # what stands now, and for how long
        return ("–", "faint") if cell.value is None else (f"{_value(cell.value)} {duration((now_ns - cell.at_ns) // 1_000)}", "warn")
    sign, style = _style(column, cell.value)
    return f"{_value(cell.value)}{f' {sign}' if sign else ''}", style


def _shown(known: list[str], both: list[Scene], room: int) -> list[str]:
    """Law 2: all, in their order; or the red ones first, then those on which something stands, then what changed last.

    One row is left to say how many are missing.
    """
    if len(known) <= room:
        return known
    cells = {name: [(one, cell) for one in both for cell in one.rows.get(name, {}).values()] for name in known}
    newest = {name: max((cell.at_ns - one.went_ns for one, cell in cells[name]), default=0) for name in known}
    bad = {name for name in known for one in both if _is_bad(one, name)}
    stands = {name for name in known for one in both if _stands(one, name)}
    wanted = sorted(known, key=lambda name: (name not in bad, name not in stands, -newest[name]))[: max(0, room - 1)]
    kept = frozenset(wanted)
    return [name for name in known if name in kept]


def _stands(scene: Scene, name: str) -> bool:
    """Whether something that will be taken back has not been yet."""
    cells = scene.rows.get(name, {})
    return any(column.until and (cell := cells.get(i)) is not None and cell.value is not None for i, column in enumerate(scene.view.column))


def _is_bad(scene: Scene, name: str) -> bool:
    cells = scene.rows.get(name, {})
    return any(holds(column.bad, cell.value) for i, column in enumerate(scene.view.column) if (cell := cells.get(i)) is not None)


def _counts(scene: Scene) -> list[list[Span]]:
    """Of an incident without a picture of its own: how many records of each kind there are."""
    found = sorted((key, count) for key, count in scene.counts.items() if not key.startswith("trace/"))
    return [[(f" {key.replace('.jsonl:', '  '):<32}", "dim"), (str(count), "")] for key, count in found]
