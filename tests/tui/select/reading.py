"""Rows as a person reads them: text without styles, and the styles a text was drawn in."""

from __future__ import annotations

from collections.abc import Sequence

from tui.state import Row


def lines(rows: Sequence[Row]) -> list[str]:
    """Each row as one string, blanks at the end left out."""
    return ["".join(text for text, _ in row).rstrip() for row in rows]


def whole(rows: Sequence[Row]) -> str:
    """All rows as running text: folds do not matter."""
    return " ".join(" ".join(lines(rows)).split())


def line_with(rows: Sequence[Row], text: str) -> str:
    """The first line that contains `text`."""
    found = [line for line in lines(rows) if text in line]
    assert found, f"no line contains {text!r}:\n" + "\n".join(lines(rows))
    return found[0]


def style_of(rows: Sequence[Row], text: str) -> str:
    """The style of the first span that contains `text`."""
    found = [style for row in rows for span, style in row if text in span]
    assert found, f"no span contains {text!r}"
    return found[0]
