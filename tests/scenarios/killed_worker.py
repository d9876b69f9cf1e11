"""The stale lock holder with another fault: w1 is killed where it would have stood still, and started again a little later.

`python -m tests.scenarios.killed_worker RUNS_DIR` prints where its records are.
"""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from scenarios.catalog import load
from scenarios.runner import Asked, run

if __name__ == "__main__":
    incident = load("stale-lock-holder")
    fault = msgspec.structs.replace(incident.card.fault[0], do="kill", ms="100")
    changed = msgspec.structs.replace(incident, card=msgspec.structs.replace(incident.card, fault=(fault,)))
    sys.stdout.write(run(changed, Asked("broken", ("ttl_ms=500",)), Path(sys.argv[1])).run_dir)
