"""Runs an incident as the command line does, and says on standard output when the kernel has stopped w1 on its line.

`python -m tests.scenarios.until_stopped RUNS_DIR`: one line, the name of the process; then it goes on as ever.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from scenarios.catalog import load
from scenarios.runner import Asked, run
from scenarios.timeline import Timeline

_stopped = Timeline.stopped


def _tell(timeline: Timeline, process: str, at_us: int) -> Any:
    sys.stdout.write(f"{process}\n")
    sys.stdout.flush()
    return _stopped(timeline, process, at_us)


if __name__ == "__main__":
    Timeline.stopped = _tell  # type: ignore[method-assign]
    run(load("stale-lock-holder"), Asked("broken", ("ttl_ms=2000",)), Path(sys.argv[1]))
