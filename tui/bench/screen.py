"""What stands on a terminal, from the bytes that were written to it: just enough to see whether something is there.

Law 1: pure: text in, a grid of characters out; colours are read over.
Law 2: what is not understood changes nothing. Every sign of ours is one cell wide, so a character is a cell.
"""

from __future__ import annotations

import re

# One escape sequence (CSI with parameters, OSC or DCS with its text, or a short one), or a run of what can be printed.
_TOKEN = re.compile(
    r"\x1b\[(?P<parameters>[0-?]*)[ -/]*(?P<final>[@-~])"
    r"|\x1b[\]PX^_].*?(?:\x07|\x1b\\)"
    r"|\x1b[ -/]*[0-OQ-WYZ\\`-~]"
    r"|(?P<text>[^\x00-\x1f\x7f]+)"
    r"|(?P<control>[\x00-\x1a\x1c-\x1f\x7f])",
    re.DOTALL,
)
# A sequence that has not ended after so many characters never will.
UNFINISHED_MAX = 4_096


class Screen:
    """`feed(text)`; then `rows` is what a person would see."""

    def __init__(self, columns: int, lines: int) -> None:
        self.columns, self.lines = columns, lines
        self._cells = [[" "] * columns for _ in range(lines)]
        self._x = self._y = 0
        self._unfinished = ""

    @property
    def rows(self) -> list[str]:
        return ["".join(cells) for cells in self._cells]

    def row(self, y: int) -> str:
        return "".join(self._cells[y])

    def feed(self, text: str) -> None:
        """Take what was written next; a sequence cut in the middle waits for its rest."""
        text = self._unfinished + text
        end = 0
        for token in _TOKEN.finditer(text):
            if token.start() > end and "\x1b" in text[end : token.start()]:
                break
            end = token.end()
            if token["text"] is not None:
                self._print(token["text"])
            elif token["final"] is not None:
                self._obey(token["final"], token["parameters"])
            elif token["control"] is not None:
                self._control(token["control"])
        rest = text[end:]
        self._unfinished = rest if len(rest) < UNFINISHED_MAX else ""

    def _print(self, text: str) -> None:
        if self._y < self.lines:
            text = text[: max(0, self.columns - self._x)]
            self._cells[self._y][self._x : self._x + len(text)] = text
            self._x += len(text)

    def _obey(self, final: str, parameters: str) -> None:
        if final in "Hf":
            y, _, x = parameters.partition(";")
            self._y, self._x = int(y or 1) - 1, int(x or 1) - 1
        elif final == "J":
            self._cells = [[" "] * self.columns for _ in range(self.lines)]
        elif final == "K" and self._y < self.lines:
            self._cells[self._y][self._x :] = " " * max(0, self.columns - self._x)

    def _control(self, control: str) -> None:
        if control == "\n":
            self._y += 1
        elif control == "\r":
            self._x = 0
