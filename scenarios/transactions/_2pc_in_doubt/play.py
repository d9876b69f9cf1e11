"""Customers of two banks, and what must follow from the mechanism: who may decide, and where the decision is written."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from scenarios.model import Metamorphic

ACCOUNTS = 10
ROUNDS = 46  # of ten each, five from bank to bank and five inside a bank
IN_DOUBT = 5
_CENTS_MAX = 100
_TOO_MUCH = 1_000_000
_NOBODY = 99


def workload(rng: random.Random) -> list[dict[str, Any]]:
    """Transfers from A to B, each followed by a move inside one of the banks, in the order in which they are sent.

    Any five transfers that follow each other from the first on are between different accounts, so that five can be in doubt at once.
    One in twenty is refused by a bank: too much money, or no such account.
    """
    found = []
    for number, (source, target) in zip(range(ROUNDS * IN_DOUBT), _pairs(rng), strict=False):
        cents = rng.randrange(1, _CENTS_MAX)
        if number % 40 == 20:
            cents = _TOO_MUCH
        if number % 40 == 39:
            target = f"B{_NOBODY}"
        found.append({"id": f"t{number + 1}", "source": source, "target": target, "cents": cents})
        bank = "AB"[number % 2]
        here, there = rng.sample(range(1, ACCOUNTS + 1), 2)
        found.append({"id": f"m{number + 1}", "source": f"{bank}{here}", "target": f"{bank}{there}", "cents": rng.randrange(1, _CENTS_MAX)})
    return found


def _pairs(rng: random.Random) -> Iterator[tuple[str, str]]:
    while True:
        sources, targets = rng.sample(range(1, ACCOUNTS + 1), ACCOUNTS), rng.sample(range(1, ACCOUNTS + 1), ACCOUNTS)
        yield from ((f"A{source}", f"B{target}") for source, target in zip(sources, targets, strict=True))


METAMORPHIC = (
    Metamorphic(
        name="a saga instead",
        overrides={"protocol": "saga"},
        expect="PASS",
        why="nothing is locked while nobody knows: the money is nowhere until the coordinator is back, and everybody else goes on",
    ),
    Metamorphic(
        name="a replicated log, and nobody to read it",
        overrides={"coord_log": "replicated"},
        expect="FAIL",
        min_v=IN_DOUBT,
        why="the decision could be found; the only one who would look is dead",
    ),
    Metamorphic(
        name="a stand-in that cannot read the log, before a decision",
        overrides={"coordinator": "raft"},
        expect="PASS",
        why="it takes no decision for an abort, and there was none: luck, as the next case shows",
    ),
    Metamorphic(
        name="a stand-in that cannot read the log, after a decision",
        overrides={"coordinator": "raft", "kill_point": "first_bank_told"},
        expect="FAIL",
        min_v=IN_DOUBT,
        why="it takes no decision for an abort, and one bank has committed",
    ),
    Metamorphic(
        name="killed after a decision, cured",
        base="canonical",
        overrides={"kill_point": "first_bank_told"},
        expect="PASS",
        why="the next coordinator finds what stands by trying to write the opposite",
    ),
    Metamorphic(
        name="participants that give up, and guess right",
        overrides={"heuristic": "abort"},
        expect="PASS",
        why="nothing was decided, so both banks' guess is what the coordinator will say: luck",
    ),
    Metamorphic(
        name="participants that give up, and guess wrong",
        overrides={"heuristic": "abort", "kill_point": "first_bank_told"},
        expect="FAIL",
        min_v=IN_DOUBT,
        why="nobody waits any more, and money is gone: the one bank has committed and the other has not",
    ),
    Metamorphic(
        name="less patience for locks",
        overrides={"lock_wait_ms": "500"},
        expect="FAIL",
        min_v=IN_DOUBT,
        why="who waits gives up sooner; what they wait for takes as long as before",
    ),
    Metamorphic(
        name="one lock for a bank",
        overrides={"lock_scope": "table", "kill_point": "one_in_doubt"},
        expect="FAIL",
        min_v=1,
        why="a single transfer in doubt, and nobody moves anything at either bank",
    ),
    Metamorphic(
        name="a participant started again",
        overrides={"restart_bank": "yes"},
        expect="FAIL",
        min_v=IN_DOUBT,
        why="a promise is on its disk before the vote is out, and the lock comes back with it",
    ),
    Metamorphic(
        name="a participant started again, cured",
        base="canonical",
        overrides={"restart_bank": "yes"},
        expect="PASS",
        why="what is decided is told until the bank is there to hear it",
    ),
)
