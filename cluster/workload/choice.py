"""Which operation comes next: reads, writes and compare-and-sets on a few hot keys, and single-writer slots.

Law 1: pure: time and dice come in. No value is ever written twice.
Law 2: hot keys are left behind after about two hundred operations each, by the clock that all clients of a machine share:
       operations with unknown outcomes stay open in a checker for ever, and must not pile up on one key.
Law 3: a slot belongs to one client and holds a number that only rises, so that any older one found there is a lost write.
"""

from __future__ import annotations

import hashlib

import msgspec

from cluster.core.kv.ops import Cas, Get, Operation, Put
from cluster.core.types import SECOND, Dice, Micros
from cluster.telemetry.control import SLOT_PREFIX
from cluster.telemetry.eras import LONGEST_ERA_S, hot_key

HOT_KEYS = 5
OPERATIONS_PER_KEY = 200
SLOTS = 4_096

# Out of a hundred.
_READS = 45
_WRITES = 25
_SWAPS = 10  # the rest goes to slots


class Chosen(msgspec.Struct, frozen=True):
    """`slot` is -1 unless the operation writes one, then `number` is what it writes."""

    operation: Operation
    slot: int = -1
    number: int = 0


class Chooser:
    """One client's choices. `run` tells this lab's keys from those of another lab on the same disks."""

    def __init__(self, client: str, incarnation: int, secret: bytes, clients: int, dice: Dice) -> None:
        self._client = client
        self._incarnation = incarnation
        self._clients = max(1, clients)
        self._dice = dice
        self._run = hashlib.blake2b(secret, digest_size=3).hexdigest()
        self._written = 0
        self._seen: dict[str, str] = {}  # the last value read per key: what a compare-and-set expects

    def next(self, now: Micros, rate: float) -> Chosen:
        """`rate` is this client's, in operations per second."""
        luck = self._dice.randrange(100)
        if luck >= _READS + _WRITES + _SWAPS:
            return self._slot()
        key = hot_key(self._run, era(now, rate * self._clients), self._dice.randrange(HOT_KEYS))
        if luck < _READS:
            return Chosen(Get(key))
        value = self._fresh()
        expected = self._seen.get(key)
        if luck >= _READS + _WRITES and expected is not None:
            return Chosen(Cas(key, expected, value))
        return Chosen(Put(key, value))

    def saw(self, key: str, value: str | None) -> None:
        """A read returned this: the next compare-and-set on the key may expect it."""
        if value is not None:
            if len(self._seen) >= 4 * HOT_KEYS:
                self._seen.pop(next(iter(self._seen)))
            self._seen[key] = value

    def slot_key(self, slot: int) -> str:
        return f"{self.slot_prefix}{slot}"

    @property
    def slot_prefix(self) -> str:
        return f"{SLOT_PREFIX}{self._run}/{self._client}.{self._incarnation}/"

    def _slot(self) -> Chosen:
        slot = self._written % SLOTS
        self._written += 1
        return Chosen(Put(self.slot_key(slot), str(self._written)), slot, self._written)

    def _fresh(self) -> str:
        self._written += 1
        return f"{self._client}.{self._incarnation}.{self._written}"


def era(now: Micros, total_rate: float) -> int:
    """The number of seconds at which the present hot keys came into use: the same for all clients, whose clocks are one."""
    length_s = 1
    while length_s < LONGEST_ERA_S and length_s * total_rate < HOT_KEYS * OPERATIONS_PER_KEY:
        length_s *= 2
    return now // (length_s * SECOND) * length_s
