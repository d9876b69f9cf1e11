"""Twenty cancelled orders with two refunds each, and what must follow: only a key of its own, kept with the effect, makes it once."""

from __future__ import annotations

import random
from typing import Any

from scenarios.model import Metamorphic

ORDERS = 20
GOODS_CENTS, SHIPPING_CENTS = 50_00, 5_00
DEATHS = 3


def workload(rng: random.Random) -> list[dict[str, Any]]:
    """The steps of each saga in their order: goods, then shipping. Orders come in any order."""
    orders = [f"order-{1_001 + number}" for number in range(ORDERS)]
    rng.shuffle(orders)
    return [
        {"id": f"{order}/{what}", "saga": f"cancel-{order}", "order": order, "step": step, "what": what, "cents": cents}
        for order in orders
        for step, (what, cents) in enumerate((("goods", GOODS_CENTS), ("shipping", SHIPPING_CENTS)), 1)
    ]


METAMORPHIC = (
    Metamorphic(
        name="a memory that dies with the process",
        base="canonical",
        overrides={"store": "memory"},
        expect="FAIL",
        min_v=DEATHS,
        why="the crash that loses the answer loses the memory of it as well",
    ),
    Metamorphic(
        name="a memory in a transaction of its own",
        base="canonical",
        overrides={"store": "separate"},
        expect="FAIL",
        min_v=DEATHS,
        why="the kill comes between the two transactions: refunded, and not remembered",
    ),
    Metamorphic(
        name="the order as the key",
        base="canonical",
        overrides={"key": "order"},
        expect="FAIL",
        min_v=ORDERS,
        why="wrong the other way: the shipping's refund is taken for the goods', and never made",
    ),
    Metamorphic(
        name="another key at each attempt",
        base="canonical",
        overrides={"key": "per_attempt"},
        expect="FAIL",
        min_v=DEATHS,
        why="the second attempt is another request to a server that compares keys",
    ),
    Metamorphic(
        name="a key that nobody looks at",
        overrides={"key": "saga+step+kind", "store": "same_txn"},
        expect="FAIL",
        min_v=DEATHS,
        why="the client's key without the server's memory",
    ),
    Metamorphic(
        name="no retries",
        overrides={"retry": "off"},
        expect="FAIL",
        min_v=DEATHS,
        why="no refund is made twice, and of three nobody knows whether they were made",
    ),
    Metamorphic(
        name="key and memory together",
        overrides={"key": "saga+step+kind", "store": "same_txn", "idempotency": "on"},
        expect="PASS",
        why="a retry is harmless when both sides know what it is a retry of",
    ),
)
