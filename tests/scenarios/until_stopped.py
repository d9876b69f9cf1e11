"""Runs an incident as the command line does, and says on standard output when the kernel has stopped w1 on its line.

`python -m tests.scenarios.until_stopped RUNS_DIR`: one line, the name of the process; then it goes on as ever, to the document and the
exit code of `faultline run --json`. With `LOG NUMBER` after it, the disk is full for this log (`supervisor`) after so many lines.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from scenarios import runner
from scenarios.lines import LineFile
from scenarios.timeline import Timeline
from tui.cli import run as command_line

_stopped = Timeline.stopped


def _tell(timeline: Timeline, process: str, at_us: int) -> Any:
    sys.stdout.write(f"{process}\n")
    sys.stdout.flush()
    return _stopped(timeline, process, at_us)


class FullAfter(LineFile):
    """From then on the kernel itself says that there is no space left."""

    log, left = "", 0

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._is_it = path.stem == self.log

    def write_raw(self, lines: bytes) -> None:
        if self._is_it and FullAfter.left == 0:
            os.dup2(os.open("/dev/full", os.O_WRONLY), self._descriptor, inheritable=False)
        FullAfter.left -= self._is_it
        super().write_raw(lines)


if __name__ == "__main__":
    Timeline.stopped = _tell  # type: ignore[method-assign]
    if len(sys.argv) > 2:
        FullAfter.log, FullAfter.left = sys.argv[2], int(sys.argv[3])
        runner.LineFile = FullAfter  # type: ignore[misc]
    sys.exit(command_line(["run", "stale-lock-holder", "--set", "ttl_ms=2000", "--json", "--runs", sys.argv[1]]))
