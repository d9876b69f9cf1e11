"""Clients of the key-value store, on the node's TCP port: pipelined requests, answers as they become known.

Law 1: a request that was not taken in is answered "fail": it has certainly not happened.
Law 2: a client may have so many requests open and no more, and is not read from while it does not read its answers.
Law 3: a watch is a request with many answers; it counts as open until its last one, and ends with its client.
Law 4: all that becomes known for a client in one turn is one frame and one write.
"""

from __future__ import annotations

import asyncio
from typing import Final

from cluster import wire
from cluster.core.effects import FromClient
from cluster.core.errors import ProtocolError
from cluster.core.kv.ops import Acknowledge, Reply, Unwatch, Watch
from cluster.node.inbox import Inbox

INFLIGHT_MAX: Final = 1_024
# A scan's answer must fit one frame; the rest is left out and the client told so.
_ANSWER_TOO_LARGE = "the answer does not fit a frame: ask for fewer keys"
_ABOUT_A_WATCH: Final = frozenset({Acknowledge, Unwatch})


class ClientPort:
    """All client sessions of a node, and which open request belongs to whom."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self._open: dict[int, tuple[ClientSession, int]] = {}  # token -> (session, the client's own id)
        self._token = 0
        self._written: dict[ClientSession, None] = {}

    def open(self, proof: wire.Proof, transport: asyncio.Transport) -> ClientSession:
        """A client has proved itself."""
        return ClientSession(self, transport)

    def ask(self, session: ClientSession, requests: list[wire.ClientRequest]) -> None:
        """Hand the requests of one read to the node, or refuse them."""
        taken: list[FromClient] = []
        room = self._inbox.room
        for request in requests:
            operation, kind = request.operation, type(request.operation)
            if kind in _ABOUT_A_WATCH:
                self._take(taken)
                taken, room = [], self._inbox.room
                self._about(session, operation)  # type: ignore[arg-type]
            elif session.inflight >= INFLIGHT_MAX or request.id in session.watches or len(taken) >= room:
                self._refuse(session, request, full=len(taken) >= room)
            else:
                self._token = token = self._token + 1
                taken.append(FromClient(token, operation))
                self._open[token] = session, request.id
                session.inflight += 1
                if kind is Watch:
                    session.watches[request.id] = token
        self._take(taken)

    def _take(self, taken: list[FromClient]) -> None:
        if taken:
            self._inbox.clients(taken)

    def _refuse(self, session: ClientSession, request: wire.ClientRequest, *, full: bool) -> None:
        if session.inflight >= INFLIGHT_MAX:
            error = "too many requests in flight"
        elif request.id in session.watches:
            error = "this request id is that of an open watch"
        else:
            assert full, "there is no other reason"
            self._inbox.refused()
            error = "overloaded"
        if not session.replies:
            self._written[session] = None
        session.replies.append(wire.ClientReply(request.id, Reply("fail", error=error)))

    def _about(self, session: ClientSession, order: Acknowledge | Unwatch) -> None:
        """What concerns an open watch goes under its token; there is nothing to say to a watch that has ended meanwhile."""
        token = session.watches.get(order.watch)
        if token is not None:
            if isinstance(order, Unwatch):
                session.watches[order.watch] = None  # said once, and the id stays taken until the watch has ended
            self._inbox.watch(token, order)

    def answer(self, token: int, reply: Reply, more: bool = False) -> None:
        """The node's answer to the request that it knows as `token`, the last one unless `more`; the client may be gone by now.

        It leaves with `flush`.
        """
        entry = self._open.get(token) if more else self._open.pop(token, None)
        if entry is not None:
            session, request_id = entry
            if not more:
                session.inflight -= 1
                if session.watches:
                    session.watches.pop(request_id, None)
            if not session.replies:
                self._written[session] = None
            session.replies.append(wire.ClientReply(request_id, reply))

    def flush(self) -> None:
        """One write per session for all answers of this turn."""
        if self._written:
            for session in self._written:
                session.flush()
            self._written.clear()

    def forget(self, session: ClientSession) -> None:
        """The client is gone; what it asked goes on, unheard, but for its watches."""
        self._written.pop(session, None)
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
        self.replies: list[wire.ClientReply] = []
        self._port, self._transport = port, transport

    def bodies(self, bodies: list[bytes]) -> None:
        self._port.ask(self, wire.REQUEST.decode_bodies(bodies))
        if len(self.replies) > INFLIGHT_MAX:
            self.flush()  # refusals of a flood must not pile up until the turn ends

    def flush(self) -> None:
        if self.replies and not self._transport.is_closing():
            self._transport.write(_framed(self.replies))
        self.replies.clear()

    def paused(self, paused: bool) -> None:
        if paused:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def lost(self) -> None:
        self._port.forget(self)


def _framed(replies: list[wire.ClientReply]) -> bytes:
    """In one frame if they fit, else each in its own."""
    try:
        return wire.CLIENT.encode(replies[0] if len(replies) == 1 else wire.ClientReplies(tuple(replies)))
    except ProtocolError:
        return b"".join(map(_alone, replies))


def _alone(reply: wire.ClientReply) -> bytes:
    try:
        return wire.CLIENT.encode(reply)
    except ProtocolError:
        return wire.CLIENT.encode(wire.ClientReply(reply.id, Reply("fail", error=_ANSWER_TOO_LARGE)))
