"""What a client asked and what it heard, in Jepsen's terms: invoke, then ok, fail, or info for an outcome that is not known.

Law 1: the line for `invoke` is written before the bytes leave, so there is no effect without a record of its cause.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from scenarios.lines import LineFile, now_ns


class History:
    """Of one client process. In a second life it goes on counting behind what the first one wrote: no index means two calls."""

    def __init__(self, process: str, path: Path) -> None:
        self._process = process
        self._index = path.read_bytes().count(b"\n") if path.exists() else 0
        self._file = LineFile(path)

    def invoke(self, f: str, value: dict[str, Any]) -> int:
        """Returns the index that the outcome must name."""
        self._index += 1
        self._write(self._index, "invoke", f, value)
        return self._index

    def ok(self, index: int, f: str, value: dict[str, Any]) -> None:
        self._write(index, "ok", f, value)

    def fail(self, index: int, f: str, value: dict[str, Any]) -> None:
        """It certainly had no effect."""
        self._write(index, "fail", f, value)

    def info(self, index: int, f: str, error: str) -> None:
        """Nobody knows."""
        self._write(index, "info", f, {"error": error})

    def _write(self, index: int, kind: str, f: str, value: dict[str, Any]) -> None:
        line = {"index": index, "time": now_ns(), "type": kind, "process": self._process, "f": f, "value": value}
        self._file.write(line)
