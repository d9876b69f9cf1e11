"""Twenty users with two or three intentions each, and what must follow: every key that is too broad loses, each in its own way."""

from __future__ import annotations

import random
from typing import Any

from scenarios.model import Metamorphic

USERS, WITH_TWO_FLATS = 20, 5
RENT_CENTS, UTILITIES_CENTS = 900_00, 60_00
LOST_ANSWERS = 6


def workload(rng: random.Random) -> list[dict[str, Any]]:
    """Intentions, each user's in their order. Two flats of one landlord cost the same: only the entity tells them apart."""
    intents = [intent for user in range(1, USERS + 1) for intent in _of(user, rng)]
    return [{"id": f"i-{number:02}", **intent} for number, intent in enumerate(intents, 1)]


def _of(user: int, rng: random.Random) -> list[dict[str, Any]]:
    who = {"user": f"u-{user:02}", "batch": "b-17"}
    flats = [rng.randrange(100, 500), rng.randrange(500, 900)]
    rents = [
        {**who, "op": "rent", "entity": f"flat-{flat}", "cents": RENT_CENTS, "recipient": f"landlord-{user:02}"}
        for flat in flats[: 2 if user <= WITH_TWO_FLATS else 1]
    ]
    utilities = {**who, "op": "utilities", "entity": f"meter-{rng.randrange(1_000, 9_999)}", "cents": UTILITIES_CENTS, "recipient": "city"}
    return [rents[0], utilities, *rents[1:]]


METAMORPHIC = (
    Metamorphic(
        name="user, amount and recipient",
        overrides={"key": "user+amount+recipient"},
        expect="FAIL",
        min_v=WITH_TWO_FLATS,
        why="two honest equal payments collapse into one: the entity must be in the key",
    ),
    Metamorphic(
        name="fingerprints with the broad key",
        overrides={"fingerprint": "on"},
        expect="FAIL",
        min_v=USERS + WITH_TWO_FLATS,
        why="twenty losses become loud refusals; the five whose requests are equal stay silent",
    ),
    Metamorphic(
        name="the full key alone",
        overrides={"key": "user+op+entity"},
        expect="PASS",
        why="the key is what was wrong; comparing requests only says so sooner",
    ),
    Metamorphic(
        name="no memory at all",
        base="canonical",
        overrides={"server_idem": "off"},
        expect="FAIL",
        min_v=LOST_ANSWERS,
        why="the other way round: nothing is lost, and what was asked for twice is paid twice",
    ),
    Metamorphic(
        name="a key that is forgotten too soon",
        base="canonical",
        overrides={"key_ttl_ms": "50"},
        expect="FAIL",
        min_v=LOST_ANSWERS,
        why="the retry comes after 700 ms, and its key is gone by then",
    ),
)
