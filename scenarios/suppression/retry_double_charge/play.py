"""Forty payments, and what must follow from the mechanism: a name, a memory, one transaction and a lock are needed, each of them."""

from __future__ import annotations

import random
from typing import Any

from scenarios.model import Metamorphic

PAYMENTS = 40
EATEN, OVERLAPPING = 10, 5


def workload(rng: random.Random) -> list[dict[str, Any]]:
    """Payments with their amounts in cents. Those that are delayed at the service are among the first eight: the others outlast them."""
    return [{"id": f"p-{number:02}", "cents": rng.randrange(100, 100_000)} for number in range(1, PAYMENTS + 1)]


METAMORPHIC = (
    Metamorphic(
        name="a name that nobody remembers",
        overrides={"client_key": "per_payment"},
        expect="FAIL",
        min_v=EATEN + OVERLAPPING,
        why="a key is only as good as the server that looks for it",
    ),
    Metamorphic(
        name="a server that would remember, and no name",
        overrides={"server_idem": "on", "store": "same_txn", "concurrent": "lock"},
        expect="FAIL",
        min_v=EATEN + OVERLAPPING,
        why="two attempts without a key are two payments",
    ),
    Metamorphic(
        name="another name at each attempt",
        base="canonical",
        overrides={"client_key": "per_attempt"},
        expect="FAIL",
        min_v=EATEN + OVERLAPPING,
        why="the key must be made before the first attempt, and be the payment's",
    ),
    Metamorphic(
        name="look, then write",
        base="canonical",
        overrides={"concurrent": "check_then_insert"},
        expect="FAIL",
        min_v=OVERLAPPING,
        why="five retries come while the first attempt is still at work: both have looked and found nothing",
    ),
    Metamorphic(
        name="look, then write under a unique key",
        base="canonical",
        overrides={"concurrent": "unique_key"},
        expect="PASS",
        why="the second to write fails, and its charge with it: they are one transaction",
    ),
    Metamorphic(
        name="a unique key in another transaction",
        base="canonical",
        overrides={"concurrent": "unique_key", "store": "separate"},
        expect="FAIL",
        min_v=OVERLAPPING,
        why="the second to write fails, and its charge stands",
    ),
    Metamorphic(
        name="no retries",
        overrides={"retries": "0"},
        expect="FAIL",
        min_v=EATEN + OVERLAPPING,
        why="nobody is charged twice, and of fifteen payments nobody knows what became",
    ),
    Metamorphic(
        name="a crash, and the result in another system",
        base="canonical",
        overrides={"store": "redis", "crash": "after_effect"},
        expect="FAIL",
        min_v=1,
        why="charged, and not remembered: no two systems commit at once",
    ),
    Metamorphic(
        name="a crash, and the result in another transaction",
        base="canonical",
        overrides={"store": "separate", "crash": "after_effect"},
        expect="FAIL",
        min_v=1,
        why="the same database does not help: it is the same transaction that does",
    ),
    Metamorphic(
        name="a crash, and the result in the charge's own transaction",
        base="canonical",
        overrides={"crash": "after_effect"},
        expect="PASS",
        why="what is charged is remembered, also by the next process",
    ),
)
