"""A proxy on one link, between one process and what it talks to: the bytes of servers that are not ours, or the calls of our own.

Law 1: a cut is a black hole: nothing goes on, nothing is refused, nobody hears of it. Only a reset tears connections down.
Law 2: what waits in it is bounded, by not reading on; what it cannot read is answered by hanging up.
Law 3: it says that it acts by new rules when it does, and not before.

Args: `src`, `dst`; `listen` and `target`, a port of 127.0.0.1 (a target also HOST:PORT), or a socket's path; `calls`, whether what passes
are our own calls; `delay_ms` and `jitter_ms` of the healthy link.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import cast

from cluster.core.errors import ProtocolError
from cluster.faults import LinkFault, compose_links
from cluster.framing import HEADER_BYTES, FrameSplitter
from cluster.monotonic import now_us
from scenarios.control import Caught as CaughtWord
from scenarios.control import Route, Routed
from scenarios.kit.calls import ANSWERS, CALLS
from scenarios.kit.process import Process
from scenarios.kit.proxy_answers import OpenCalls, Snares
from scenarios.kit.proxy_lane import Lane
from scenarios.links import STANDS, Rule

CONNECTIONS_MAX = 256
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER for no time at all: the kernel says RST instead of FIN


async def main(process: Process) -> None:
    proxy = Proxy(process)
    process.obey_route = proxy.obey
    await proxy.open()
    process.trace(STANDS, src=process.args["src"], dst=process.args["dst"])
    await process.for_ever()


class Proxy:
    """Its rules, and its open connections."""

    def __init__(self, process: Process) -> None:
        args = process.args
        self.process = process
        self.calls: bool = args["calls"]
        self.snares = Snares()
        src, dst = args["src"], args["dst"]
        self._healthy = {
            pair: LinkFault(*pair, delay_us=round(args["delay_ms"] * 1_000), jitter_us=round(args["jitter_ms"] * 1_000))
            for pair in ((src, dst), (dst, src))
        }
        self._there, self._back = (Rule(fault) for fault in self._healthy.values())
        self._connections: set[_Connection] = set()
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        loop, listen = asyncio.get_running_loop(), self.process.args["listen"]
        if isinstance(listen, int):
            self._server = await loop.create_server(self._accept, "127.0.0.1", listen)
        else:
            self._server = await loop.create_unix_server(self._accept, listen)

    def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for connection in tuple(self._connections):
            connection.reset()

    def _accept(self) -> asyncio.Protocol:
        return _Connection(self).near

    async def dial(self, far: asyncio.Protocol) -> None:
        """To the other end. Raises `OSError`."""
        loop, target = asyncio.get_running_loop(), self.process.args["target"]
        if "/" in target:
            await loop.create_unix_connection(lambda: far, target)
        else:
            host, _, port = target.rpartition(":")
            await loop.create_connection(lambda: far, host or "127.0.0.1", int(port))

    # ---- rules --------------------------------------------------------------------------------------------------

    def obey(self, route: Route) -> None:
        resets = self._there.resets + self._back.resets
        self._there, self._back = route.there, route.back
        self.snares.obey(route.there.answers)
        for connection in tuple(self._connections):
            if route.there.resets + route.back.resets > resets:
                connection.reset()
            else:
                connection.obey()
        self.process.say(Routed(self.process.name, route.version))

    @property
    def refuses(self) -> bool:
        if len(self._connections) < CONNECTIONS_MAX:
            return self._there.refused or self._back.refused
        self.process.trace("proxy.full")
        return True

    @property
    def faults(self) -> tuple[LinkFault, LinkFault]:
        """There and back, on top of what the healthy link is like."""
        there, back = self._healthy.values()
        return compose_links(there, self._there.fault), compose_links(back, self._back.fault)

    def opened(self, connection: _Connection) -> None:
        self._connections.add(connection)

    def closed(self, connection: _Connection) -> None:
        self._connections.discard(connection)


class _Connection:
    """A client's connection, and the one that it was meant to be."""

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy
        there, back = (Lane(proxy.process.rng, lossy=proxy.calls) for _ in range(2))
        self._open_calls = OpenCalls(proxy.snares)
        self.near = _End(self, sends=there, gets=back)
        self.far = _End(self, sends=back, gets=there)
        self._dialling = False

    def connected(self, end: _End) -> None:
        if end is self.near:
            if self.proxy.refuses:
                self.reset()
                return
            self.proxy.opened(self)
        self.obey()

    def obey(self) -> None:
        """The rules of this moment."""
        there, back = self.proxy.faults
        self.near.sends.obey(there)
        self.far.sends.obey(back)
        if not (there.cut or back.cut or self._dialling):  # neither a call for a connection nor its echo would come through
            self._dialling = True
            self.proxy.process.tasks.create_task(self._dial())
        self.pump()

    def pump(self) -> None:
        """Both ways: first what is due goes on, then each end reads on if there is room for more."""
        for end in (self.near, self.far):
            end.flush()
        for end in (self.near, self.far):
            end.breathe()

    async def _dial(self) -> None:
        try:
            await self.proxy.dial(self.far)
        except OSError:
            self.reset()

    def look(self, end: _End, body: bytes) -> tuple[float, bool]:
        """At one frame of our own calls: for how many milliseconds to hold it, and whether to let it pass. Raises `ProtocolError`."""
        if end is self.near:
            self._open_calls.passes(CALLS.decode_body(body))
            return 0.0, True
        caught = self._open_calls.of(ANSWERS.decode_body(body))
        if caught is None:
            return 0.0, True
        process = self.proxy.process
        process.trace("proxy.held" if caught.fault.hold_ms else "proxy.ate", field=caught.fault.field, value=caught.value)
        process.say(CaughtWord(process.name, caught.fault.step, caught.value))
        return caught.fault.hold_ms or 0.0, caught.fault.hold_ms is not None

    def garbage(self) -> None:
        self.proxy.process.trace("proxy.garbage")
        self.reset()

    def lost(self, end: _End) -> None:
        """One end is gone; the other hears of it behind everything else that was sent to it."""
        end.sends.end()
        self.pump()
        if not (self.near.open or self.far.open):
            self.proxy.closed(self)

    def reset(self) -> None:
        self.near.abort()
        self.far.abort()
        self.proxy.closed(self)


