"""One directed link: when a message arrives, and whether.

Law 1: a cut is judged at both ends: what was under way when a link was cut does not arrive.
Law 2: `faults.decide` says what a fault does to a message, as it does at the edge of a real node.
Law 3: delivered is what a living process took, or will take when it wakes; everything else is dropped, and counted as that.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappush
from typing import TYPE_CHECKING, Any

from cluster.core.effects import FromGossip, FromPeer
from cluster.core.gossip.messages import GossipMessage
from cluster.core.raft.messages import Append, RaftMessage
from cluster.core.types import SECOND, Micros
from cluster.faults import LinkFault, decide
from cluster.sim.setup import Surroundings
from cluster.wire import PEER

if TYPE_CHECKING:
    from cluster.sim.host import Host
    from cluster.sim.world import World

# As in a node: what would wait longer finds the buffer full.
THROTTLE_WAIT_MAX_US: Micros = 5 * SECOND


class Link:
    """From `source` to `target`."""

    __slots__ = (
        "_dice",
        "_draw",
        "_free_at_us",
        "_in_order",
        "_last_us",
        "_latency_us",
        "_spread_us",
        "_tail",
        "_world",
        "cut",
        "fault",
        "source",
        "target",
    )

    def __init__(self, world: World, source: Host, target: Host, around: Surroundings) -> None:
        self._world, self.source, self.target = world, source, target
        self._dice = world.network_dice
        self._draw = self._dice.random
        self._latency_us, self._spread_us, self._tail = around.latency_us, around.spread_us, around.tail
        self._in_order = around.in_order
        self._last_us: Micros = 0  # when the newest message of the connection arrives
        self._free_at_us: Micros = 0  # when a throttled link has sent what it was given
        self.fault: LinkFault | None = None
        self.cut = False

    # ---- sending ------------------------------------------------------------------------------------------------

    def send(self, message: RaftMessage) -> None:
        """On the connection between the two, if links are connections here."""
        # A heartbeat is an empty append; its answer is what a follower sends while it handles one.
        beat = self.source.beating or (type(message) is Append and not message.entries)
        deliver = self._beat if beat else self._deliver
        world = self._world
        if self.fault is not None:
            if self.cut:
                world.judge.dropped += 1
            else:
                self._send_faulty(message, deliver, self._in_order)
            return
        at_us = world.now + self._latency_us + int(self._draw() * self._spread_us)
        if self._tail and self._draw() < self._tail:
            at_us += self._dice.tailed_us(20 * self._latency_us)
        if self._in_order:
            if at_us < self._last_us:
                at_us = self._last_us
            self._last_us = at_us
        world.order += 1
        heappush(world.heap, (at_us, world.order, deliver, message))

    def send_gossip(self, message: GossipMessage) -> None:
        """A datagram: it keeps no order."""
        if self.fault is not None:
            self._send_faulty(message, self._gossip, False)
        else:
            self._world.later(self._latency_us + int(self._draw() * self._spread_us), self._gossip, message)

    def _send_faulty(self, message: Any, deliver: Callable[[Any], None], in_order: bool) -> None:
        fault, world = self.fault, self._world
        assert fault is not None
        size_bytes = len(PEER.encode(message)) if fault.bytes_per_s else 0
        delays_us = decide(fault, size_bytes, self._dice).delays_us
        world.judge.dropped += not delays_us
        for delay_us in delays_us:
            wait_us = self._throttled(fault, size_bytes)
            if wait_us is None:
                world.judge.dropped += 1
                continue
            at_us = world.now + self._latency_us + int(self._draw() * self._spread_us) + delay_us + wait_us
            if in_order and not fault.reorder:
                at_us = self._last_us = max(at_us, self._last_us)
            world.order += 1
            heappush(world.heap, (at_us, world.order, deliver, message))

    def _throttled(self, fault: LinkFault, size_bytes: int) -> Micros | None:
        """How long this message waits for the ones before it and for its own bytes; None when the buffer is full."""
        if not fault.bytes_per_s:
            return 0
        now = self._world.now
        free_at_us = max(now, self._free_at_us) + size_bytes * SECOND // fault.bytes_per_s
        if free_at_us - now > THROTTLE_WAIT_MAX_US and self._free_at_us > now:
            return None
        self._free_at_us = free_at_us
        return free_at_us - now

    # ---- arriving -----------------------------------------------------------------------------------------------

    def _deliver(self, message: RaftMessage) -> None:
        if not self.cut and self.target.post(FromPeer(self.source.node, message)):
            self._world.messages += 1
        else:
            self._world.judge.dropped += 1

    def _beat(self, message: RaftMessage) -> None:
        target, world = self.target, self._world
        target.beating = type(message) is Append
        if not self.cut and target.post(FromPeer(self.source.node, message)):
            world.heartbeats += 1
        else:
            world.judge.dropped += 1
        target.beating = False

    def _gossip(self, message: GossipMessage) -> None:
        if not self.cut and self.target.post(FromGossip(self.source.node, message)):
            self._world.gossip += 1
        else:
            self._world.judge.dropped += 1
