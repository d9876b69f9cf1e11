"""A client's connection to one node: pipelined requests, each with an honest outcome.

Law 1: "fail" only for what was certainly not done: it never left this process, or the node said so.
Law 2: whatever was sent and not answered is "unknown", however the connection ended: it may have happened, or may yet.
Law 3: a request is sent at most once.
"""

from __future__ import annotations

import asyncio
from typing import Final, cast

from cluster import wire
from cluster.core.errors import ProtocolError
from cluster.core.kv.ops import Operation, Reply, Watch
from cluster.core.types import Micros
from cluster.framing import FrameSplitter
from cluster.workload.stream import Stream

HOST: Final = "127.0.0.1"
INFLIGHT_MAX: Final = 1_024


class Connection:
    """To one node's `port`. Connects by itself when a request needs it, and again after a loss."""

    def __init__(self, name: str, port: int, secret: bytes) -> None:
        self.name, self.port = name, port
        self._secret = secret
        self._wire: _Wire | None = None
        self._connecting = asyncio.Lock()
        self._next_id = 0

    @property
    def connected(self) -> bool:
        return self._wire is not None and self._wire.up

    async def request(self, operation: Operation, timeout_us: Micros) -> Reply:
        """Ask the node; never raises but for cancellation. The timeout covers connecting, too."""
        sent = False
        try:
            async with asyncio.timeout(timeout_us / 1e6):
                connection = await self._connect()
                if len(connection.waiting) >= INFLIGHT_MAX:
                    return Reply("fail", error="too many requests in flight")
                self._next_id += 1
                answer = connection.ask(self._next_id, operation)
                sent = True
                return await answer
        except TimeoutError:
            return Reply("unknown", error="timeout") if sent else Reply("fail", error="no connection in time")
        except OSError as error:
            return Reply("fail", error=f"no connection: {error.strerror or error}")
        except ProtocolError as error:
            return Reply("fail", error=str(error))

    async def watch(self, watch: Watch, timeout_us: Micros) -> Stream:
        """Begin a watch; never raises but for cancellation. Without a connection in time the stream ends at once, as unknown."""
        try:
            async with asyncio.timeout(timeout_us / 1e6):
                connection = await self._connect()
                self._next_id += 1
                return connection.watch(self._next_id, watch)
        except TimeoutError:
            return _stillborn("no connection in time")
        except (OSError, ProtocolError) as error:
            return _stillborn(f"no connection: {error}")

    def close(self) -> None:
        """Hang up; open requests are unknown."""
        if self._wire is not None:
            self._wire.close()
            self._wire = None

    async def _connect(self) -> _Wire:
        """The open connection, or a new one. Raises `OSError` or `ProtocolError` when there is none to be had."""
        async with self._connecting:
            if self._wire is None or not self._wire.up:
                fresh = _Wire(self.name, self._secret)
                try:
                    await asyncio.get_running_loop().create_connection(lambda: fresh, HOST, self.port)
                    await fresh.accepted
                except BaseException:
                    fresh.close()
                    raise
                self._wire = fresh
            return self._wire


class _Wire(asyncio.Protocol):
    """One TCP connection, from the handshake to its end."""

    def __init__(self, name: str, secret: bytes) -> None:
        self._name, self._secret = name, secret
        self._splitter = FrameSplitter()
        self._transport: asyncio.Transport | None = None
        self.accepted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting: dict[int, asyncio.Future[Reply]] = {}
        self.streams: dict[int, Stream] = {}

    @property
    def up(self) -> bool:
        """Accepted, and not yet lost."""
        return self._transport is not None and self.accepted.done() and not self._transport.is_closing()

    def ask(self, request_id: int, operation: Operation) -> asyncio.Future[Reply]:
        """Send one request. Raises `ProtocolError`, with nothing sent, when it is too large."""
        frame = wire.CLIENT.encode(wire.ClientRequest(request_id, operation))
        assert self._transport is not None, "a request needs an accepted connection"
        answer: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self.waiting[request_id] = answer
        # Also when the caller gives up: a late answer then finds nobody, and the entry is gone.
        answer.add_done_callback(lambda _: self.waiting.pop(request_id, None))
        self._transport.write(frame)
        return answer

    def watch(self, request_id: int, watch: Watch) -> Stream:
        stream = self.streams[request_id] = Stream(request_id, lambda operation: self._send(request_id, operation))
        self._send(request_id, watch)
        return stream

    def _send(self, request_id: int, operation: Operation) -> None:
        """Without waiting for an answer of its own. What is sent to nobody is lost, as its stream will say."""
        if self._transport is not None:
            self._transport.write(wire.CLIENT.encode(wire.ClientRequest(request_id, operation)))

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()
        self._fail(ProtocolError("connection closed"))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass

    def data_received(self, data: bytes) -> None:
        try:
            for body in self._splitter.feed(data):
                if self.accepted.done():
                    for reply in wire.replies_in(body):
                        self._answered(reply)
                else:
                    self._shake(wire.HANDSHAKE.decode_body(body))
        except ProtocolError as error:
            self._fail(error)
            self.close()

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self._fail(ProtocolError("the node closed the connection"))

    def _shake(self, message: wire.Handshake) -> None:
        assert self._transport is not None
        if isinstance(message, wire.Challenge):
            proof = wire.prove(self._secret, message.nonce, "client", self._name, 0)
            self._transport.write(wire.HANDSHAKE.encode(proof))
        elif isinstance(message, wire.Accepted):
            self.accepted.set_result(None)
        else:
            raise ProtocolError("a node does not send proofs")

    def _answered(self, message: wire.ClientReply) -> None:
        stream = self.streams.get(message.id)
        if stream is not None and not stream.feed(message.reply):
            del self.streams[message.id]
        answer = self.waiting.pop(message.id, None)
        if answer is not None and not answer.done():
            answer.set_result(message.reply)

    def _fail(self, error: ProtocolError) -> None:
        """Whoever waits for the handshake hears why there is none; whoever waits for an answer will not know."""
        if not self.accepted.done():
            self.accepted.set_exception(error)
            self.accepted.exception()  # nobody may be waiting any more, and that is no defect
        waiting, self.waiting = self.waiting, {}
        for answer in waiting.values():
            if not answer.done():
                answer.set_result(Reply("unknown", error="connection lost"))
        streams, self.streams = self.streams, {}
        for stream in streams.values():
            stream.feed(Reply("unknown", error="connection lost"))


def _stillborn(reason: str) -> Stream:
    stream = Stream(0, lambda operation: None)
    stream.feed(Reply("unknown", error=reason))
    return stream
