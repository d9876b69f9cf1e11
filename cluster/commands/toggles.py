"""`set FIELD VALUE`: which fields of the policy exist, and a policy with one of them changed.

Law 1: a field keeps its type; a value that does not fit is refused before anything is changed.
Law 2: a field may be set to a mistake, never to what no process could start with.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from cluster.commands.quantities import read_duration, read_number, write_duration
from cluster.commands.words import Word, did_you_mean, wrong
from cluster.core.errors import UsageError
from cluster.core.policy import ClientPolicy, DetectPolicy, GossipPolicy, Policy, RaftPolicy
from cluster.core.types import MS, NODES_MAX, SECOND

_BOOLEANS = {"on": True, "true": True, "yes": True, "off": False, "false": False, "no": False}
_PARTS: dict[str, RaftPolicy | GossipPolicy | DetectPolicy | ClientPolicy] = {
    "raft": RaftPolicy(),
    "gossip": GossipPolicy(),
    "detect": DetectPolicy(),
    "client": ClientPolicy(),
}
# Where mistakes are chosen, and the cures that one switches off; every other boolean there is a mistake that is switched on.
_MISTAKEN = ("raft", "client")
_CURES = ("pre_vote", "check_quorum")
DECIDERS = ("akka", "normal", "cassandra", "timeout")

# Smallest and largest value. Durations: below a millisecond a node would do nothing but this; above an hour nobody waits.
_DURATION_US = (MS, 3_600 * SECOND)
_RANGES: dict[str, tuple[float, float]] = {
    "inflight_max": (1, 4_096),
    "snapshot_every": (1, 10_000_000),
    "snapshot_trailing": (0, 10_000_000),
    "fanout": (1, NODES_MAX),
    "mtu_bytes": (512, GossipPolicy().mtu_bytes),  # deltas and digests share a datagram, and the default takes all the room
    "threshold": (0.1, 1_000.0),
    "window": (2, 10_000),
    "attempts": (1, 16),
}


def toggles() -> dict[str, str]:
    """Every field -> its part of the policy ("raft", "gossip", "detect", "client"). Names are unique over the parts."""
    return {field: part for part, policy in _PARTS.items() for field in policy.__struct_fields__}


def check_toggle(toggle: Word, value: Word) -> None:
    """Raises `UsageError` for a field that does not exist or a value of another type."""
    known = toggles()
    if toggle.text not in known:
        raise wrong(toggle, "a field of the policy", known)
    if _read(toggle.text, value.text) is None:
        raise wrong(value, f"a value for {toggle.text}: {_wanted(toggle.text)}")


def with_toggle(policy: Policy, toggle: str, value: str) -> Policy:
    """The policy with one field changed."""
    part = toggles()[toggle]
    read = _read(toggle, value)
    if read is None:
        raise UsageError(f"{value!r} is not a value for {toggle}: {_wanted(toggle)}")
    changed = msgspec.structs.replace(getattr(policy, part), **{toggle: read})
    if isinstance(changed, RaftPolicy) and changed.election_min_us > changed.election_max_us:
        least, most = write_duration(changed.election_min_us), write_duration(changed.election_max_us)
        raise UsageError(f"election_min_us would be {least}, above election_max_us, {most}: set the other one first")
    return msgspec.structs.replace(policy, **{part: changed})


def mistakes() -> dict[str, str]:
    """Name of each mistake -> the setting that makes it ("pre_vote" -> "off")."""
    fields = (field for field, part in toggles().items() if part in _MISTAKEN and isinstance(_default(field), bool))
    return {field: "off" if field in _CURES else "on" for field in fields}


def check_mistakes(names: Iterable[str]) -> None:
    """Raises `UsageError` for a name that is no mistake's, with all that are."""
    known = mistakes()
    for name in names:
        if name not in known:
            raise UsageError(f"there is no mistake {name!r}{did_you_mean(name, known)}; there are: {', '.join(sorted(known))}")


def with_mistakes(policy: Policy, names: Iterable[str]) -> Policy:
    """The policy that makes these mistakes, by name."""
    for name in names:
        policy = with_toggle(policy, name, mistakes()[name])
    return policy


def mistakes_in(policy: Policy) -> tuple[str, ...]:
    """Which mistakes a policy makes, by name."""
    parts = toggles()
    return tuple(name for name, setting in mistakes().items() if getattr(getattr(policy, parts[name]), name) is (setting == "on"))


def _default(toggle: str) -> bool | int | float | str:
    found: bool | int | float | str = getattr(_PARTS[toggles()[toggle]], toggle)
    return found


def _read(toggle: str, text: str) -> bool | int | float | str | None:
    default = _default(toggle)
    if isinstance(default, bool):
        return _BOOLEANS.get(text.lower())
    if isinstance(default, str):
        return text if text in DECIDERS else None
    if toggle.endswith("_us"):
        return _within(read_duration(text), _DURATION_US)
    number = _within(read_number(text), _RANGES[toggle])
    if number is None or isinstance(default, float):
        return number
    return int(number) if number == int(number) else None


def _within(value: float | None, limits: tuple[float, float]) -> float | None:
    return value if value is not None and limits[0] <= value <= limits[1] else None


def _wanted(toggle: str) -> str:
    default = _default(toggle)
    if isinstance(default, bool):
        return "on or off"
    if isinstance(default, str):
        return ", ".join(DECIDERS)
    if toggle.endswith("_us"):
        return "a duration such as 150ms, between 1ms and 1h"
    kind = "a number" if isinstance(default, float) else "a whole number"
    return f"{kind} between {_RANGES[toggle][0]:g} and {_RANGES[toggle][1]:g}"


def values(toggle: str) -> tuple[str, ...]:
    """What a field may be set to, where it can be listed; for completion."""
    default = _default(toggle)
    return ("on", "off") if isinstance(default, bool) else DECIDERS if isinstance(default, str) else ()
