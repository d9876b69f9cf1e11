"""The hot keys that all clients share, and leave behind together: `ERA/kNUMBER`, eras in the order of their names.

Law 1: eras only rise: of a key of an earlier era nobody will ever ask again, so that a checker may close its book.
"""

from __future__ import annotations

from cluster.sim.dice import SeededDice

HOT_KEYS = 3
OPERATIONS_PER_KEY = 200


class Keys:
    """Whoever needs a key asks here."""

    def __init__(self) -> None:
        self.era = 0
        self._asked = 0

    def next(self, dice: SeededDice) -> str:
        self._asked += 1
        if self._asked > HOT_KEYS * OPERATIONS_PER_KEY:
            self.era, self._asked = self.era + 1, 0
        return f"{before(self.era)}/k{dice.randrange(HOT_KEYS)}"


def before(era: int) -> str:
    """Comes before every key of `era`, and after every key of the eras before it."""
    return f"{era:07d}"


def era_of(key: str) -> int:
    return int(key.partition("/")[0])
