"""The classic log of `jepsen.util`: `INFO  jepsen.util - 4  :invoke  :cas  [2 4]`, with tabs or blanks between the columns.

The columns are process, type, f, value and sometimes an error. A value of `:timed-out` (any keyword, on a `:fail` or `:info`) is the
error of an operation without a result. Lines of other loggers are not ours; a `jepsen.util` line that begins like an operation must be
one. Files with the bare columns (Jepsen's `history.txt`) are read as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from cluster.check.formats.edn import EdnError, Keyword, forms, written
from cluster.check.formats.entry import Entry, Malformed, kind_of, name_of

LOGGER = re.compile(r"\bjepsen\.util(?:[ \t]+-|:)?[ \t]+")
# What begins like an operation: a process (a number, or the name of a nemesis), and a keyword.
_COLUMNS = re.compile(r"(?P<process>-?\d+|:[\w.-]+)(?:[ \t]+|$)(?P<rest>.*)")
OPERATION = re.compile(r"(?:-?\d+|:[\w.-]+)[ \t]+:(?:invoke|ok|fail|info)[ \t]+:\S")


def entries(text: str) -> Iterator[Entry]:
    """Every operation's record. Raises `Malformed`."""
    for number, line in enumerate(text.split("\n"), 1):
        columns = _COLUMNS.fullmatch(_own(line.rstrip()))
        if columns is not None:
            yield _entry(columns["process"], columns["rest"], number)


def _own(line: str) -> str:
    """What `jepsen.util` says in this line; "" when it is another logger's."""
    logger = LOGGER.search(line)
    if logger is not None:
        return line[logger.end() :]
    return line if OPERATION.match(line) else ""


def _entry(process: str, rest: str, line: int) -> Entry:
    try:
        columns = [value for value, _ in forms(rest)]
    except EdnError as refused:
        raise Malformed(line, refused.reason) from None
    if not 2 <= len(columns) <= 4:
        raise Malformed(line, f"{len(columns) + 1} columns: process, type, f, value and perhaps an error are expected")
    kind, f = kind_of(columns[0], line), name_of(columns[1])
    if not f:
        raise Malformed(line, f"{written(columns[1])} is no operation")
    value: Any = columns[2] if len(columns) > 2 else None
    error: Any = columns[3] if len(columns) > 3 else None
    if isinstance(value, Keyword) and kind in ("fail", "info") and error is None:
        value, error = None, value
    return Entry(
        line=line,
        kind=kind,
        process=None if process.startswith(":") else process,
        f=f,
        value=value,
        error="" if error is None else name_of(error) or written(error),
    )
