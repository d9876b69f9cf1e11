"""One connection on the control socket: frames in, frames out, and who it turned out to be.

Law 1: the first frame is a `Hello`, within a deadline; whatever else comes first ends the connection.
Law 2: a party that sends nonsense is cut off and counted; the supervisor goes on.
Law 3: what is written to a party that does not read is bounded.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol, cast

from cluster.core.errors import ProtocolError
from cluster.framing import FrameSplitter
from cluster.telemetry.control import ControlMessage, Hello
from cluster.wire import CONTROL

# Nodes, clients and seats are fewer; each connection costs a descriptor.
PARTIES_MAX = 512
_HELLO_WITHIN_S = 2.0
# Before that it may send a few hundred bytes: an announced frame of megabytes from each of many would fill the memory.
_STRANGER_BYTES_MAX = 4_096
_BUFFER_HIGH_BYTES = 512 * 1024
# A party that lets this much pile up beyond the kernel's own buffers will not come back.
_BUFFER_MAX_BYTES = 16 * 1024 * 1024


class Guest(Protocol):
    """What a party becomes once it has said who it is."""

    def heard(self, message: ControlMessage) -> None:
        """Raises `ProtocolError` for what this kind of guest may not say."""
        ...

    def writable(self) -> None:
        """The party reads again."""
        ...

    def left(self) -> None:
        """The connection is gone."""
        ...


class Party(asyncio.Protocol):
    """`greet(party, hello)` makes the guest, or raises `ProtocolError`; `refused` hears why one was cut off.

    `present`: all parties with a connection, kept by themselves.
    """

    def __init__(self, greet: Callable[[Party, Hello], Guest], refused: Callable[[str], None], present: set[Party]) -> None:
        self._greet = greet
        self._refused = refused
        self._present = present
        self._guest: Guest | None = None
        self._frames = FrameSplitter()
        self._transport: asyncio.Transport | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self.busy = False  # the other side does not read: what can wait should

    # ---- outwards -----------------------------------------------------------------------------------------------

    def send(self, message: ControlMessage) -> None:
        self.write(CONTROL.encode(message))

    def write(self, frame: bytes) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        transport.write(frame)
        if transport.get_write_buffer_size() > _BUFFER_MAX_BYTES:
            self._refused("a party did not read what was sent to it")
            transport.abort()

    def close(self) -> None:
        """After what is written has been sent."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    # ---- asyncio.Protocol ---------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass
        self._present.add(self)
        if len(self._present) > PARTIES_MAX:
            self._refused(f"more than {PARTIES_MAX} parties at once")
            self.abort()
            return
        transport.set_write_buffer_limits(high=_BUFFER_HIGH_BYTES)
        self._deadline = asyncio.get_running_loop().call_later(_HELLO_WITHIN_S, self._silent)

    def data_received(self, data: bytes) -> None:
        try:
            for body in self._frames.feed(data):
                self._take(CONTROL.decode_body(body))
            if self._guest is None and self._frames.waiting_bytes > _STRANGER_BYTES_MAX:
                raise ProtocolError(f"more than {_STRANGER_BYTES_MAX} bytes before Hello")
        except ProtocolError as error:
            self._refused(str(error))
            self.abort()

    def _take(self, message: ControlMessage) -> None:
        if self._guest is not None:
            self._guest.heard(message)
            return
        if not isinstance(message, Hello):
            raise ProtocolError(f"{type(message).__name__} before Hello")
        self._stop_deadline()
        self._guest = self._greet(self, message)

    def _silent(self) -> None:
        self._refused(f"no Hello within {_HELLO_WITHIN_S:g} s")
        self.abort()

    def _stop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def pause_writing(self) -> None:
        self.busy = True

    def resume_writing(self) -> None:
        self.busy = False
        if self._guest is not None:
            self._guest.writable()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_deadline()
        self._present.discard(self)
        if self._guest is not None:
            self._guest.left()
