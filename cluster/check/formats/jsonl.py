"""Our own histories: one JSON object a line, `{index, time, type, process, f, key, value, node, error}`.

`type`: invoke | ok | fail | info. `time`: nanoseconds. `value`: read: null, then what was seen; write, append: the new value; cas:
[expected, new]. `key`, `node` (who answered), `index` and `error` may be missing. A `process` that is no number but a name is a client
all the same, except for "nemesis". A `reset` by the nemesis empties every key.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from cluster.check.formats.edn import DEPTH_MAX, written
from cluster.check.formats.entry import Entry, Malformed, kind_of, whole_of
from cluster.core.errors import UNDECODABLE
from cluster.telemetry.control import RESET, HistoryLine

NEMESIS = "nemesis"
_decode = msgspec.json.Decoder().decode


def entries(text: str) -> Iterator[Entry]:
    """Every record. Raises `Malformed`. Empty lines mean nothing."""
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield entry(_object(line, number), number)


def record(line: HistoryLine) -> dict[str, Any]:
    """One of our own records in this format. It has no index: clients are heard in any order, and their clocks say which is right."""
    value: Any = list(line.value)
    if line.f != "cas":
        value = line.value[0] if line.value else None
    return {
        "time": line.at_us * 1_000,
        "type": line.kind,
        "process": NEMESIS if line.f == RESET else line.process,
        "f": line.f,
        "key": line.key,
        "value": value,
        "node": line.node,
        "error": line.error or None,
    }


def _object(line: str, number: int) -> dict[str, Any]:
    try:
        found = _decode(line)
    except UNDECODABLE as error:
        raise Malformed(number, f"no JSON: {error}") from None
    if not isinstance(found, dict):
        raise Malformed(number, "no JSON object")
    return found


def entry(found: dict[str, Any], line: int) -> Entry:
    """One object, which stands on `line`. Raises `Malformed`."""
    process = found.get("process")
    if isinstance(process, bool) or not isinstance(process, int | str):
        raise Malformed(line, "a record without a process")
    f, node, error = found.get("f"), found.get("node"), found.get("error")
    if not isinstance(f, str) or not f:
        raise Malformed(line, "a record without f")
    return Entry(
        line=line,
        kind=kind_of(found.get("type"), line),
        process=None if process == NEMESIS else str(process),
        f=f,
        value=_plain(found.get("value"), line),
        key=_plain(found.get("key"), line),
        index=whole_of(found.get("index"), "index", line),
        time_ns=whole_of(found.get("time"), "time", line),
        node=node if isinstance(node, str) else "",
        error=error if isinstance(error, str) else "" if error is None else str(error),
    )


def _plain(value: Any, line: int, depth: int = 0) -> Any:
    """A JSON value as `edn` would give it."""
    if depth > DEPTH_MAX:
        raise Malformed(line, f"nested deeper than {DEPTH_MAX}")
    if isinstance(value, list):
        return tuple(_plain(item, line, depth + 1) for item in value)
    if isinstance(value, dict):
        return {written(key): _plain(item, line, depth + 1) for key, item in value.items()}
    return value
