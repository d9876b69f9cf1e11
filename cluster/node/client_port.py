"""Clients of the key-value store, on the node's TCP port: pipelined requests, answers as they become known.

Law 1: a request that was not taken in is answered "fail": it has certainly not happened.
Law 2: a client may have so many requests open and no more, and is not read from while it does not read its answers.
Law 3: a watch is a request with many answers; it counts as open until its last one, and ends with its client.
"""

from __future__ import annotations

import asyncio
from typing import Final

from cluster import wire
from cluster.core.errors import ProtocolError
from cluster.core.kv.limits import unfit
from cluster.core.kv.ops import Acknowledge, Reply, Unwatch, Watch
from cluster.node.inbox import Inbox

INFLIGHT_MAX: Final = 1_024
# A scan's answer must fit one frame; the rest is left out and the client told so.
_ANSWER_TOO_LARGE = "the answer does not fit a frame: ask for fewer keys"


class ClientPort:
    """All client sessions of a node, and which open request belongs to whom."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self._open: dict[int, tuple[ClientSession, int]] = {}  # token -> (session, the client's own id)
        self._token = 0
        self._written: set[ClientSession] = set()

    def open(self, proof: wire.Proof, transport: asyncio.Transport) -> ClientSession:
        """A client has proved itself."""
        return ClientSession(self, transport)

    def ask(self, session: ClientSession, request: wire.ClientRequest) -> None:
        """Hand a request to the node, or refuse it."""
        if isinstance(request.operation, (Acknowledge, Unwatch)):
            self._about(session, request.operation)
        elif error := self._refusal(session, request):
            self.reply(session, request.id, Reply("fail", error=error))
        else:
            self._token += 1
            if self._inbox.client(self._token, request.operation):
                self._open[self._token] = session, request.id
                session.inflight += 1
                if isinstance(request.operation, Watch):
                    session.watches[request.id] = self._token
            else:
                self.reply(session, request.id, Reply("fail", error="overloaded"))

    def _refusal(self, session: ClientSession, request: wire.ClientRequest) -> str:
        if session.inflight >= INFLIGHT_MAX:
            return "too many requests in flight"
        if request.id in session.watches:
            return "this request id is that of an open watch"
        return unfit(request.operation)

    def _about(self, session: ClientSession, order: Acknowledge | Unwatch) -> None:
        """What concerns an open watch goes under its token; there is nothing to say to a watch that has ended meanwhile."""
        token = session.watches.get(order.watch)
        if token is not None:
            if isinstance(order, Unwatch):
                session.watches[order.watch] = None  # said once, and the id stays taken until the watch has ended
            self._inbox.watch(token, order)

    def answer(self, token: int, reply: Reply, more: bool = False) -> None:
        """The node's answer to the request that it knows as `token`, the last one unless `more`; the client may be gone by now."""
        entry = self._open.get(token)
        if entry is not None:
            session, request_id = entry
            if not more:
                del self._open[token]
                session.inflight -= 1
                session.watches.pop(request_id, None)
            self.reply(session, request_id, reply)

    def reply(self, session: ClientSession, request_id: int, reply: Reply) -> None:
        """Queue an answer; it leaves with `flush`."""
        try:
            frame = wire.CLIENT.encode(wire.ClientReply(request_id, reply))
        except ProtocolError:
            frame = wire.CLIENT.encode(wire.ClientReply(request_id, Reply("fail", error=_ANSWER_TOO_LARGE)))
        session.answers.append(frame)
        self._written.add(session)

    def flush(self) -> None:
        """One write per session for all answers of this turn."""
        for session in self._written:
            session.flush()
        self._written.clear()

    def forget(self, session: ClientSession) -> None:
        """The client is gone; what it asked goes on, unheard, but for its watches."""
        self._written.discard(session)
        for request_id, token in session.watches.items():
            if token is not None:
                self._inbox.watch(token, Unwatch(request_id))
        if session.inflight:
            self._open = {token: entry for token, entry in self._open.items() if entry[0] is not session}


class ClientSession:
    """One client's connection."""

    def __init__(self, port: ClientPort, transport: asyncio.Transport) -> None:
        self.inflight = 0
        self.watches: dict[int, int | None] = {}  # request id -> token; None: its end is asked for
        self.answers: list[bytes] = []
        self._port, self._transport = port, transport

    def body(self, body: bytes) -> None:
        message = wire.CLIENT.decode_body(body)
        if not isinstance(message, wire.ClientRequest):
            raise ProtocolError("a client sent a reply")
        self._port.ask(self, message)
        if len(self.answers) > INFLIGHT_MAX:
            self.flush()  # refusals of a flood inside one read must not pile up until the turn ends

    def flush(self) -> None:
        if self.answers and not self._transport.is_closing():
            self._transport.write(b"".join(self.answers))
        self.answers.clear()

    def paused(self, paused: bool) -> None:
        if paused:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def lost(self) -> None:
        self._port.forget(self)
