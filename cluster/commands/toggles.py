"""`set FIELD VALUE`: which fields of the policy exist, and a policy with one of them changed.

Law 1: a field keeps its type; a value that does not fit is refused before anything is changed.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from cluster.commands.quantities import read_duration
from cluster.commands.words import Word, wrong
from cluster.core.errors import UsageError
from cluster.core.policy import DetectPolicy, GossipPolicy, Policy, RaftPolicy

_BOOLEANS = {"on": True, "true": True, "yes": True, "off": False, "false": False, "no": False}
_PARTS: dict[str, RaftPolicy | GossipPolicy | DetectPolicy] = {
    "raft": RaftPolicy(),
    "gossip": GossipPolicy(),
    "detect": DetectPolicy(),
}
# Cures that a mistake switches off; every other boolean of RaftPolicy is a mistake that is switched on.
_CURES = ("pre_vote", "check_quorum")
DECIDERS = ("akka", "normal", "cassandra", "timeout")


def toggles() -> dict[str, str]:
    """Every field -> its part of the policy ("raft", "gossip", "detect"). Names are unique over the parts."""
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
    return msgspec.structs.replace(policy, **{part: changed})


def mistakes() -> dict[str, str]:
    """Name of each mistake -> the setting that makes it ("pre_vote" -> "off")."""
    fields = (field for field in RaftPolicy.__struct_fields__ if isinstance(getattr(RaftPolicy(), field), bool))
    return {field: "off" if field in _CURES else "on" for field in fields}


def with_mistakes(policy: Policy, names: Iterable[str]) -> Policy:
    """The policy that makes these mistakes, by name."""
    for name in names:
        policy = with_toggle(policy, name, mistakes()[name])
    return policy


def mistakes_in(policy: Policy) -> tuple[str, ...]:
    """Which mistakes a policy makes, by name."""
    return tuple(name for name, setting in mistakes().items() if getattr(policy.raft, name) is (setting == "on"))


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
        duration = read_duration(text)
        return duration if duration is not None and duration > 0 else None
    try:
        number = float(text)
    except ValueError:
        return None
    if not 0 < number < 1e9:
        return None
    return int(number) if isinstance(default, int) else number


def _wanted(toggle: str) -> str:
    default = _default(toggle)
    if isinstance(default, bool):
        return "on or off"
    if isinstance(default, str):
        return ", ".join(DECIDERS)
    return "a duration such as 150ms" if toggle.endswith("_us") else "a number above 0"
