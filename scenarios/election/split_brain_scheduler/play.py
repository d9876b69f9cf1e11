"""A tick every second and one campaign, and what must follow: a quorum alone is no cure, nor a token alone, nor either without a look."""

from __future__ import annotations

import random
from typing import Any

from scenarios.model import Metamorphic

TICKS = 19
CAMPAIGN_SLOT, BATCHES, RECIPIENTS = 11, 20, 100


def workload(rng: random.Random) -> list[dict[str, Any]]:
    """Jobs by the slot in which they are due. The campaign's name is drawn; when it is due is not, nor how many it is for."""
    ticks = [{"job": "tick", "slot": slot, "batches": 1, "recipients": 1} for slot in range(1, TICKS + 1)]
    return [*ticks, {"job": f"newsletter-{rng.randint(10, 99)}", "slot": CAMPAIGN_SLOT, "batches": BATCHES, "recipients": RECIPIENTS}]


METAMORPHIC = (
    Metamorphic(
        name="a quorum without fencing",
        overrides={"lock": "raft"},
        expect="FAIL",
        min_v=1,
        why="one leader at a time by anybody's book; the old one wakes with slot 4 in its hand and does not read it",
    ),
    Metamorphic(
        name="fencing with tokens that both sides count",
        overrides={"fencing": "on"},
        expect="FAIL",
        min_v=BATCHES * RECIPIENTS,
        why="both primaries go on from the same number: two leaders with equal tokens, and neither is the past",
    ),
    Metamorphic(
        name="a lock that the replica must confirm",
        overrides={"replication": "wait1"},
        expect="FAIL",
        min_v=1,
        why="nobody is on duty on either side until the network heals: the campaign comes late, and once. But whoever wakes still acts",
    ),
    Metamorphic(
        name="a longer lock",
        overrides={"ttl_ms": "6000"},
        expect="FAIL",
        min_v=BATCHES * RECIPIENTS,
        why="it moves the moment at which the second leader appears",
    ),
    Metamorphic(
        name="a quicker detector",
        overrides={"detector": "phi"},
        expect="FAIL",
        min_v=BATCHES * RECIPIENTS,
        why="it hears the same silence; no detector tells a dead primary from one that is cut off",
    ),
    Metamorphic(
        name="a quorum and fencing, without a look at what was done",
        overrides={"lock": "raft", "fencing": "on", "stop": "before_record"},
        expect="FAIL",
        min_v=1,
        why="slot 4 was executed and is not in the book: the new leader repeats it with a newer token; a fence orders, it does not count",
    ),
    Metamorphic(
        name="the same, and a look",
        overrides={"lock": "raft", "fencing": "on", "fence_on_acquire": "on", "stop": "before_record"},
        expect="PASS",
        why="the mailer itself says what was sent, and once it has seen the token nothing older can be added",
    ),
)
