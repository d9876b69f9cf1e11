"""Record files followed while they grow: whole lines, each told once, in the order in which they stand.

Law 1: the files are the queue: what is not told yet waits there and nowhere else, however slowly somebody reads.
Law 2: it judges nothing: a line that is no JSON object is passed over here and found by whoever judges.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from cluster.core.errors import UNDECODABLE
from scenarios.feed import LINES_MAX, Told

# In this order: what was done to whom comes before what they say of it.
_ALONE = ("phases.jsonl", "supervisor.jsonl", "faults.jsonl")
_FOLDERS = ("trace", "history", "ledger")
CHUNK_BYTES = 256 * 1024
_decoder = msgspec.json.Decoder(dict[str, Any])


class Tail:
    """Of one run directory, from byte 0."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._read: dict[str, tuple[int, int]] = {}  # file -> (bytes, lines) that were told

    def news(self) -> list[Told]:
        """At most one message for each file; empty when nothing was added."""
        return [told for file in self._files() if (told := self._next(file)) is not None]

    def behind(self) -> int:
        """Bytes that are written and not yet told."""
        return sum((self._root / file).stat().st_size - self._read.get(file, (0, 0))[0] for file in self._files())

    def _files(self) -> Iterator[str]:
        yield from (file for file in _ALONE if (self._root / file).is_file())
        for folder in _FOLDERS:
            yield from (f"{folder}/{path.name}" for path in sorted((self._root / folder).glob("*.jsonl")))

    def _next(self, file: str) -> Told | None:
        done, lines_done = self._read.get(file, (0, 0))
        if (self._root / file).stat().st_size == done:
            return None
        with (self._root / file).open("rb") as opened:
            opened.seek(done)
            chunk = opened.read(CHUNK_BYTES)
        whole = chunk[: chunk.rfind(b"\n") + 1].splitlines(keepends=True)[:LINES_MAX]
        if not whole:
            return None
        self._read[file] = (done + sum(map(len, whole)), lines_done + len(whole))
        return Told(file, lines_done + 1, tuple(map(_object, whole)))


def _object(raw: bytes) -> dict[str, Any]:
    try:
        return _decoder.decode(raw)
    except UNDECODABLE:
        return {}
