"""The node's line to its supervisor: plans and orders come in, telemetry goes out, and its end is the node's end.

Law 1: EOF ends the process at once: nothing of a lab outlives its supervisor.
Law 2: of the periodic state only the newest waits; what it replaces is counted.
Law 3: urgent events wait in order, up to a bound; beyond it they are dropped, and `TelemetryLost` says how many as
       soon as anything can be said again.
Law 4: what only a monitor reads (how far a leader has committed, what was applied) leaves with the next urgent event, or
       within `EVIDENCE_US`: a write to the supervisor for each commit would cost as much as the commit's answer. Killed in
       between, a node takes that much of its evidence with it; what clients were told is judged from their own records.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final, cast

from cluster import wire
from cluster.core.errors import ProtocolError
from cluster.core.types import MS, Micros, NodeId
from cluster.framing import FrameSplitter
from cluster.monotonic import now_us as true_us
from cluster.node.failures import NoSupervisor
from cluster.telemetry.control import Batch, ControlMessage, Do, Hello, Meet, SetPlan, SetPolicy
from cluster.telemetry.events import NodeEvent, NodeState, TelemetryLost

ForNode = SetPlan | SetPolicy | Do | Meet
URGENT_MAX: Final = 4_096
BATCH_MAX: Final = 256
# How long evidence may wait for company.
EVIDENCE_US: Final[Micros] = 10 * MS
# Beyond this the supervisor is not reading: what comes next waits here, where it can be counted and replaced.
BUFFER_BYTES_HIGH: Final = 128 * 1024


class ControlLink(asyncio.Protocol):
    """`obey(message)` gets plans and orders; `end(reason)` is called once when the line is cut ("" for a plain EOF)."""

    def __init__(self, node: NodeId, obey: Callable[[ForNode], None], end: Callable[[str], None]) -> None:
        self.telemetry_lost = 0
        self._node, self._obey, self._end = node, obey, end
        self._splitter = FrameSplitter()
        self._transport: asyncio.Transport | None = None
        self._full = False
        self._urgent: deque[NodeEvent] = deque()
        self._hurry = False  # something of it is more than evidence
        self._flushed_us: Micros = 0
        self._safety_lost = 0
        self._state: NodeState | None = None

    # ---- telemetry

    def urgent(self, event: NodeEvent) -> None:
        """Queue an event that may not be lost; it leaves with the next `flush` or `trickle`."""
        self._hurry = True
        self.evidence(event)

    def evidence(self, event: NodeEvent) -> None:
        """The same for one that nobody waits for (Law 4)."""
        if len(self._urgent) >= URGENT_MAX:
            self._safety_lost += 1
            self.telemetry_lost += 1
            return
        self._urgent.append(event)

    def periodic(self, state: NodeState) -> None:
        """Offer the newest state, in place of one that could not leave yet."""
        if self._state is not None:
            self.telemetry_lost += 1
        self._state = state

    def trickle(self, now_us: Micros) -> None:
        """The end of a turn: send what waits, if it is time (Law 4)."""
        if (self._urgent and (self._hurry or now_us - self._flushed_us >= EVIDENCE_US)) or self._safety_lost or self._state is not None:
            self._flushed_us = now_us
            self.flush()

    def flush(self) -> None:
        """Send what waits, as far as the supervisor reads."""
        self._hurry = False
        while not self._full and (self._urgent or self._state is not None or self._safety_lost):
            self._write(Batch(tuple(self._next_events())))

    def _next_events(self) -> list[NodeEvent]:
        events: list[NodeEvent] = []
        while self._urgent and len(events) < BATCH_MAX:
            events.append(self._urgent.popleft())
        if not self._urgent and self._safety_lost:
            # Where the gap is: after everything that was queued before the bound was reached.
            events.append(TelemetryLost(self._node, true_us(), self._safety_lost))
            self._safety_lost = 0
        if not self._urgent and self._state is not None:
            events.append(self._state)
            self._state = None
        return events

    def _write(self, message: ControlMessage) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(wire.CONTROL.encode(message))

    # ---- the connection

    def greet(self, epoch: int) -> None:
        """The first frame: who speaks."""
        self._write(Hello("node", self._node, epoch))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass
        transport.set_write_buffer_limits(high=BUFFER_BYTES_HIGH)

    def data_received(self, data: bytes) -> None:
        try:
            for body in self._splitter.feed(data):
                message = wire.CONTROL.decode_body(body)
                if not isinstance(message, ForNode):
                    raise ProtocolError(f"a supervisor does not send {type(message).__name__}")
                self._obey(message)
        except ProtocolError as error:
            # Garbage from the one party that a node must obey: it cannot know what it missed, so it ends.
            self._finish(f"control connection: {error}")

    def eof_received(self) -> None:
        self._finish("")

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self._finish("")

    def pause_writing(self) -> None:
        self._full = True

    def resume_writing(self) -> None:
        self._full = False
        self.flush()

    def close(self) -> None:
        """Hang up after what was written is on its way; `end` is not called."""
        self._end = _no_one
        if self._transport is not None:
            self._transport.close()

    def _finish(self, reason: str) -> None:
        end, self._end = self._end, _no_one
        end(reason)


def _no_one(reason: str) -> None:
    """The end has been told already."""


async def connect(link: ControlLink, path: str, epoch: int) -> None:
    """Connect `link` to the supervisor's socket and say who speaks. Raises `NoSupervisor`."""
    try:
        await asyncio.get_running_loop().create_unix_connection(lambda: link, path)
    except OSError as error:
        raise NoSupervisor(f"control socket {path}: {error.strerror or error}") from error
    link.greet(epoch)
