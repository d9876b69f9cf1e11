"""The faults of the plan, applied at this node's edge of the network. Holds no clock: every call brings true time.

Law 1: a cut is judged at both ends, and again when a delayed message is released; everything else at the sender.
Law 2: the delay queue is bounded in messages and bytes; what does not fit is dropped and counted like any loss.
Law 3: when a link is healed, what was held back for it goes out at once, in the order it was sent.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from typing import Final

from cluster.core.types import SECOND, Dice, Micros, NodeId
from cluster.faults import FaultPlan, LinkFault, NodeFault, decide

HELD_MESSAGES_MAX: Final = 8_192
HELD_BYTES_MAX: Final = 32 * 1024 * 1024
# A throttled link is a pipe with a buffer; what would wait longer than this finds the buffer full.
THROTTLE_WAIT_MAX_US: Final[Micros] = 5 * SECOND

Deliver = Callable[[NodeId, bytes], None]


class FaultShim:
    """Between the node and its transports. `dropped`: messages lost per peer, by this shim, since the process started."""

    def __init__(self, node: NodeId, dice: Dice) -> None:
        self.node = node
        self.own = NodeFault(node)
        self.version = 0
        self.dropped: dict[NodeId, int] = {}
        self._dice = dice
        self.faulty = False  # whether any link out has a fault: without one, `send` only delivers
        self._out: dict[NodeId, LinkFault] = {}
        self._cut_in: frozenset[NodeId] = frozenset()
        self._free_at_us: dict[NodeId, Micros] = {}  # when a throttled link has sent what it was given
        self._held: list[tuple[Micros, int, NodeId, bytes, Deliver]] = []
        self._held_bytes = 0
        self._order = 0

    def apply(self, plan: FaultPlan, now_us: Micros) -> bool:
        """Put `plan` in force, unless it is older than the one in force; says whether it was."""
        if plan.version < self.version:
            return False
        self.version = plan.version
        self._out = {link.target: link for link in plan.links if link.source == self.node}
        self.faulty = bool(self._out)
        self._cut_in = frozenset(link.source for link in plan.links if link.target == self.node and link.cut)
        self.own = next((fault for fault in plan.nodes if fault.node == self.node), NodeFault(self.node))
        self._free_at_us = {peer: at for peer, at in self._free_at_us.items() if self._throttle(peer)}
        self._hurry(now_us)
        return True

    def send(self, to: NodeId, data: bytes, deliver: Deliver, now_us: Micros) -> None:
        """Pass one message on now, later, twice or never."""
        fault = self._out.get(to)
        if fault is None:
            deliver(to, data)
            return
        delays_us = decide(fault, len(data), self._dice).delays_us
        if not delays_us:
            self._drop(to)
        for delay_us in delays_us:
            wait_us = self._throttled(fault, len(data), now_us)
            if wait_us is None:
                self._drop(to)
            elif delay_us + wait_us == 0:
                deliver(to, data)
            else:
                self._hold(now_us + delay_us + wait_us, to, data, deliver)

    def admits(self, source: NodeId, count: int = 1) -> bool:
        """Whether `count` messages from `source` may come in; counts them as dropped if not."""
        if source in self._cut_in:
            self._drop(source, count)
            return False
        return True

    def due_us(self) -> Micros | None:
        """When the next held message must be released."""
        return self._held[0][0] if self._held else None

    def release(self, now_us: Micros) -> None:
        """Let go of what is due; what meets a cut on its way out is dropped."""
        while self._held and self._held[0][0] <= now_us:
            _, _, to, data, deliver = heapq.heappop(self._held)
            self._held_bytes -= len(data)
            fault = self._out.get(to)
            if fault is not None and fault.cut:
                self._drop(to)
            else:
                deliver(to, data)

    def drops(self, peers: Iterable[NodeId]) -> tuple[tuple[NodeId, int], ...]:
        """(peer, dropped) for those with any, in the order given."""
        return tuple((peer, self.dropped[peer]) for peer in peers if peer in self.dropped)

    def _drop(self, peer: NodeId, count: int = 1) -> None:
        self.dropped[peer] = self.dropped.get(peer, 0) + count

    def _throttle(self, peer: NodeId) -> int:
        fault = self._out.get(peer)
        return fault.bytes_per_s if fault else 0

    def _throttled(self, fault: LinkFault, size_bytes: int, now_us: Micros) -> Micros | None:
        """How long this message waits for the ones before it and for its own bytes; None when the buffer is full."""
        if not fault.bytes_per_s:
            return 0
        free_at_us = max(now_us, self._free_at_us.get(fault.target, 0)) + size_bytes * SECOND // fault.bytes_per_s
        # One message always fits, however slow the link: a link that passes nothing would be a cut by another name.
        if free_at_us - now_us > THROTTLE_WAIT_MAX_US and self._free_at_us.get(fault.target, 0) > now_us:
            return None
        self._free_at_us[fault.target] = free_at_us
        return free_at_us - now_us

    def _hold(self, due_us: Micros, to: NodeId, data: bytes, deliver: Deliver) -> None:
        if len(self._held) >= HELD_MESSAGES_MAX or self._held_bytes + len(data) > HELD_BYTES_MAX:
            self._drop(to)
            return
        self._order += 1
        self._held_bytes += len(data)
        heapq.heappush(self._held, (due_us, self._order, to, data, deliver))

    def _hurry(self, now_us: Micros) -> None:
        """Messages for links that are healthy now are due now."""
        if self._held:
            self._held = sorted(
                (item if item[2] in self._out else (now_us, *item[1:]) for item in self._held),
                key=lambda item: item[:2],
            )
