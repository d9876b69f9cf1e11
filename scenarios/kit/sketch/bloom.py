"""Bloom filters: "perhaps seen" or "certainly not", in a tenth of the memory of the list, with an error that grows as they fill.

Law 1: what was added is found: there are no false negatives, however full it is.
Law 2: bits depend on the item's bytes and the shape alone, the same in every process: never on Python's salted `hash()`.
Law 3: the error just now is told from the share of bits that are set, not from a count of calls: an item that was taken for a known one
sets no bit.

Sources: Bloom, "Space/Time Trade-offs in Hash Coding with Allowable Errors" (1970); two hashes stand for k: Kirsch and Mitzenmacher,
"Less Hashing, Same Performance" (2006); growing ones: Almeida, Baquero, Preguiça and Hutchison, "Scalable Bloom Filters" (2007).
"""

from __future__ import annotations

import hashlib
import math
from typing import Protocol

import msgspec

BITS_MAX = 1 << 27
GROWTH = 2
TIGHTENING = 0.5


class Shape(msgspec.Struct, frozen=True):
    """m bits and k hashes."""

    bits: int
    hashes: int


def shape_for(expected: int, error_rate: float) -> Shape:
    """The smallest filter that answers wrongly at most at this rate once it holds `expected` items: m = -n ln p / ln² 2, k = m/n ln 2."""
    assert expected > 0
    assert 0 < error_rate < 1
    bits = math.ceil(-expected * math.log(error_rate) / math.log(2) ** 2)
    assert bits <= BITS_MAX
    return Shape(bits, max(1, round(bits / expected * math.log(2))))


def error_of(shape: Shape, items: int) -> float:
    """The rate of false positives to expect after `items` distinct ones: (1 - e^(-kn/m))^k."""
    return (1 - math.exp(-shape.hashes * items / shape.bits)) ** shape.hashes


class Seen(Protocol):
    """What both kinds of filter are to those who ask."""

    @property
    def fill(self) -> float:
        """Share of the bits that are set."""

    @property
    def error(self) -> float:
        """The rate of false positives just now, from the fill."""

    @property
    def bits(self) -> int: ...

    def add(self, item: str) -> bool:
        """True when it was certainly not there before; False when it perhaps was, and then nothing changes."""

    def __contains__(self, item: str) -> bool: ...


class Bloom:
    """One filter of one size."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.added = 0  # items that set a bit
        self._bytes = bytearray(-(-shape.bits // 8))
        self._set = 0

    @property
    def bits(self) -> int:
        return self.shape.bits

    @property
    def fill(self) -> float:
        return self._set / self.shape.bits

    @property
    def error(self) -> float:
        return self.fill**self.shape.hashes

    def add(self, item: str) -> bool:
        before = self._set
        for at in positions(item, self.shape):
            byte, bit = at >> 3, 1 << (at & 7)
            if not self._bytes[byte] & bit:
                self._bytes[byte] |= bit
                self._set += 1
        self.added += self._set > before
        return self._set > before

    def __contains__(self, item: str) -> bool:
        return all(self._bytes[at >> 3] & 1 << (at & 7) for at in positions(item, self.shape))


def positions(item: str, shape: Shape) -> list[int]:
    """Its k bits: h1 + i·h2 modulo m, from the two halves of one digest. h2 is odd, so it is never a step of nothing."""
    digest = hashlib.blake2b(item.encode(), digest_size=16).digest()
    start, step = int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:], "little") | 1
    return [(start + i * step) % shape.bits for i in range(shape.hashes)]


class ScalableBloom:
    """Filters in a row: when the last holds what it was made for, a larger and stricter one follows. Their errors sum to the wanted one."""

    def __init__(self, expected: int, error_rate: float) -> None:
        self._row: list[Bloom] = []
        self._room = expected // GROWTH
        self._error_rate = error_rate
        self._grow()

    @property
    def bits(self) -> int:
        return sum(bloom.bits for bloom in self._row)

    @property
    def fill(self) -> float:
        return sum(bloom.fill * bloom.bits for bloom in self._row) / self.bits

    @property
    def error(self) -> float:
        return 1 - math.prod(1 - bloom.error for bloom in self._row)

    def add(self, item: str) -> bool:
        if item in self:
            return False
        if self._row[-1].added == self._room:
            self._grow()
        return self._row[-1].add(item)

    def __contains__(self, item: str) -> bool:
        return any(item in bloom for bloom in reversed(self._row))

    def _grow(self) -> None:
        """Twice the room at half the error: p/2 + p/4 + … = p."""
        self._room *= GROWTH
        self._error_rate *= TIGHTENING
        self._row.append(Bloom(shape_for(self._room, self._error_rate)))
