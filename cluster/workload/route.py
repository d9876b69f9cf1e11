"""Which node to ask: whoever led last, then whom a refusal names, then somebody else.

Law 1: an operation is sent at most once; only a definite "not leader" is asked again elsewhere, a few times, at once.
"""

from __future__ import annotations

from cluster.core.kv.ops import Operation, Reply, Watch
from cluster.core.types import MS, Dice, Micros, NodeId
from cluster.workload.connection import Connection
from cluster.workload.stream import Stream

_REDIRECTS_MAX = 3
# One node that accepts and never answers must not eat the whole time-out of a request that was never sent.
_LEAST_US: Micros = 20 * MS


class Route:
    """Connections to all nodes, made when they are first needed. Voters are asked first; whoever a refusal names, next."""

    def __init__(self, client: str, members: dict[NodeId, int], voters: tuple[NodeId, ...], secret: bytes, dice: Dice) -> None:
        self._client, self._secret = client, secret
        self._connections: dict[NodeId, Connection] = {}
        self.meet(members)
        self._voters = list(voters)
        self._dice = dice
        self.target: NodeId = self._somebody(but=None)

    def meet(self, members: dict[NodeId, int]) -> None:
        """These nodes are there, at these ports."""
        for node, port in members.items():
            if node not in self._connections:
                self._connections[node] = Connection(self._client, port, self._secret)

    async def ask(self, operation: Operation, timeout_us: Micros) -> tuple[Reply, NodeId]:
        """The reply, and the node that gave it (or was asked last)."""
        reply = Reply("fail", error="nobody was asked")
        asked = self.target
        for _ in range(_REDIRECTS_MAX + 1):
            asked = self.target
            reply = await self._connections[asked].request(operation, max(timeout_us, _LEAST_US))
            if reply.outcome == "ok":
                return reply, asked
            if reply.outcome == "unknown":
                self.target = self._somebody(but=asked)
                return reply, asked
            if reply.leader == asked or reply.leader not in self._connections:
                self.target = self._somebody(but=asked)
                return reply, asked
            self.target = reply.leader
        return reply, asked

    async def watch(self, watch: Watch, timeout_us: Micros) -> Stream:
        """A watch at whoever is asked now; any voter can tell it, and the next one is told by another."""
        asked = self.target
        stream = await self._connections[asked].watch(watch, max(timeout_us, _LEAST_US))
        if not self._connections[asked].connected:
            self.target = self._somebody(but=asked)
        return stream

    def _somebody(self, but: NodeId | None) -> NodeId:
        others = [node for node in self._voters if node != but] or self._voters
        return others[self._dice.randrange(len(others))]

    def close(self) -> None:
        for connection in self._connections.values():
            connection.close()
