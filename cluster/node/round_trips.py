"""How long a peer takes to answer, measured on the node's own messages, so that the faults in force are part of it.

Law 1: one sample at a time per peer: a heartbeat and the answer with its number, or a gossip SYN and the ACK to it.
Law 2: smoothed as TCP does (RFC 6298: an eighth of each new sample).
"""

from __future__ import annotations

from typing import Final

from cluster.core.gossip.messages import Ack, GossipMessage, Syn
from cluster.core.raft.messages import Append, Appended, RaftMessage
from cluster.core.types import SECOND, Micros, NodeId

# An answer that has not come by now is lost; a new sample may begin.
PATIENCE_US: Final[Micros] = 5 * SECOND
_SYN: Final = -1


class RoundTrips:
    """`smoothed[peer]` in µs of true time."""

    def __init__(self) -> None:
        self.smoothed: dict[NodeId, Micros] = {}
        self._open: dict[tuple[NodeId, bool], tuple[int, Micros]] = {}  # (peer, by gossip) -> (number, sent at)

    def sent(self, to: NodeId, message: RaftMessage | GossipMessage, now_us: Micros) -> None:
        """A message goes out. Heartbeats only: an answer to entries includes the follower's disk."""
        kind = type(message)
        if kind is Append and not message.entries:  # type: ignore[union-attr]
            self._begin((to, False), message.seq, now_us)  # type: ignore[union-attr]
        elif kind is Syn:
            self._begin((to, True), _SYN, now_us)

    def heard(self, sender: NodeId, message: RaftMessage | GossipMessage, now_us: Micros) -> None:
        """A message came in."""
        if not self._open:
            return
        kind = type(message)
        if kind is Appended:
            self._finish((sender, False), message.seq, now_us)  # type: ignore[union-attr]
        elif kind is Ack:
            self._finish((sender, True), _SYN, now_us)

    def _begin(self, key: tuple[NodeId, bool], number: int, now_us: Micros) -> None:
        if key not in self._open or now_us - self._open[key][1] > PATIENCE_US:
            self._open[key] = number, now_us

    def _finish(self, key: tuple[NodeId, bool], number: int, now_us: Micros) -> None:
        sample = self._open.get(key)
        if sample is None or number < sample[0]:
            return
        del self._open[key]
        if number > sample[0]:
            return  # the answer to a later one: that of the sample was lost
        peer, took_us = key[0], now_us - sample[1]
        before = self.smoothed.get(peer)
        self.smoothed[peer] = took_us if before is None else before + (took_us - before) // 8
