"""One way of one connection through a proxy: what came in, in order, each piece with the moment from which it may go on. Pure.

Law 1: first in, first out, whatever the delays: a stream of bytes has one order. A piece whose delay is shorter waits for those before.
Law 2: while the way is cut nothing goes on and nothing is lost, as with a network that comes back before anybody gave up.
Law 3: what waits is bounded: beyond `full`, nothing more is to be read from the sender.
"""

from __future__ import annotations

from collections import deque

import msgspec

from cluster.core.types import Dice, Micros
from cluster.faults import LinkFault, decide

WAITING_BYTES_MAX = 256 * 1024


class Lane:
    """`lossy`: pieces are whole messages, so one may be lost. Of a stream's bytes none may."""

    def __init__(self, dice: Dice, *, lossy: bool) -> None:
        self._dice = dice
        self._lossy = lossy
        self._waiting: deque[tuple[Micros, bytes]] = deque()
        self._waiting_bytes = 0
        self._ended = False
        self._fault: LinkFault | None = None
        self._last_due_us: Micros = 0
        self.cut = False

    def obey(self, fault: LinkFault) -> None:
        """From now on. What waits already keeps its moment."""
        self.cut = fault.cut
        self._fault = msgspec.structs.replace(fault, cut=False, loss=fault.loss if self._lossy else 0.0)

    def put(self, piece: bytes, now_us: Micros) -> None:
        for delay_us in decide(self._fault, len(piece), self._dice).delays_us:
            self._last_due_us = max(self._last_due_us, now_us + delay_us)
            self._waiting.append((self._last_due_us, piece))
            self._waiting_bytes += len(piece)

    def end(self) -> None:
        """The sender has no more to say; the receiver learns it behind everything else."""
        self._ended = True

    def take(self, now_us: Micros) -> list[bytes]:
        """What may go on now."""
        taken: list[bytes] = []
        while self._waiting and self._waiting[0][0] <= now_us and not self.cut:
            taken.append(self._waiting.popleft()[1])
            self._waiting_bytes -= len(taken[-1])
        return taken

    @property
    def full(self) -> bool:
        return self._waiting_bytes > WAITING_BYTES_MAX

    @property
    def over(self) -> bool:
        """Everything has gone on, and there will be no more."""
        return self._ended and not self._waiting and not self.cut

    @property
    def next_due_us(self) -> Micros | None:
        """When to take again; None while nothing waits, or nothing may pass."""
        return self._waiting[0][0] if self._waiting and not self.cut else None
