"""Eighty shoppers for forty units: five of them are with w1 when it dies, twenty want the same thing afterwards, one takes his time.

Times and lengths are in ticks of a tenth of a second, which the run's scale stretches.
"""

from __future__ import annotations

import random
from typing import Any

from scenarios.model import Metamorphic

UNITS = 5
HELD_SKU, LONG_SKU = "sku3", "sku5"
CRASH_AT = 10
# Two while the holds of the dead may still be there, and eighteen long after.
AFTERWARDS = (15, 25, *(45 + 4 * i for i in range(18)))
LONG_AT, LONG_CHECKOUT = 20, 50
DURING_THE_LONG_ONE = (50, 60)
OTHERS = 52
_END = 118
_LIVING = ("w2", "w3", "w4")


def workload(rng: random.Random) -> list[dict[str, Any]]:
    """Purchases in the order of their times. w1 has no other than the five before it dies, so its fifth hold is the fifth of sku3."""
    wanted: list[tuple[int, str, str, int]] = [(CRASH_AT, HELD_SKU, "w1", 3)] * UNITS
    wanted += [(at, HELD_SKU, rng.choice(_LIVING), rng.randint(2, 4)) for at in AFTERWARDS]
    wanted += [(LONG_AT, LONG_SKU, "w2", LONG_CHECKOUT)]
    wanted += [(at, LONG_SKU, "w3", 2) for at in DURING_THE_LONG_ONE]
    for _ in range(OTHERS):
        at = rng.randint(0, _END)
        worker = rng.choice(_LIVING if at < LONG_CHECKOUT else ("w1", *_LIVING))
        wanted.append((at, f"sku{rng.choice((1, 2, 4, 6, 7, 8))}", worker, rng.randint(2, 4)))
    wanted.sort(key=lambda purchase: purchase[0])
    return [
        {"id": f"p-{number:02}", "at": at, "sku": sku, "worker": worker, "checkout": checkout}
        for number, (at, sku, worker, checkout) in enumerate(wanted, 1)
    ]


METAMORPHIC = (
    Metamorphic(
        name="a life for every hold, and nothing that prolongs it",
        overrides={"ttl": "2s"},
        expect="FAIL",
        min_v=1,
        why="nothing is stranded; but the shopper who takes five seconds loses his unit after two, and it is sold twice",
    ),
    Metamorphic(
        name="the same, and a hold that was lost is noticed",
        overrides={"ttl": "2s", "owner_token": "on"},
        expect="FAIL",
        min_v=1,
        why="it is sold once, to the second; but two had it in their hands",
    ),
    Metamorphic(
        name="a life and a heartbeat",
        overrides={"ttl": "2s", "heartbeat": "on"},
        expect="PASS",
        why="the living prolong their holds, the dead do not",
    ),
    Metamorphic(
        name="clean-up at the exit, and no exit",
        overrides={"crash_cleanup": "atexit"},
        expect="FAIL",
        min_v=UNITS,
        why="SIGKILL runs no line of the process any more",
    ),
    Metamorphic(
        name="clean-up at the exit, and SIGTERM",
        overrides={"crash_cleanup": "atexit", "crash": "term"},
        expect="PASS",
        why="who is asked to leave can give back what it holds",
    ),
    Metamorphic(
        name="SIGTERM without clean-up",
        overrides={"crash": "term"},
        expect="FAIL",
        min_v=UNITS,
        why="a signal that could have been caught was not",
    ),
    Metamorphic(
        name="clean-up by the living",
        overrides={"crash_cleanup": "reaper"},
        expect="PASS",
        why="a hold without an end is given back once its owner's own lease is gone: a TTL again, of the process instead of the key",
    ),
    Metamorphic(
        name="SETNX, and EXPIRE in a second call",
        overrides={"ttl": "2s", "heartbeat": "on", "atomic": "off", "crash": "midway"},
        expect="FAIL",
        min_v=UNITS,
        why="between the two calls there is a lock without an end, and a process can die there as well",
    ),
)
