"""Was everything that should happen once done once? Counting, over keys that a resource accepted.

Law 1: an effect beyond the first is a violation each; a wanted key without any effect is one as well, of another rule.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import TypeVar

import msgspec

T = TypeVar("T")


class OnceCount(msgspec.Struct, frozen=True):
    """`extra`: key -> effects beyond the first. `missing`: wanted keys without any. `strange`: effects that nobody wanted."""

    extra: dict[str, int]
    missing: tuple[str, ...]
    strange: tuple[str, ...]


def exactly_once(wanted: Iterable[str], effects: Iterable[str]) -> OnceCount:
    """Compare the keys that should have one effect each with the keys of the effects that there were."""
    counts = Counter(effects)
    asked = tuple(dict.fromkeys(wanted))
    return OnceCount(
        extra={key: count - 1 for key, count in counts.items() if count > 1},
        missing=tuple(key for key in asked if key not in counts),
        strange=tuple(key for key in counts if key not in dict.fromkeys(asked)),
    )


def repeats(effects: Iterable[T], key: Callable[[T], Hashable]) -> Iterator[tuple[T, T]]:
    """Each effect beyond the first of its key, behind that first one; in their order."""
    first: dict[Hashable, T] = {}
    for effect in effects:
        of = key(effect)
        if of in first:
            yield first[of], effect
        else:
            first[of] = effect
