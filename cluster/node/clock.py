"""The one clock that a node process reads; what it makes of it is `core.clock`."""

from __future__ import annotations

import time

from cluster.core.types import Micros


def true_us() -> Micros:
    """The machine's monotonic clock: one clock for all processes of a machine."""
    return time.monotonic_ns() // 1_000
