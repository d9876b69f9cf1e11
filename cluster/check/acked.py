"""Counting acknowledged writes again: is everything there that clients were promised?

Law 1: only what was acknowledged can be lost. A write of unknown outcome may be there or not; a higher sequence than the promised
one is such a write, and no loss.
Law 2: a slot has one writer with rising sequence numbers, so the newest promise covers all before it.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

EXAMPLES_MAX = 5


class AckedCount(msgspec.Struct, frozen=True):
    """`acked` slots were promised, `lost` of them are missing or older than promised; `examples` in words, the first few."""

    acked: int
    lost: int
    examples: tuple[str, ...]


def count_acked(promised: Mapping[str, int], found: Mapping[str, int | None]) -> AckedCount:
    """Compare slot -> last acknowledged sequence with slot -> sequence of a linearizable scan made afterwards.

    A slot absent from `found`, or None there, holds nothing. Slots that were never promised are ignored.
    """
    examples: list[str] = []
    lost = 0
    for slot, sequence in promised.items():
        held = found.get(slot)
        if held is not None and held >= sequence:
            continue
        lost += 1
        if len(examples) < EXAMPLES_MAX:
            examples.append(f"{slot}: {sequence} was acknowledged, {'nothing' if held is None else held} is there")
    return AckedCount(len(promised), lost, tuple(examples))
