"""What a checker says when it has seen the impossible.

Law 1: a violation carries its evidence; a light without evidence convinces nobody.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from cluster.core.types import Micros

OK, VIOLATED, UNKNOWN = "ok", "violated", "unknown"


class Violation(msgspec.Struct, frozen=True):
    """`light` names the property, `evidence` is one line, `witness` the records behind it, oldest first."""

    light: str
    at_us: Micros
    evidence: str
    witness: tuple[str, ...] = ()
    key: str = ""


class Light(NamedTuple):
    """One property so far. `state`: "ok" | "violated" | "unknown"; `checked`: records judged; `evidence` in words."""

    state: str
    checked: int
    evidence: str
