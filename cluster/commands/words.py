"""One line of text -> words that remember their columns, and the errors that point at them.

Law 1: an error is one line: what is wrong, at which column (from 1), and what was expected.
Law 2: a line is one line of printable text: it ends up on screens, in journals and in other people's terminals.
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
_PLAIN_PIECE = re.compile(r"\S+")
# C0 and C1 controls but the tab, line and paragraph separators, and halves of surrogate pairs (bytes that were not UTF-8).
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class Word(msgspec.Struct, frozen=True):
    text: str
    column: int  # from 1


class LineEnds(UsageError):
    """Right as far as it goes, and not yet a command."""


def split(text: str, *, signs: bool = True) -> list[Word]:
    """Words by white space. `signs`: `|` and `>` stand alone even when nothing separates them."""
    if len(text) > LINE_CHARS_MAX:
        raise UsageError(f"a line of {len(text)} characters is longer than the limit of {LINE_CHARS_MAX}")
    unprintable = _UNPRINTABLE.search(text)
    if unprintable is not None:
        raise UsageError(f"column {unprintable.start() + 1}: {unprintable.group()!r} is no printable character")
    found = [Word(match.group(), match.start() + 1) for match in (_PIECE if signs else _PLAIN_PIECE).finditer(text)]
    if len(found) > WORDS_MAX:
        raise UsageError(f"a line of {len(found)} words is longer than the limit of {WORDS_MAX}")
    return found


def wrong(word: Word, expected: str, among: Iterable[str] = ()) -> UsageError:
    """`word` is not what was expected there."""
    return UsageError(f"column {word.column}: {word.text!r} is not {expected}{did_you_mean(word.text, among)}")


def missing(line: str, expected: str) -> LineEnds:
    """The line ended where something was still expected."""
    return LineEnds(f"column {len(line.rstrip()) + 1}: the line ends where {expected} is expected")


def did_you_mean(text: str, among: Iterable[str]) -> str:
    close = difflib.get_close_matches(text.lower(), list(among), n=1, cutoff=0.5)
    return f" (did you mean {close[0]!r}?)" if close else ""
