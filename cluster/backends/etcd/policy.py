"""What a card says of a Raft group, as the policy of its nodes.

Timers (`timers_ms`): `heartbeat`, `election` (the smallest timeout) and `spread`, by which the largest timeout is above it: "wide" is
twice the smallest, as the Raft paper has it, "narrow" a tenth more. A heartbeat may be told as a part of the timeout: "T/3", "T*0.9".

Law 1: a timer is a number of milliseconds at scale 1; the scale stretches all of them alike, those that a card does not name too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from cluster.commands.toggles import toggles, with_toggle
from cluster.commands.words import did_you_mean
from cluster.core.errors import UsageError
from cluster.core.policy import Policy
from cluster.core.types import MS

# A lock service that shares two cores with its clients: room for a scheduler's hiccups, and a new leader within about a second.
HEARTBEAT_MS, ELECTION_MS = "100", "500"
SPREADS = {"narrow": 1.1, "wide": 2.0}
_TIMERS = ("heartbeat", "election", "spread")
_NUMBER = re.compile(r"\d+(\.\d+)?\Z")
_PART = re.compile(r"T(?:/(\d+(?:\.\d+)?)|\*(\d+(?:\.\d+)?))\Z")


def policy_of(options: Mapping[str, Any], scale: float) -> Policy:
    """Raises `UsageError` for a field or a value that there is not."""
    timers: Mapping[str, str] = options.get("timers_ms", {})
    for name in timers:
        if name not in _TIMERS:
            raise UsageError(f"timers_ms: there is no {name!r}{did_you_mean(name, _TIMERS)}")
    election_ms = _number("election", timers.get("election", ELECTION_MS))
    heartbeat_ms = _heartbeat_ms(timers.get("heartbeat", HEARTBEAT_MS), election_ms)
    spread = timers.get("spread", "wide")
    if spread not in SPREADS:
        raise UsageError(f"timers_ms.spread: expected {' or '.join(SPREADS)}, not {spread!r}")
    policy = _timed(heartbeat_ms * scale, election_ms * scale, SPREADS[spread])
    for field, value in options.get("policy", {}).items():
        if field not in toggles():
            raise UsageError(f"policy: there is no {field!r}{did_you_mean(field, toggles())}")
        policy = with_toggle(policy, field, value)
    return policy


def _timed(heartbeat_ms: float, election_ms: float, spread: float) -> Policy:
    least_us = round(election_ms * MS)
    raft = msgspec.structs.replace(
        Policy().raft, heartbeat_us=round(heartbeat_ms * MS), election_min_us=least_us, election_max_us=round(least_us * spread),
        storage_stall_us=4 * least_us, transfer_timeout_us=2 * least_us,
    )  # fmt: skip
    # A gap in its own clock that is longer than any other node would have waited: it was frozen.
    return Policy(raft=raft, freeze_gap_us=max(Policy().freeze_gap_us, least_us))


def _heartbeat_ms(text: str, election_ms: float) -> float:
    part = _PART.match(text)
    if part is None or float(part[1] or part[2]) == 0:
        return _number("heartbeat", text, "milliseconds, or a part of the timeout such as T/3")
    return election_ms / float(part[1]) if part[1] else election_ms * float(part[2])


def _number(name: str, text: str, expected: str = "milliseconds") -> float:
    if not _NUMBER.match(text) or float(text) <= 0:
        raise UsageError(f"timers_ms.{name}: expected {expected}, not {text!r}")
    return float(text)
