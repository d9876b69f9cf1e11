"""Everything that waits for the node's next turn.

Law 1: whoever hears something only puts it here: nothing is judged by the clock until the driver has looked at the
       clock.
Law 2: bounded: beyond the bound a peer's message is dropped (Raft and gossip send again) and a client is refused, and
       both are counted.
Law 3: completions of the disk are never dropped; they need no room, since the highest token says it all. Nor is the
       end of a watch, of which a node has few.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from cluster.core.effects import FromClient, FromClients, FromGossip, FromPeer, Met, Order, ReplicaInput
from cluster.core.gossip.messages import GossipMessage
from cluster.core.kv.ops import Acknowledge, Unwatch
from cluster.core.raft.messages import RaftMessage
from cluster.core.raft.ready import Persisted
from cluster.core.types import NodeId

MESSAGES_MAX: Final = 8_192
CLIENTS_MAX: Final = 8_192
ORDERS_MAX: Final = 64
# Inputs taken per turn: what a turn may cost before the loop reads its sockets again.
TURN_MAX: Final = 512

T = TypeVar("T")


class Inbox:
    """`wake` is called whenever something was put in."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self.received = 0
        self.overflowed = 0
        self._wake = wake
        self._messages: list[FromPeer | FromGossip] = []
        self._clients: list[FromClient] = []
        self._orders: list[Order | Met] = []
        self._durable = 0

    def __len__(self) -> int:
        return len(self._messages) + len(self._clients) + len(self._orders) + (self._durable > 0)

    def peer(self, sender: NodeId, messages: Sequence[RaftMessage]) -> None:
        """What one read of a peer's connection brought."""
        self._heard([FromPeer(sender, message) for message in messages])

    def gossip(self, sender: NodeId, message: GossipMessage) -> None:
        self._heard([FromGossip(sender, message)])

    @property
    def room(self) -> int:
        """For so many requests of clients."""
        return CLIENTS_MAX - len(self._clients)

    def clients(self, requests: list[FromClient]) -> None:
        """Not more than there is `room` for: what finds none is not taken in, and counted by `refused`."""
        assert len(requests) <= self.room, "whoever asks looks for room first"
        self._clients += requests
        self._wake()

    def refused(self) -> None:
        """A client was told that there is no room."""
        self.overflowed += 1

    def watch(self, token: int, order: Acknowledge | Unwatch) -> None:
        """Concerning an open watch. An acknowledgement without room is lost: the watch ends as too slow, and says so."""
        if isinstance(order, Unwatch) or len(self._clients) < CLIENTS_MAX:
            self._clients.append(FromClient(token, order))
            self._wake()
        else:
            self.overflowed += 1

    def order(self, verb: str, argument: str) -> None:
        if len(self._orders) >= ORDERS_MAX:
            self.overflowed += 1
            return
        self._orders.append(Order(verb, argument))
        self._wake()

    def met(self, nodes: tuple[NodeId, ...]) -> None:
        """There are more nodes than this one was told of when it started."""
        self._orders.append(Met(nodes))
        self._wake()

    def durable(self, token: int) -> None:
        """The disk has finished `token` (from 1 on) and all before it."""
        self._durable = token
        self._wake()

    def take(self) -> list[ReplicaInput]:
        """What the next turn handles, oldest first of each sort: disk, orders, peers, and the clients as one batch."""
        inputs: list[ReplicaInput] = []
        if self._durable:
            inputs.append(Persisted(self._durable))
            self._durable = 0
        if self._orders:
            inputs += self._orders
            self._orders.clear()
        if self._messages:
            messages = _first(self._messages)
            inputs += messages
        if self._clients:
            inputs.append(FromClients(tuple(_first(self._clients))))
        return inputs

    def _heard(self, messages: list[FromPeer | FromGossip]) -> None:
        self.received += len(messages)
        room = MESSAGES_MAX - len(self._messages)
        if len(messages) > room:
            self.overflowed += len(messages) - room
            del messages[room:]
        self._messages += messages
        self._wake()


def _first(waiting: list[T]) -> list[T]:
    """Takes what one turn may handle."""
    taken = waiting[:TURN_MAX]
    del waiting[:TURN_MAX]
    return taken
