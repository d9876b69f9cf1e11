"""The one clock of a machine that all processes of the lab share. Who reads it is no pure code; what a node makes of it is `core.clock`."""

from __future__ import annotations

import time

from cluster.core.types import Micros


def now_us() -> Micros:
    """Of the kernel's monotonic clock."""
    return time.monotonic_ns() // 1_000
