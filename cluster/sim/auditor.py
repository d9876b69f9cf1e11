"""The client that comes when all is over: it reads everything back, and counts what was promised."""

from __future__ import annotations

from cluster.check.acked import count_acked
from cluster.core.kv.ops import Get, Operation, Reply, Scan
from cluster.core.policy import ClientPolicy
from cluster.core.types import MS
from cluster.sim.clients import SLOTS, Client
from cluster.sim.world import World
from cluster.telemetry.control import SLOT_PREFIX
from cluster.telemetry.events import AckedCounted


class Auditor(Client):
    """Reads everything back when all is over: the newest hot keys, then every slot."""

    def __init__(self, world: World) -> None:
        super().__init__(world, 0, 10 * MS)
        self._left: list[Operation] = [*(Get(key) for key in world.judge.recent_keys), Scan(SLOT_PREFIX, SLOTS * 64)]
        self.finished = False

    def _patience(self) -> ClientPolicy:
        """What it asks may be asked twice: it needs no session."""
        return self._world.policy.client

    @property
    def waits_for(self) -> str:
        return f"nobody had answered {self._left[0]} yet" if self._left else ""

    def _choose(self) -> Operation:
        return self._left[0]

    def done(self, operation: Operation, reply: Reply) -> None:
        if reply.outcome == "ok":
            if isinstance(operation, Scan):
                self._count(reply)
            self._left.pop(0)
        self.finished = not self._left
        if not self.finished:
            super().done(operation, reply)

    def _count(self, reply: Reply) -> None:
        """Is every write there that was promised?"""
        promised = {slot: number for client in self._world.clients for slot, number in client.promised.items()}
        count = count_acked(promised, {slot: int(value) for slot, value in reply.items})
        self._world.judge.event(AckedCounted(self._world.now, count.acked, count.lost, count.examples))
