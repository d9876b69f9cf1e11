"""What panes write with: the names of styles, and an ASCII sign for every other one.

Law 1: every glyph is one cell wide in every terminal, so `len` is the width; signs that some fonts draw wide (⚠ ⏸ ⏱ ✂) are not here.
Law 2: a pane names styles, never colours: `STYLES` and the families named there are all the names there are.

Two names may be joined, `leader+cursor`: the second lies over the first.
"""

from __future__ import annotations

from tui.select.signs import SHAPES

# What each style says. Families that are computed: side.a … side.d, term.0 … term.5, phi.0 … phi.9, phi.<upper>/<lower>.
STYLES: dict[str, str] = {
    **dict.fromkeys(SHAPES, "the state of a node"),
    "": "plain text",
    "dim": "what supports the rest: units, explanations",
    "faint": "what may be overlooked",
    "axis": "rulers, separators, column headings",
    "nodata": "hatched: nothing is known here, which is not the same as nothing",
    "title": "names of things",
    "bold": "emphasis within a sentence",
    "key": "a key that can be pressed now",
    "cursor": "under the cursor",
    "marked": "marked by the operator",
    "good": "a promise that holds",
    "warn": "look here",
    "bad": "a promise broken, or about to be",
    "cut": "the seam of a cut",
    "badge": "a small sign of how the screen stands",
    "badge.warn": "the same, to be noticed",
    "badge.bad": "the same, not to be missed",
}

# sign -> its ASCII fallback; all are one cell wide.
_PLAIN = {
    "╳": "X", "╎": ":", "│": "|", "┃": "|", "─": "-", "┼": "+", "━": "=", "╍": "-", "╲": "\\", "╱": "/", "▸": ">", "•": "+",
    "→": ">", "←": "<", "▶": ">", "◀": "<", "✓": "+", "✗": "X", "×": "x", "·": ".", "≥": ">", "∞": "@", "…": ".", "▌": "|", "◉": "O",
    "⟁": "#", "–": "-", "█": "#", "▀": "#", "▄": "#", "╴": "-", "╶": "-", "┄": "-", "φ": "p", "±": "~", "↓": "v",
}  # fmt: skip
_TRANSLATION = str.maketrans(_PLAIN)


def plain(text: str, ascii: bool) -> str:
    """The text, in ASCII where the terminal wants it; the width never changes."""
    return text.translate(_TRANSLATION) if ascii else text
