"""Ranges of keys `[first, end)`: one key, a prefix, everything from a key on.

Law: keys go by code points, which is the order of their UTF-8 bytes, so that etcd would list them alike.
"""

from __future__ import annotations

from bisect import bisect_left

_LAST = 0x10FFFF
# Surrogates are no characters: what follows the last before them is the first after them.
_BEFORE_SURROGATES, _AFTER_SURROGATES = 0xD7FF, 0xE000


def of_key(key: str) -> tuple[str, str]:
    """The range of one key: nothing sorts between it and itself with the least character behind it."""
    return key, key + "\0"


def of_prefix(prefix: str) -> tuple[str, str | None]:
    """The range of all keys that begin with `prefix`."""
    kept = prefix.rstrip(chr(_LAST))
    if not kept:
        return prefix, None
    return prefix, kept[:-1] + _successor(ord(kept[-1]))


def _successor(point: int) -> str:
    return chr(_AFTER_SURROGATES if point == _BEFORE_SURROGATES else point + 1)


def holds(first: str, end: str | None, key: str) -> bool:
    return first <= key and (end is None or key < end)


def slice_of(ordered: list[str], first: str, end: str | None) -> tuple[int, int]:
    """Where the range begins and ends in a rising list of keys."""
    start = bisect_left(ordered, first)
    return start, len(ordered) if end is None else max(start, bisect_left(ordered, end))
