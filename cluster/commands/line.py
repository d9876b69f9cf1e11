"""A line of the operators' grammar while it is read from left to right, and what all verbs read alike: targets and links.

Law 1: whoever takes a word that is not there, or leaves one over, raises `UsageError` with its column.
"""

from __future__ import annotations

from cluster.commands import model
from cluster.commands.dialect import Dialect
from cluster.commands.verbs import BY_NAME
from cluster.commands.words import Word, missing, wrong
from cluster.core.errors import UsageError


class Line:
    """A line being read from left to right."""

    def __init__(self, text: str, verb: Word, rest: list[Word], dialect: Dialect) -> None:
        self.text = text
        self.dialect = dialect
        self.verb = verb
        self.words = rest
        self.for_us = 0

    def take(self, expected: str) -> Word:
        if not self.words:
            raise missing(self.text, expected)
        return self.words.pop(0)

    def end(self) -> None:
        if self.words:
            extra = self.words[0]
            lasts = self.verb.text in BY_NAME and BY_NAME[self.verb.text].lasts
            how_long = ", but for 'for 3s'" if lasts and not self.for_us else ""
            raise UsageError(f"column {extra.column}: {extra.text!r} is too much: {self.verb.text!r} has all it takes{how_long}")

    def remainder(self) -> str:
        """The raw text from the next word to the end of the line."""
        return self.text[self.words[0].column - 1 :].strip() if self.words else ""


def atoms_in(line: Line, word: Word) -> model.Targets:
    """A comma list in one word."""
    atoms: list[str] = []
    column = word.column
    for piece in word.text.split(","):
        if not piece:
            raise UsageError(f"column {column}: a node or a role is expected here: a list is written n1,n2 without spaces")
        if not line.dialect.atom.match(piece):
            raise wrong(Word(piece, column), line.dialect.named, line.dialect.known)
        if piece not in atoms:
            atoms.append(piece)
        column += len(piece) + 1
    return tuple(atoms)


def targets_in(line: Line) -> model.Targets:
    """One word with a comma list, and more words as long as they are targets too."""
    atoms = list(atoms_in(line, line.take(line.dialect.one)))
    while line.words and line.dialect.atom.match(line.words[0].text.split(",")[0]):
        atoms += [atom for atom in atoms_in(line, line.words.pop(0)) if atom not in atoms]
    return tuple(atoms)


def links_in(line: Line) -> model.Links:
    source = targets_in(line)
    if line.words and line.words[0].text == ">":
        line.words.pop(0)
        return model.Links(source, targets_in(line))
    return model.Links(source)
