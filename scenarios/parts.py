"""What the parts of a card have in common: names, moments and lengths of time, and that none takes a field that it does not know.

Law 1: every length of time is a number of milliseconds, a toggle named `_ms`, or such a toggle times a number; all follow the scale.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping

import msgspec

# A name is part of a Unix socket's path, which holds about a hundred bytes.
NAME = re.compile(r"[a-z][a-z0-9]{0,11}\Z")
_ON = re.compile(r"(failpoint|trace):([a-z][a-z_.]*)@([a-z0-9]+)\Z")
_PRODUCT = re.compile(r"([a-z_]+_ms)(?: \* (\d+(?:\.\d+)?))?\Z")
_NUMBER = re.compile(r"\d+(?:\.\d+)?\Z")

Length = str | float  # of time, in milliseconds: law 1


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All parts refuse fields that they do not know: a misspelt one must not be a silent default."""


class On(msgspec.Struct, frozen=True):
    """`failpoint:pay.before_charge@w1`, taken apart."""

    kind: str
    event: str
    process: str


def find_on(text: str) -> On | None:
    """None when it is no such thing."""
    match = _ON.match(text)
    return None if match is None else On(match[1], match[2], match[3])


def read_on(text: str) -> On:
    """Of a card that was checked."""
    on = find_on(text)
    assert on is not None, text
    return on


def length_faults(key: str, length: Length, toggles: Container[str]) -> Iterator[str]:
    """What is wrong with it. Nothing, if it is none at all."""
    if isinstance(length, str):
        product = _PRODUCT.match(length)
        good = not length or (product[1] in toggles if product else bool(_NUMBER.match(length)))
    else:
        good = length >= 0
    if not good:
        yield f"{key}: expected a number, a toggle named _ms, or 'TOGGLE * NUMBER', not {length!r}"


def length_ms(length: Length, toggles: Mapping[str, str], scale: float) -> float:
    """`ttl_ms * 2.5` with this run's toggles and scale. Of a card that was checked."""
    if not isinstance(length, str):
        return length * scale
    match = _PRODUCT.match(length)
    if match is None:
        return float(length or 0) * scale
    return float(toggles[match[1]]) * float(match[2] or 1) * scale
