"""Ten orders, and what must follow from the mechanism: no longer lock helps, no better one, no second look at it; the gate alone does."""

from __future__ import annotations

import random
from typing import Any

from scenarios.model import Metamorphic

ORDERS = 10
_FIRST = 1_001


def workload(rng: random.Random) -> list[dict[str, Any]]:
    """Orders with their amounts in cents."""
    return [{"id": f"order-{_FIRST + i}", "cents": rng.randrange(100, 100_000)} for i in range(ORDERS)]


METAMORPHIC = (
    Metamorphic(
        name="fencing alone",
        overrides={"fencing": "on"},
        expect="PASS",
        why="the resource refuses the past, wherever the lock lives",
    ),
    Metamorphic(
        name="a shorter lock",
        overrides={"ttl_ms": "500"},
        expect="FAIL",
        min_v=ORDERS,
        why="the pause is still longer",
    ),
    Metamorphic(
        name="a longer lock",
        overrides={"ttl_ms": "2000"},
        expect="FAIL",
        min_v=ORDERS,
        why="a pause has no upper bound: whatever the TTL, there is one beyond it",
    ),
    Metamorphic(
        name="a watchdog",
        overrides={"watchdog": "on"},
        expect="FAIL",
        min_v=ORDERS,
        why="what extends the lock stands still with the rest of the process",
    ),
    Metamorphic(
        name="look again before the write",
        overrides={"check_before_write": "on"},
        expect="FAIL",
        min_v=ORDERS,
        why="the pause comes between the look and the write",
    ),
    Metamorphic(
        name="a consensus store, and no gate",
        overrides={"lock": "raft"},
        expect="FAIL",
        min_v=ORDERS,
        why="the store agrees that the lease is over, and nobody tells the one who stands still",
    ),
    Metamorphic(
        name="five servers instead of one",
        overrides={"lock": "redlock5"},
        expect="FAIL",
        min_v=ORDERS,
        why="a majority makes the lock survive servers; it still expires under a holder that stands still",
    ),
)
