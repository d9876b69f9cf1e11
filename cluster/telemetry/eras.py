"""The hot keys of a live lab: `RUN/ERA/kNUMBER`. All clients of a machine leave an era behind together, by the clock they share.

Law: `ERA` is the second at which the keys came into use, and no era is longer than `LONGEST_ERA_S`: by then nobody picks the key again.
"""

from __future__ import annotations

from typing import Final

from cluster.core.types import SECOND, Micros

LONGEST_ERA_S: Final = 32


def hot_key(run: str, era: int, number: int) -> str:
    return f"{run}/{era}/k{number}"


def over_at(key: str) -> Micros | None:
    """From when on no client picks `key` (µs of the machine's monotonic clock); None for a key that belongs to no era."""
    parts = key.split("/")
    if len(parts) != 3 or not parts[2].startswith("k") or not (parts[1].isascii() and parts[1].isdecimal()):
        return None
    return (int(parts[1]) + LONGEST_ERA_S) * SECOND
