"""The stale lock holder with its lock on a primary that has a replica, and the link between the two cut while w1 stands still.

`python -m tests.scenarios.replicated_lock RUNS_DIR` prints where its records are.
"""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from scenarios.backends import Backend
from scenarios.catalog import load
from scenarios.faults import Fault
from scenarios.links import Link
from scenarios.runner import Asked, run

if __name__ == "__main__":
    incident = load("stale-lock-holder")
    card = msgspec.structs.replace(
        incident.card,
        backend={**incident.card.backend, "redis": Backend(use="x", count=2, replicate=True, when="lock=redis")},
        link=(Link("redis2", "redis"),),
        fault=(*incident.card.fault, Fault(do="cut", target="redis1 | redis2", on="trace:worker.holds_all@w1", ms="200")),
    )
    changed = msgspec.structs.replace(incident, card=card)
    sys.stdout.write(run(changed, Asked("broken", ("ttl_ms=500",)), Path(sys.argv[1])).run_dir)
