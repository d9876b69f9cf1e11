"""Three writers at a steady pace through a flap, and what must follow from timers and round trips alone."""

from __future__ import annotations

import random
from typing import Any

from scenarios.model import Metamorphic

WRITERS = ("w1", "w2", "w3")
KEYS = 12
# Enough for seventeen seconds at one every 50 ms; a writer that waits for answers does fewer.
PER_WRITER = 340
READS = 5  # one in so many


def workload(rng: random.Random) -> list[dict[str, Any]]:
    """Every writer's operations, in its order. A value names its writer and its number."""
    return [_operation(writer, number, rng) for writer in WRITERS for number in range(1, PER_WRITER + 1)]


def _operation(writer: str, number: int, rng: random.Random) -> dict[str, Any]:
    key = f"k{rng.randrange(KEYS)}"
    if number % READS == 0:
        return {"writer": writer, "f": "get", "key": key}
    return {"writer": writer, "f": "put", "key": key, "value": f"{writer}-{number}"}


METAMORPHIC = (
    Metamorphic(
        name="timers above the round trip, and nothing else",
        overrides={"election_ms": "300", "spread": "wide", "heartbeat": "T/3"},
        expect="PASS",
        why="an election is over before the next one begins, and a heartbeat may be late by two intervals",
    ),
    Metamorphic(
        name="a longer time-out, with a narrow spread and a heartbeat just below it",
        overrides={"election_ms": "300", "heartbeat": "T*0.9"},
        expect="PASS",
        why="as long as writes flow, every append is a heartbeat: this mistake waits for a quiet hour",
    ),
    Metamorphic(
        name="pre-vote, while the leader lives",
        overrides={"prevote": "on"},
        expect="PASS",
        why="a poll that nobody can win raises no term: the leader stays, for want of a rival",
    ),
    Metamorphic(
        name="pre-vote, and the leader dies",
        overrides={"prevote": "on", "kill_leader": "on"},
        expect="FAIL",
        min_v=12,
        why="a poll that nobody can win elects nobody, either: seven seconds are left of the flap, and all of them are lost",
    ),
    Metamorphic(
        name="answers that may be quick",
        overrides={"flap": "0to50"},
        expect="FAIL",  # and no least number: in twelve runs luck left between 3.5 and all ten seconds without a leader
        why="now and then a round trip is below the time-out: luck elects somebody, and the next late heartbeat deposes them",
    ),
    Metamorphic(
        name="answers that may be quick, and timers above all of them",
        overrides={"flap": "0to50", "election_ms": "300", "spread": "wide", "heartbeat": "T/3"},
        expect="PASS",
        why="what is above the slowest round trip has no need of quick ones",
    ),
)
