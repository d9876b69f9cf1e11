"""Dice that fall alike on every machine and Python version.

Only `random.Random.random()` promises to repeat a seed's sequence in later versions; everything here is made of it, and of
arithmetic that IEEE 754 defines to the last bit (no logarithms: those belong to the platform).
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from typing import TypeVar

from cluster.core.types import Micros, NodeId

T = TypeVar("T")


class SeededDice:
    """One stream, named by `path` under a seed. Satisfies `core.types.Dice`."""

    __slots__ = ("random",)

    def __init__(self, seed: int, *path: str | int) -> None:
        name = "/".join(map(str, (seed, *path)))
        number = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big")
        self.random = random.Random(number).random

    def randrange(self, stop: int, /) -> int:
        """Uniform in 0…stop-1; `stop` below 2⁵³."""
        return int(self.random() * stop)

    def between(self, low: int, high: int) -> int:
        """Uniform in low…high, both included."""
        return low + int(self.random() * (high - low + 1))

    def choice(self, options: Sequence[T]) -> T:
        return options[int(self.random() * len(options))]

    def chance(self, share: float) -> bool:
        return self.random() < share

    def sample(self, population: list[NodeId], k: int) -> list[NodeId]:
        """`k` different ones, in random order (a partial Fisher-Yates shuffle)."""
        pool = list(population)
        for at in range(k):
            other = at + int(self.random() * (len(pool) - at))
            pool[at], pool[other] = pool[other], pool[at]
        return pool[:k]

    def tailed_us(self, typical_us: Micros) -> Micros:
        """A waiting time with a long tail: median `typical_us`, one in a hundred beyond fifty times that."""
        luck = self.random()
        return int(typical_us * luck / (1.0 - 0.99 * luck)) if luck > 0.5 else int(typical_us * (0.02 + 1.96 * luck))
