"""Two thousand new pages behind 5 800 old ones, and what must follow from a filter's size: the trouble begins where the room ends."""

from __future__ import annotations

import random
from typing import Any

from scenarios.kit.pages import HISTORY, address
from scenarios.model import Metamorphic

NEW = 2_000
HIGH_VALUE = 100


def workload(rng: random.Random) -> list[dict[str, Any]]:
    """The new pages. Which of them matter most is drawn; their addresses are not (kit/pages.py, law 1)."""
    dear = set(rng.sample(range(NEW), HIGH_VALUE))
    return [{"url": address(HISTORY + i), "high_value": i in dear} for i in range(NEW)]


METAMORPHIC = (
    Metamorphic(
        name="a margin over the wrong number",
        overrides={"expected_n": "6000"},
        expect="FAIL",
        min_v=1,
        why="half as much again of the 4 000 of long ago is not half as much again of the 8 000 of today: some 2 in 100 are skipped",
    ),
    Metamorphic(
        name="monitoring alone",
        overrides={"fpr_monitor": "on"},
        expect="FAIL",
        min_v=80,
        why="the alarm comes with the 4 649th page of before, ahead of all new ones; it wakes somebody, it fetches nothing",
    ),
    Metamorphic(
        name="an exact look for what is dear alone",
        overrides={"exact_fallback": "high_value"},
        expect="FAIL",
        min_v=80,
        why="no page of high value is missed; of the others one in ten still is",
    ),
    Metamorphic(
        name="an exact look at every positive",
        overrides={"exact_fallback": "all_positives"},
        expect="PASS",
        why="nothing is skipped; each old page now costs what the filter was there to save",
    ),
    Metamorphic(
        name="a filter that grows, and an exact look for what is dear",
        overrides={"autoscale": "on", "exact_fallback": "high_value"},
        expect="PASS",
        why="a second filter is opened when the first has its 4 000: the error stays within the budget whatever comes",
    ),
    Metamorphic(
        name="sized right, and an exact look for what is dear",
        overrides={"expected_n": "12000", "exact_fallback": "high_value"},
        expect="PASS",
        why="the monitor has nothing to say: it is there for the day on which 12 000 is the wrong number",
    ),
)
