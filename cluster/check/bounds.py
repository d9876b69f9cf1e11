"""How much the checker of a register's history may occupy, however long it runs."""

from __future__ import annotations

import msgspec

from cluster.core.types import SECOND, Micros


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """How much one key, and all of them, may occupy."""

    keys: int = 20_000
    # Retired keys whose value is remembered, in case they are used again.
    resting: int = 100_000
    # Records of one key that wait for an open read, or for a burst to end.
    waiting: int = 2_000
    # A read open for longer was lost with its client; should it return after all, the key is unknown.
    lost_read_us: Micros = 30 * SECOND
