"""Written histories -> entries: which format a text has is told by its content.

Law 1: the first line that only one format could have written decides; a text that no format could have written is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from cluster.check.formats import jepsen_edn, jepsen_log, jsonl
from cluster.check.formats.entry import Entry, Malformed

FORMATS: dict[str, Callable[[str], Iterator[Entry]]] = {
    "jsonl": jsonl.entries,
    "edn": jepsen_edn.entries,
    "jepsen-log": jepsen_log.entries,
}


_JSON = re.compile(r'\s*\{\s*"')
_EDN = re.compile(r"\s*[\[(]?\s*(?:#[\w./-]+\s*)?\{\s*:")


def detected(text: str) -> str:
    """The name of the format. Raises `Malformed`; an empty text is "jsonl" (without a record)."""
    first = 0
    for number, line in enumerate(text.split("\n"), 1):
        first = first or (number if line.strip() else 0)
        if jepsen_log.LOGGER.search(line) or jepsen_log.OPERATION.match(line):
            return "jepsen-log"
        if _JSON.match(line):
            return "jsonl"
        if _EDN.match(line):
            return "edn"
    if not first:
        return "jsonl"
    raise Malformed(first, f"in none of the known formats: {', '.join(FORMATS)}")


def read(text: str, name: str = "") -> list[Entry]:
    """Every record of a history in the format `name` ("": `detected`). Raises `Malformed`."""
    return list(FORMATS[name or detected(text)](text))
