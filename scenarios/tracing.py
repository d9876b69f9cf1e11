"""Traces of servers that cannot write their own: the runner does it, in the form that processes use for theirs.

Law 1: a trace is what somebody said of itself: good for coverage and display, never for violations.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scenarios.lines import LineFile, now_ns


class Traces:
    """One file a process, made when it first says something."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, LineFile] = {}

    def write(self, process: str, event: str, fields: Mapping[str, Any]) -> None:
        """`fields` may bring a `mono_ns` of their own."""
        if process not in self._files:
            self._files[process] = LineFile(self._folder / f"{process}.jsonl")
        self._files[process].write({"mono_ns": now_ns(), "process": process, "event": event, **fields})

    def close(self) -> None:
        for file in self._files.values():
            file.close()
