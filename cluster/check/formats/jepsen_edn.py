"""Jepsen's operation maps in EDN: `{:type :invoke, :f :write, :value 1, :process 0, :time 123, :index 0}`.

One map after the other, or all in one vector or list; a tag before a map (`#jepsen.history.Op{…}`) says nothing new. A process that
is no whole number (`:nemesis`) is no client. Some histories name the register in `:key`, others make the value `[key value]`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cluster.check.formats.edn import EdnError, Tagged, forms, written
from cluster.check.formats.entry import Entry, Malformed, kind_of, name_of, whole_of


def entries(text: str) -> Iterator[Entry]:
    """Every record; the line is that on which its map, or the vector around all, begins. Raises `Malformed`."""
    try:
        for value, line in forms(text):
            for number, item in enumerate(value if isinstance(value, tuple) else (value,), 1):
                try:
                    yield _entry(_map(item, line), line)
                except Malformed as malformed:
                    place = f"operation {number} of the vector: " if isinstance(value, tuple) else ""
                    raise Malformed(line, f"{place}{malformed.reason}") from None
    except EdnError as error:
        raise Malformed(error.line, error.reason) from None


def _map(item: Any, line: int) -> dict[str, Any]:
    while isinstance(item, Tagged):
        item = item.value
    if not isinstance(item, dict):
        raise Malformed(line, f"{written(item)[:40]} is no operation map")
    return item


def _entry(found: dict[str, Any], line: int) -> Entry:
    process, error, f = found.get(":process"), found.get(":error"), name_of(found.get(":f"))
    if process is None:
        raise Malformed(line, "a record without :process")
    client = isinstance(process, int) and not isinstance(process, bool)
    if not f and client:
        raise Malformed(line, "a record without :f")
    return Entry(
        line=line,
        kind=kind_of(found.get(":type"), line),
        process=str(process) if client else None,
        f=f,
        value=found.get(":value"),
        key=found.get(":key"),
        index=whole_of(found.get(":index"), ":index", line),
        time_ns=whole_of(found.get(":time"), ":time", line),
        node=name_of(found.get(":node")),
        error="" if error is None else name_of(error) or written(error),
    )
