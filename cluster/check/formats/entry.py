"""One record of a history as every format tells it, and the one error of all formats.

Law 1: a format loses nothing and judges nothing: which operations there are and what they mean is `cluster.check.operations`' matter.
Law 2: what is malformed is refused with the line and the reason; a history with a hole proves nothing.
"""

from __future__ import annotations

from typing import Any

import msgspec

from cluster.check.formats.edn import Keyword, Symbol
from cluster.core.errors import FaultlineError

KINDS = ("invoke", "ok", "fail", "info")


class Malformed(FaultlineError):
    """`line` of the history cannot be what it claims to be."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line, self.reason = line, reason


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """`value` and `key` are plain values (see `edn`); `key` is None when the record names none.

    `process` is None for what no client did: a nemesis, an operator. `time_ns` and `index` where the format tells them.
    """

    line: int
    kind: str
    process: str | None
    f: str
    value: Any = None
    key: Any = None
    index: int | None = None
    time_ns: int | None = None
    node: str = ""
    error: str = ""


def name_of(value: Any) -> str:
    """A keyword, symbol or string as a plain word; "" for anything else."""
    match value:
        case str():
            return value
        case Keyword(name=name) | Symbol(name=name):
            return name
    return ""


def kind_of(value: Any, line: int) -> str:
    """One of `KINDS`. Raises `Malformed`."""
    kind = name_of(value)
    if kind not in KINDS:
        raise Malformed(line, f"type {kind!r} is none of {', '.join(KINDS)}" if kind else "a record without a type")
    return kind


def whole_of(value: Any, what: str, line: int) -> int | None:
    """A whole number or nothing. Raises `Malformed`."""
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    raise Malformed(line, f"{what} is no whole number")
