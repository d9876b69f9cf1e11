"""Fifty orders, two of them word for word what was ordered before, and what must follow: nothing but the consumer makes one of two."""

from __future__ import annotations

import random
from typing import Any

from scenarios.model import Metamorphic

ORDERS = 50
BATCH = 5
EQUAL = {12: 40, 23: 47}  # a customer who buys the same thing a second time


def workload(rng: random.Random) -> list[dict[str, Any]]:
    """One unit each. No two customers alike, but for those who come back."""
    customers = [f"customer-{number}" for number in rng.sample(range(1_000, 10_000), ORDERS)]
    for first, again in EQUAL.items():
        customers[again] = customers[first]
    return [{"id": f"order-{1_001 + i}", "customer": customer, "sku": "sku-7", "units": 1} for i, customer in enumerate(customers)]


METAMORPHIC = (
    Metamorphic(
        name="deduplication alone",
        overrides={"consumer_dedup": "on"},
        expect="PASS",
        why="whatever comes twice is counted once, by the one who counts",
    ),
    Metamorphic(
        name="QoS 2",
        overrides={"qos": "2"},
        expect="FAIL",
        min_v=BATCH,
        why="exactly once is per packet and session: a batch that is published anew is five new packets",
    ),
    Metamorphic(
        name="QoS 2 under deduplication",
        base="canonical",
        overrides={"qos": "2"},
        expect="FAIL",
        min_v=1,
        why="the dead client library had taken what the application had not seen, and the broker owes it to nobody any more",
    ),
    Metamorphic(
        name="a memory that dies with the process",
        base="canonical",
        overrides={"dedup_store": "memory"},
        expect="FAIL",
        min_v=1,
        why="the relay's five are dropped; the one that is delivered again after the consumer's own death is not",
    ),
    Metamorphic(
        name="deduplication by payload",
        base="canonical",
        overrides={"dedup_by": "payload"},
        expect="FAIL",
        min_v=len(EQUAL),
        why="two equal orders are two orders: the second of each pair is never counted",
    ),
    Metamorphic(
        name="marked first",
        base="canonical",
        overrides={"mark": "before"},
        expect="FAIL",
        min_v=BATCH,
        why="the other order of the two steps loses the batch instead, and no consumer can make up for what never came",
    ),
    Metamorphic(
        name="Redis Streams",
        overrides={"bus": "redis"},
        expect="FAIL",
        min_v=BATCH + 1,
        why="another bus that delivers at least once delivers at least once",
    ),
    Metamorphic(
        name="Redis Streams with deduplication",
        base="canonical",
        overrides={"bus": "redis"},
        expect="PASS",
        why="and the same consumer is all that it takes",
    ),
)
