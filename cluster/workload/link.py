"""A client's line to its supervisor: orders in, history out; its end is the client's end.

Law 1: an `invoke` is in the kernel before its operation is sent (`settled`): the judge may then trust that it has every cause
       once it has read all sockets.
Law 2: EOF ends the process at once: nothing of a lab outlives its supervisor.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from cluster.core.errors import ProtocolError
from cluster.framing import FrameSplitter
from cluster.telemetry.control import ControlMessage, CountAcked, Hello, Meet, RunOnce, SetRate
from cluster.wire import CONTROL

FromSupervisor = SetRate | CountAcked | RunOnce | Meet


class Link(asyncio.Protocol):
    """`obey(message)` for every order; `end()` once when the line is cut."""

    def __init__(self, client: str, obey: Callable[[FromSupervisor], None], end: Callable[[], None]) -> None:
        self._client, self._obey, self._end = client, obey, end
        self._frames = FrameSplitter()
        self._transport: asyncio.Transport | None = None
        self._empty = asyncio.Event()
        self._empty.set()

    def send(self, message: ControlMessage) -> None:
        assert self._transport is not None, "a link sends after it was made"
        self._transport.write(CONTROL.encode(message))

    async def settled(self) -> None:
        """Until everything sent has left this process."""
        await self._empty.wait()

    # ---- asyncio.Protocol ---------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass
        # Any byte that the kernel did not take at once counts as unsettled.
        transport.set_write_buffer_limits(high=0)
        self.send(Hello("client", self._client))

    def pause_writing(self) -> None:
        self._empty.clear()

    def resume_writing(self) -> None:
        self._empty.set()

    def data_received(self, data: bytes) -> None:
        try:
            for body in self._frames.feed(data):
                message = CONTROL.decode_body(body)
                if not isinstance(message, FromSupervisor):
                    raise ProtocolError(f"a supervisor does not say {type(message).__name__} to a client")
                self._obey(message)
        except ProtocolError:
            self._end()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end()
