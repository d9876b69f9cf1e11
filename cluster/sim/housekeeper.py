"""Whoever looks after the store: now and then it removes what clients left behind, and forgets what was overwritten.

Law 1: a history that nobody compacts grows for ever, and every snapshot and restart with it; so do keys that nobody uses any more.
Law 2: it draws nothing from what others draw: runs shorter than its first round are the same without it.
Law 3: a key is removed only when no client can have it open, nor an auditor ask for it: it was left behind a whole round ago.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cluster.core.kv.ops import Compact, DeleteRange, Operation, Reply, Scan
from cluster.core.policy import ClientPolicy
from cluster.core.types import MS, SECOND, Micros
from cluster.sim.clients import Client
from cluster.sim.eras import before

if TYPE_CHECKING:
    from cluster.sim.world import World

# Some thousand writes; most runs of a sweep are over by then.
EVERY_US: Micros = 120 * SECOND
# Eras before the one in use at the last round whose keys stay: the judge still knows them.
ERAS_KEPT = 8
_NUMBER = 999  # no process of other clients: theirs are small, or small and some thousands
_NOTHING = "\0"  # no key begins like this: the answer is the present revision alone
_SOON_US: Micros = 20 * MS


class Housekeeper(Client):
    """Removes old keys, asks for the revision, has everything before it forgotten, and rests."""

    def __init__(self, world: World) -> None:
        super().__init__(world, _NUMBER, _SOON_US)
        self._revision = 0  # to compact at; 0: to be asked for
        self._era = self._era_before = 0  # in use at this round, and at the last one
        self._removed_before = 0  # keys of eras before this one are gone
        self.rounds = 0

    def _patience(self) -> ClientPolicy:
        """What it asks may be asked twice: it needs no session."""
        return self._world.policy.client

    def _choose(self) -> Operation:
        if self._removable > self._removed_before:
            return DeleteRange(before(0), before(self._removable))
        return Compact(self._revision) if self._revision else Scan(_NOTHING, 1)

    @property
    def _removable(self) -> int:
        """Law 3."""
        return self._era_before - ERAS_KEPT

    def done(self, operation: Operation, reply: Reply) -> None:
        """Whatever comes of a compaction or a removal, the next one makes up for it."""
        if isinstance(operation, Compact):
            self._revision = 0
            self.rounds += reply.outcome == "ok"
            self._era_before, self._era = self._era, self._world.keys.era
            self._world.later(EVERY_US, self.begin, None)
            return
        if isinstance(operation, DeleteRange):
            self._removed_before = self._removable
        else:
            self._revision = reply.revision if reply.outcome == "ok" else 0
        super().done(operation, reply)
