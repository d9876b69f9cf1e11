"""Thirty bookings for eighteen rooms, and what must follow: a compensation needs an owner who outlives its messenger."""

from __future__ import annotations

import random
from typing import Any

from scenarios.model import Metamorphic

BOOKINGS = 30
ROOMS = 18
REFUSED = BOOKINGS - ROOMS

_PERSISTENT = {"compensation": "on", "delivery": "qos1-persistent"}


def workload(rng: random.Random) -> list[dict[str, Any]]:
    """With the flight's price in cents."""
    return [{"id": f"booking-{i:02}", "cents": rng.randrange(5_000, 60_000)} for i in range(1, BOOKINGS + 1)]


METAMORPHIC = (
    Metamorphic(
        name="a compensator that is away",
        overrides={"compensation": "on"},
        expect="FAIL",
        min_v=REFUSED,
        why="it would do everything right, and hears of nothing: what was said while it was dead is not said again",
    ),
    Metamorphic(
        name="the same on Redis pub/sub",
        overrides={"compensation": "on", "bus": "redis"},
        expect="FAIL",
        min_v=REFUSED,
        why="another way to tell only those who listen",
    ),
    Metamorphic(
        name="a persistent session, and nothing dies in the handler",
        overrides=_PERSISTENT,
        expect="PASS",
        why="the broker keeps what the compensator missed; that its library acknowledges too early does not show as long as it lives",
    ),
    Metamorphic(
        name="acknowledged before it is handled",
        overrides=_PERSISTENT | {"handler_crash": "once"},
        expect="FAIL",
        min_v=1,
        why="what the library had acknowledged died with the handler, and the broker owes it to nobody",
    ),
    Metamorphic(
        name="acknowledged after, idempotent",
        overrides=_PERSISTENT | {"handler_crash": "once", "ack": "after", "idempotent_steps": "on"},
        expect="PASS",
        why="it comes again, and what was done of it is not done again",
    ),
    Metamorphic(
        name="acknowledged after, not idempotent",
        overrides=_PERSISTENT | {"handler_crash": "once", "ack": "after"},
        expect="FAIL",
        min_v=1,
        why="it comes again, and the money is given back a second time",
    ),
    Metamorphic(
        name="an orchestrator that asks once",
        base="canonical",
        overrides={"retry_until_confirmed": "off"},
        expect="FAIL",
        min_v=REFUSED,
        why="it knows the whole saga and asks a dead compensator: an undoing that is not confirmed is a wish",
    ),
    Metamorphic(
        name="an orchestrator with nothing to undo",
        base="canonical",
        overrides={"compensation": "off"},
        expect="FAIL",
        min_v=REFUSED,
        why="a plan without compensations is carried out to its end",
    ),
    Metamorphic(
        name="an orchestrator on Redis Streams",
        base="canonical",
        overrides={"bus": "redis"},
        expect="PASS",
        why="it needs a bus that keeps requests, and any such does",
    ),
    Metamorphic(
        name="an orchestrator whose compensator dies in its handler",
        base="canonical",
        overrides={"handler_crash": "once"},
        expect="PASS",
        why="what is not confirmed is asked for again, and idempotent steps make that harmless",
    ),
)
