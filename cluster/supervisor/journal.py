"""The recording of a lab: a versioned header, then the wire's own frames of events and of client history; that history as JSON lines.

Law 1: a file that was cut anywhere is readable up to its last whole frame.
Law 2: recording never stops a lab: when the disk is full or the file has its full size, recording ends and says so.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import msgspec

from cluster.check.formats.jsonl import record
from cluster.core.errors import EnvironmentFailed
from cluster.telemetry.control import HistoryLine
from cluster.telemetry.events import Event
from cluster.wire import heard_frames, history_frames

MAGIC = b"FAULTLINE-RECORDING 1\n"
JOURNAL_BYTES_MAX = 1024 * 1024 * 1024
HISTORY_BYTES_MAX = 512 * 1024 * 1024
_FRAME_EVENTS_MAX = 256


class Journal:
    """`write(event)`, `history(line)`, `flush()` a few times per second, `close()`. `complain` hears once why recording ended early."""

    def __init__(self, path: str, complain: Callable[[str], None], bytes_max: int = JOURNAL_BYTES_MAX) -> None:
        """Raises `EnvironmentFailed` when the file cannot be made."""
        self._path = path
        self._complain = complain
        self._bytes_max = bytes_max
        self._waiting: list[Event] = []
        self._lines: list[HistoryLine] = []
        self._file: BinaryIO | None = _create(path)
        self._file.write(MAGIC)
        self._bytes = len(MAGIC)

    def write(self, event: Event) -> None:
        self._waiting.append(event)
        if len(self._waiting) >= _FRAME_EVENTS_MAX:
            self.flush()

    def history(self, line: HistoryLine) -> None:
        """What a client asked or heard, for `faultline check`."""
        self._lines.append(line)
        if len(self._lines) >= _FRAME_EVENTS_MAX:
            self.flush()

    def flush(self) -> None:
        """Everything so far as a frame or two, handed to the operating system: it survives the death of this process."""
        events, self._waiting = tuple(self._waiting), []
        lines, self._lines = tuple(self._lines), []
        if self._file is None:
            return
        for frame in [*(heard_frames(events) if events else []), *(history_frames(lines) if lines else [])]:
            if not self._write(frame):
                return

    def _write(self, frame: bytes) -> bool:
        """False when this was the end of the recording."""
        assert self._file is not None, "whoever writes has looked"
        if self._bytes + len(frame) > self._bytes_max:
            self._stop(f"recording {self._path} ended at its limit of {self._bytes_max} bytes")
            return False
        try:
            self._file.write(frame)
            self._file.flush()
        except OSError as error:
            self._stop(f"recording {self._path} ended: {error.strerror}")
            return False
        self._bytes += len(frame)
        return True

    def _stop(self, why: str) -> None:
        _close(self._file)
        self._file = None
        self._complain(why)

    def close(self) -> None:
        self.flush()
        _close(self._file)
        self._file = None


class HistoryFile:
    """Client histories, one JSON object per line, for checkers that read files."""

    def __init__(self, path: str, complain: Callable[[str], None], bytes_max: int = HISTORY_BYTES_MAX) -> None:
        self._path = path
        self._complain = complain
        self._room = bytes_max
        self._file: BinaryIO | None = _create(path)
        self._encoder = msgspec.json.Encoder()

    def write(self, line: HistoryLine) -> None:
        if self._file is None:
            return
        text = self._encoder.encode(record(line)) + b"\n"
        self._room -= len(text)
        try:
            if self._room >= 0:
                self._file.write(text)
                return
            why = "it has its full size"
        except OSError as error:
            why = str(error.strerror)
        self._stop(why)

    def _stop(self, why: str) -> None:
        _close(self._file)
        self._file = None
        self._complain(f"history {self._path} ended: {why}")

    def close(self) -> None:
        """What is still in memory may find no room: then the last lines are missing, and that is said."""
        why = _close(self._file)
        self._file = None
        if why:
            self._complain(f"history {self._path} ended: {why}")


def _close(file: BinaryIO | None) -> str:
    """Closed in any case: on a full disk `close` fails as the write before it did, and law 2 still holds. Returns why, or nothing."""
    try:
        if file is not None:
            file.close()
    except OSError as error:
        return str(error.strerror)
    return ""


def _create(path: str) -> BinaryIO:
    try:
        return Path(path).open("wb")
    except OSError as error:
        raise EnvironmentFailed(f"cannot write {path}: {error.strerror}") from error
