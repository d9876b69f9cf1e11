"""Changes of the group, snapshots and transfers while clients write, with SIGKILL and SIGSTOP in between: nothing acknowledged is lost."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from tests.e2e import fronts

pytestmark = [pytest.mark.processes, pytest.mark.timeout(120)]

# A snapshot every two hundred entries; the nodes take it up when they start again.
OPENING = (
    "at 0 set snapshot_every 200", "at 0 set snapshot_trailing 50", "at 0.2 crash n1,n2", "at 0.8 restart all", "at 1.2 crash n3",
    "at 1.8 restart all", "at 2.2 crash n4,n5", "at 2.9 restart all",
)  # fmt: skip
ACTS = (
    "add n6", "remove n2", "replace n3 n7", "add n2", "transfer followers.1", "transfer followers.2", "pause leader 800ms",
    "pause followers.1 700ms", "crash leader", "crash followers.1", "crash leader", "cut leader | rest for 1s",
)  # fmt: skip
APART_S = 1.6


def script(seed: int) -> tuple[str, float]:
    """All acts in an order of the seed's, each crash restarted; and how long the run is."""
    acts = list(ACTS)
    random.Random(seed).shuffle(acts)
    lines = list(OPENING)
    at_s = 4.0
    for act in acts:
        lines.append(f"at {at_s:.1f} {act}")
        if act.startswith("crash"):
            lines.append(f"at {at_s + APART_S / 2:.1f} restart all")
        at_s += APART_S
    return "\n".join(lines), at_s + 2


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_nothing_acknowledged_is_lost_and_every_history_is_linearizable(runtime: Path, seed: int) -> None:
    lines, for_s = script(seed)
    done = fronts.faultline(
        runtime, "live", "--headless", "-n", "5", "--rate", "300", "--seed", str(seed + 1), "--for", f"{for_s:g}s", "--json",
        "--script", "-", stdin=lines.encode(), within_s=90.0,
    )  # fmt: skip
    report = json.loads(done.stdout)
    assert report["acked"] > 500, "it was under load"
    assert len(report["leaders"]) > 3, "leaders changed"
    assert (report["acked_lost"], report["linearizable"], report["invariants"]["violations"]) == (0, True, [])
    assert report["clean_exit"]