class _End(asyncio.Protocol):
    """One of a connection's two sockets. What it receives it puts into `sends`; what it gets is written to it when it is due."""

    def __init__(self, connection: _Connection, sends: Lane, gets: Lane) -> None:
        self.sends = sends
        self._gets = gets
        self._connection = connection
        self._frames = FrameSplitter()
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._aborted = False
        self._stuffed = False  # its receiver does not read
        self.open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.open = True
        if self._aborted:  # while it was being dialled
            self.abort()
        else:
            self._connection.connected(self)

    def data_received(self, data: bytes) -> None:
        if not self._connection.proxy.calls:
            self.sends.put(data, now_us())
        else:
            try:
                for body in self._frames.feed(data):
                    self._pass(body)
            except ProtocolError:
                self._connection.garbage()
                return
        self._connection.pump()

    def _pass(self, body: bytes) -> None:
        hold_ms, passes = self._connection.look(self, body)
        frame = len(body).to_bytes(HEADER_BYTES, "big") + body
        if hold_ms:
            asyncio.get_running_loop().call_later(hold_ms / 1_000, self._held, frame)
        elif passes:
            self.sends.put(frame, now_us())

    def _held(self, frame: bytes) -> None:
        self.sends.put(frame, now_us())
        self._connection.pump()

    def flush(self) -> None:
        """Write what is due, and set the clock for what is not."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._transport is None or not self.open or self._stuffed:
            return
        for piece in self._gets.take(now_us()):
            self._transport.write(piece)
        if self._gets.over:
            self._transport.close()
        elif (due_us := self._gets.next_due_us) is not None:
            self._timer = asyncio.get_running_loop().call_later(max(0, due_us - now_us()) / 1e6, self._connection.pump)

    def breathe(self) -> None:
        """Read on while there is room, and while the way is open: of one that is cut not even the end is noticed."""
        if self._transport is None or not self.open:
            return
        if self.sends.cut or self.sends.full:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def pause_writing(self) -> None:
        self._stuffed = True

    def resume_writing(self) -> None:
        self._stuffed = False
        self._connection.pump()

    def abort(self) -> None:
        self._aborted = True
        if self._transport is not None and self.open:
            sock = self._transport.get_extra_info("socket")
            if sock.family != socket.AF_UNIX:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self.open = False
        if self._timer is not None:
            self._timer.cancel()
        self._connection.lost(self)
