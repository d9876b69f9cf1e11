"""The help screen: every key this seat has, by group, and how to read shapes, letters and marks.

Law 1: keys come from the one declaration handed in; nothing is listed here a second time.
"""

from __future__ import annotations

from collections.abc import Sequence

from tui.select.logcells import COMMIT_MARK
from tui.select.signs import SHAPES
from tui.select.spans import fit, width_of, wrapped
from tui.select.wave import CELLS
from tui.state import Row, Span, UiState

# (key, text, help, danger, undo, group): `text` is the command it gives, or its name; `danger` as the verbs declare it.
Entry = tuple[str, str, str, str, str, str]
TWO_COLUMNS_FROM = 110
KEY_CELLS, TEXT_CELLS = 8, 17
GUTTER = 3
WARNINGS = {"residue": "What is in memory is lost.", "data": "This can lose data."}
STATES = {
    "leader": "leader",
    "follower": "follower",
    "candidate": "candidate",
    "stale": "believes it leads, wrongly",
    "paused": "frozen (paused)",
    "dead": "dead",
    "learner": "gets the log and has no vote",
    "observer": "no vote, gossips only",
    "starting": "starting",
}


def rows(entries: Sequence[Entry], ui: UiState, width: int, height: int) -> list[Row]:
    """Two columns when wide; `ui.scroll` lines are scrolled past."""
    wide = width >= TWO_COLUMNS_FROM
    column = (width - GUTTER) // 2 if wide else width
    blocks = [*_groups(entries, column), _reading(ui, column)]
    lines = _side_by_side(blocks, column) if wide else [row for block in blocks for row in block]
    last = max(0, len(lines) - height)
    start = min(max(0, ui.scroll), last)
    shown = lines[start : start + height]
    if start < last and shown:
        more = len(lines) - start - height + 1
        shown[-1] = ((f"… {more} more lines: ", "warn"), ("pgdn", "key"))
    return fit(shown, width, height, ascii=ui.ascii)


def _groups(entries: Sequence[Entry], width: int) -> list[list[Row]]:
    """One block per group, in the order in which groups first occur."""
    blocks: dict[str, list[Row]] = {}
    for key, text, about, danger, undo, group in entries:
        block = blocks.setdefault(group, [((group.upper(), "title"),)])
        block += _entry(key, text, about, danger, undo, width)
    return [[*block, (("", ""),)] for block in blocks.values()]


def _entry(key: str, text: str, about: str, danger: str, undo: str, width: int) -> list[Row]:
    warning = WARNINGS.get(danger, "")
    sentence = " ".join(part for part in (about, f"Undo: {undo.rstrip('.')}." if undo else "", warning) if part)
    key_cells, text_cells = (KEY_CELLS, TEXT_CELLS) if width >= 60 else (KEY_CELLS - 1, 0)
    if not text_cells:
        sentence = f"{text}: {sentence}"
    lead = key_cells + text_cells
    folded = wrapped(sentence, max(16, width - lead), "warn" if warning else "", lines_max=4)
    names = f"{text} " if len(text) >= text_cells else text.ljust(text_cells)
    if text_cells and len(names) > text_cells:  # a long command has a line of its own
        return [((f"{key:<{key_cells}}", "key"), (names, "title")), *(((" " * lead, ""), row[1]) for row in folded)]
    head: Row = ((f"{key:<{key_cells}}", "key"), (names if text_cells else "", "title"), folded[0][1])
    return [head, *(((" " * lead, ""), row[1]) for row in folded[1:])]


def _reading(ui: UiState, width: int) -> list[Row]:
    """The encoding: never colour alone."""
    block: list[Row] = [(("HOW TO READ", "title"),)]
    for state, (shape, plain, letter) in SHAPES.items():
        block.append((((plain if ui.ascii else shape) + f" {letter:<3}", state), (STATES[state], "")))
    mark = COMMIT_MARK[ui.ascii]
    texts = [
        ("A B C", "side.a", "sides of a cut, the largest first; nodes are ordered by side"),
        ("7788", "term.1", "log lanes: one digit per entry, the last digit of its term"),
        (mark, "commit", "the commit index: what is left of it is safe"),
        ("!", "bad", "an entry that the present leader's log will overwrite"),
        ("▒▒", "bad", "a time without a leader"),
        ("φ", "warn", "suspicion: 1 means wrong once in 10 times, 8 once in 100 million"),
    ]
    for sign, style, words in texts:
        block += wrapped(words, width, "", lead=f"{sign:<6}", lead_style=style)
    spans: list[Span] = [("wave  ", "dim")]
    meanings = {"origin": "origin", "new": "told now", "knows": "knows", "not": "not yet", "cut": "cut off"}
    for state, meaning in meanings.items():
        shape, plain, style = CELLS[state]
        spans += [(plain if ui.ascii else shape, style), (f" {meaning}  ", "")]
    block.append(tuple(spans))
    return block


def _side_by_side(blocks: list[list[Row]], column: int) -> list[Row]:
    """Whole blocks from top to bottom, left column first, the two as level as can be."""
    total = sum(len(block) for block in blocks)
    left: list[Row] = []
    right: list[Row] = []
    for block in blocks:
        (left if not right and len(left) + len(block) // 2 < total / 2 else right).extend(block)
    lines: list[Row] = []
    for place in range(max(len(left), len(right))):
        row = fit([left[place]], column, 1)[0] if place < len(left) else ()
        gap = " " * (column - width_of(row) + GUTTER)
        lines.append((*row, (gap, ""), *(right[place] if place < len(right) else ())))
    return lines
