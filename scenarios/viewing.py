"""How an incident wants to be looked at: which records make the rows of its own picture, and when its window is open.

A card says it in a few lines:

    [view]
    title = "orders"
    rows = "order"                      # the field of the records that names a row
    workload = "id"                     # rows that are known before the first record: this field of the workload's items
    [[view.column]]
    title = "charges"
    of = "ledger/payd:charged"          # ledger lines of this kind; "history/w1:ok", "trace:lock.acquired" (anybody's)
    show = "count"                      # or "sum cents", or the name of a field: its newest value
    bad = "> 1"                         # what turns it red; `good`: what turns it green
    [[view.counter]]
    title = "charged"
    of = "ledger/payd:charged"

Law 1: a view shows records and judges nothing: red is a hint for the eye, the verdict is the oracle's.
Law 2: a field is looked for in the record, then in what it carries (`value`), so histories and ledgers are named alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import msgspec

_SOURCE = re.compile(r"(ledger|history|trace)(?:/([a-z][a-z0-9]{0,11}))?:([A-Za-z_.-]+)\Z")
_TEST = re.compile(r"(>=|<=|==|!=|>|<) ?(\S+)\Z")
_SHOW = re.compile(r"count\Z|(sum|newest) ([a-z_]+)\Z|[a-z_]+\Z")
# The field that says of what kind a record is, by the folder that it lies in.
KINDS = {"ledger": "kind", "history": "type", "trace": "event"}


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A misspelt field must not be a silent default."""


class Column(_Part, frozen=True):
    """One column of the table, or one counter below it. `where`: only records with these values; `row`: named by another field here.

    `until`: records of the same file that take the value back which they name themselves: what is left is what stands now, and since when.
    """

    title: str
    of: str
    show: str = "count"
    where: dict[str, str] = {}
    row: str = ""
    until: tuple[str, ...] = ()
    bad: str = ""
    good: str = ""


class View(_Part, frozen=True):
    """The incident's own picture."""

    title: str = ""
    rows: str = ""
    workload: str = ""
    column: tuple[Column, ...] = ()
    counter: tuple[Column, ...] = ()


class Window(_Part, frozen=True):
    """When a fault of `process` does harm: from its first record that is like `opens` to the next that is like `closes`."""

    process: str
    opens: str
    closes: str
    what: str


class Source(msgspec.Struct, frozen=True):
    """`ledger/payd:charged`, taken apart; `name` is empty for anybody's."""

    folder: str
    name: str
    kind: str

    def is_of(self, file: str) -> bool:
        """Whether records of this file can be meant (`ledger/payd.jsonl`)."""
        folder, _, name = file.partition("/")
        return folder == self.folder and self.name in ("", name.removesuffix(".jsonl"))


@lru_cache(maxsize=256)
def read_source(text: str) -> Source:
    """Of a card that was checked."""
    match = _SOURCE.match(text)
    assert match is not None, text
    return Source(match[1], match[2] or "", match[3])


def kind_of(file: str, line: dict[str, Any]) -> str:
    return str(line.get(KINDS.get(file.partition("/")[0], ""), ""))


def tells(column: Column, file: str) -> bool:
    """Whether records of this file say something of it."""
    return any(read_source(text).is_of(file) for text in (column.of, *column.until))


def takes_back(column: Column, kind: str) -> bool:
    return any(read_source(text).kind == kind for text in column.until)


def field(line: dict[str, Any], name: str) -> Any:
    """Law 2. None when it is nowhere."""
    if name in line:
        return line[name]
    inner = line.get("value")
    return inner.get(name) if isinstance(inner, dict) else None


def meant(column: Column, line: dict[str, Any]) -> bool:
    """Whether a record of the right kind has the values that are asked for."""
    return all(str(field(line, name)) == wanted for name, wanted in column.where.items())


def shown(column: Column) -> tuple[str, str]:
    """("count", "") · ("sum", field) · ("newest", field)."""
    verb, _, name = column.show.partition(" ")
    return (verb, name) if name or verb == "count" else ("newest", verb)


def holds(test: str, value: object) -> bool:
    """`> 1` of a value; numbers are compared as numbers, all else only for being equal. An empty test never holds."""
    match = _TEST.match(test)
    if match is None:
        return False
    sign, wanted = match[1], match[2]
    try:
        left, right = float(str(value)), float(wanted)
    except ValueError:
        return {"==": str(value) == wanted, "!=": str(value) != wanted}.get(sign, False)
    return {">": left > right, "<": left < right, ">=": left >= right, "<=": left <= right, "==": left == right, "!=": left != right}[sign]


def faults(view: View, window: Window | None, processes: tuple[str, ...]) -> Iterator[str]:
    """What is wrong in these parts of a card, one sentence each."""
    for part, columns in (("column", view.column), ("counter", view.counter)):
        for i, column in enumerate(columns):
            yield from _column_faults(f"view.{part}[{i}]", column, processes, named=part == "counter" or bool(column.row or view.rows))
    if window is not None:
        if window.process not in processes:
            yield f"window.process: there is no process {window.process!r}"
        for name in ("opens", "closes"):
            yield from _source_faults(f"window.{name}", getattr(window, name), processes)


def _column_faults(key: str, column: Column, processes: tuple[str, ...], *, named: bool) -> Iterator[str]:
    yield from _source_faults(f"{key}.of", column.of, processes)
    for source in column.until:
        yield from _source_faults(f"{key}.until", source, processes)
    if column.until and shown(column)[0] != "newest":
        yield f"{key}.until: only the newest value of a field is ever taken back, so expected a field in `show`"
    if not named:
        yield f"{key}.row: neither it nor view.rows says which field names a row"
    if not _SHOW.match(column.show):
        yield f"{key}.show: expected 'count', 'sum FIELD' or a field, not {column.show!r}"
    for name in ("bad", "good"):
        if getattr(column, name) and not _TEST.match(getattr(column, name)):
            yield f"{key}.{name}: expected a comparison such as '> 1', not {getattr(column, name)!r}"


def _source_faults(key: str, text: str, processes: tuple[str, ...]) -> Iterator[str]:
    match = _SOURCE.match(text)
    if match is None or (match[2] and match[2] not in processes):
        yield f"{key}: expected 'ledger|history|trace[/PROCESS]:KIND' with a process of this file, not {text!r}"
