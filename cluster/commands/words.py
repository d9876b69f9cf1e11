"""One line of text -> words that remember their columns, and the errors that point at them.

Law 1: an error is one line: what is wrong, at which column (from 1), and what was expected.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

import msgspec

from cluster.core.errors import UsageError

LINE_CHARS_MAX = 2_000
WORDS_MAX = 400

_PIECE = re.compile(r"[|>]|[^\s|>]+")


class Word(msgspec.Struct, frozen=True):
    text: str
    column: int  # from 1


def split(text: str) -> list[Word]:
    """Words by white space; `|` and `>` stand alone even when nothing separates them."""
    if len(text) > LINE_CHARS_MAX:
        raise UsageError(f"a line of {len(text)} characters is longer than the limit of {LINE_CHARS_MAX}")
    found = [Word(match.group(), match.start() + 1) for match in _PIECE.finditer(text)]
    if len(found) > WORDS_MAX:
        raise UsageError(f"a line of {len(found)} words is longer than the limit of {WORDS_MAX}")
    return found


def wrong(word: Word, expected: str, among: Iterable[str] = ()) -> UsageError:
    """`word` is not what was expected there."""
    return UsageError(f"column {word.column}: {word.text!r} is not {expected}{did_you_mean(word.text, among)}")


def missing(line: str, expected: str) -> UsageError:
    """The line ended where something was still expected."""
    return UsageError(f"column {len(line.rstrip()) + 1}: the line ends where {expected} is expected")


def did_you_mean(text: str, among: Iterable[str]) -> str:
    close = difflib.get_close_matches(text.lower(), list(among), n=1, cutoff=0.5)
    return f" (did you mean {close[0]!r}?)" if close else ""
