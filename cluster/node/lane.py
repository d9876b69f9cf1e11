"""What goes to one peer: frames wait for the end of a turn, and leave in one write on the connection that there is.

Law 1: without a connection a message is dropped at once: Raft sends again what still matters, and stale news only
       harms.
Law 2: when the peer reads too slowly, the newest messages are dropped, not the oldest: what is delivered then has no
       gap.
"""

from __future__ import annotations

import asyncio
from typing import Final

from cluster.core.types import FRAME_BYTES_MAX

# What may wait in the process for one peer: some of the largest frames.
QUEUE_BYTES_MAX: Final = 4 * FRAME_BYTES_MAX


class Lane:
    """`send` queues, `flush` writes what was queued. `full`: the connection asks to wait."""

    def __init__(self) -> None:
        self.overflowed = 0  # messages dropped because the peer reads too slowly
        self.unconnected = 0  # messages dropped for want of a connection
        self.full = False
        self._connection: asyncio.Transport | None = None
        self._queue: list[bytes] = []
        self._queued_bytes = 0

    @property
    def connected(self) -> bool:
        return self._connection is not None

    def send(self, frame: bytes) -> bool:
        """Queue one frame for `flush`; False when it was dropped, and counted."""
        if self._connection is None:
            self.unconnected += 1
            return False
        if self._queued_bytes + len(frame) > QUEUE_BYTES_MAX:
            self.overflowed += 1
            return False
        self._queue.append(frame)
        self._queued_bytes += len(frame)
        return True

    def flush(self) -> None:
        """One write for all that was queued since the last, unless the connection is full."""
        if self._queue and self._connection is not None and not self.full:
            queue = self._queue
            self._connection.write(queue[0] if len(queue) == 1 else b"".join(queue))
            queue.clear()
            self._queued_bytes = 0

    def opened(self, connection: asyncio.Transport) -> None:
        """The peer has accepted this one."""
        self._connection, self.full = connection, False

    def ended(self) -> None:
        """Nothing that waited for the old connection goes to the new one."""
        if self._connection is not None:
            self._connection.abort()
        self._connection = None
        self._queue.clear()
        self._queued_bytes = 0
