"""Durations, chances, rates and factors: text <-> number, both ways exact.

Law 1: what `write_*` gives, `read_*` takes back unchanged. A reader returns None for what it does not understand.
"""

from __future__ import annotations

import re
from decimal import Decimal

from cluster.core.types import Micros

# Eighteen digits before the point are more than anything here may be, and few enough never to overflow.
_DURATION = re.compile(r"([+-]?)([0-9]{1,18}(?:\.[0-9]{1,400})?|\.[0-9]{1,400})(us|µs|ms|s|min|m|h)\Z")
_UNITS_US = {"us": 1, "µs": 1, "ms": 1_000, "s": 1_000_000, "min": 60_000_000, "m": 60_000_000, "h": 3_600_000_000}
_PERCENT = re.compile(r"([0-9]{1,18}(?:\.[0-9]{1,400})?|\.[0-9]{1,400})%\Z")
_RATE = re.compile(r"([0-9]{1,18}(?:\.[0-9]{1,400})?|\.[0-9]{1,400})(b|kb|mb)(?:/s|ps)?\Z", re.IGNORECASE)
_RATE_BYTES = {"b": 1, "kb": 1_000, "mb": 1_000_000}
_NUMBER = re.compile(r"[0-9]{1,18}(?:\.[0-9]{1,400})?\Z|\.[0-9]{1,400}\Z")


def read_duration(text: str) -> Micros | None:
    """`2s`, `80ms`, `1.5s`, `250us`, `2min`; with a sign where the caller wants one."""
    match = _DURATION.match(text)
    if match is None:
        return None
    sign, digits, unit = match.groups()
    amount = int((Decimal(digits) * _UNITS_US[unit]).to_integral_value())
    return -amount if sign == "-" else amount


def write_duration(duration_us: Micros) -> str:
    """The shortest of s, ms and us that is exact."""
    sign, amount = ("-", -duration_us) if duration_us < 0 else ("", duration_us)
    for unit, size in (("s", 1_000_000), ("ms", 1_000)):
        if amount >= size and amount % (size // 1_000) == 0:
            return f"{sign}{_trim(Decimal(amount) / size)}{unit}"
    return f"{sign}{amount}us"


def read_percent(text: str) -> float | None:
    """`20%`, `0.5%` -> 0…1."""
    match = _PERCENT.match(text)
    if match is None:
        return None
    share = Decimal(match.group(1)) / 100
    return float(share) if share <= 1 else None


def write_percent(chance: float) -> str:
    return f"{_trim(Decimal(repr(chance)) * 100)}%"


def read_rate(text: str) -> int | None:
    """`64kB/s`, `1MB/s`, `900B/s` -> bytes per second (k is 1 000)."""
    match = _RATE.match(text)
    if match is None:
        return None
    return int(Decimal(match.group(1)) * _RATE_BYTES[match.group(2).lower()])


def write_rate(bytes_per_s: int) -> str:
    for unit, size in (("MB", 1_000_000), ("kB", 1_000)):
        if bytes_per_s % size == 0:
            return f"{bytes_per_s // size}{unit}/s"
    return f"{bytes_per_s}B/s"


def read_number(text: str) -> float | None:
    return float(text) if _NUMBER.match(text) else None


def write_number(value: float) -> str:
    return _trim(Decimal(repr(value)))


def _trim(value: Decimal) -> str:
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
