"""Whoever looks after the store: now and then it forgets what was overwritten, as a store with revisions needs.

Law 1: a history that nobody compacts grows for ever, and every snapshot with it.
Law 2: it draws nothing from what others draw: runs shorter than its first round are the same without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cluster.core.kv.ops import Compact, Operation, Reply, Scan
from cluster.core.types import MS, SECOND, Micros
from cluster.sim.clients import Client

if TYPE_CHECKING:
    from cluster.sim.world import World

# Some thousand writes; most runs of a sweep are over by then.
EVERY_US: Micros = 120 * SECOND
_NUMBER = 999  # no process of other clients: theirs are small, or small and some thousands
_NOTHING = "\0"  # no key begins like this: the answer is the present revision alone
_SOON_US: Micros = 20 * MS


class Housekeeper(Client):
    """Asks for the revision, has everything before it forgotten, and rests."""

    def __init__(self, world: World) -> None:
        super().__init__(world, _NUMBER, _SOON_US)
        self._revision = 0  # to compact at; 0: to be asked for
        self.rounds = 0

    def _choose(self) -> Operation:
        return Compact(self._revision) if self._revision else Scan(_NOTHING, 1)

    def done(self, operation: Operation, reply: Reply) -> None:
        """Whatever comes of a compaction, the next one makes up for it."""
        if isinstance(operation, Compact):
            self._revision = 0
            self.rounds += reply.outcome == "ok"
            self._world.later(EVERY_US, self.begin, None)
            return
        self._revision = reply.revision if reply.outcome == "ok" else 0
        super().done(operation, reply)
