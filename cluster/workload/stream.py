"""A watch as its client sees it: batches of changes, each acknowledged when the next one is asked for, and a reason at the end.

Law 1: whoever does not take batches gets no more of them: the node holds back, and at last cancels the watch.
Law 2: a stream always ends with a reply: "ok" closed, "fail" with the node's reason, "unknown" when the connection was lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from cluster.core.errors import ProtocolError
from cluster.core.kv.ops import Acknowledge, Changes, Operation, Reply, Unwatch
from cluster.core.kv.watch import CREDIT

# What may wait: the notice that the watch stands, the batches that a node sends unasked, its end and that of the connection.
_WAITING_MAX = CREDIT + 3


class Stream:
    """`async for reply in stream`: replies with `Changes`, the first of them empty; afterwards `end` is the last reply."""

    def __init__(self, request_id: int, send: Callable[[Operation], None]) -> None:
        self.end: Reply | None = None
        self._id, self._send = request_id, send
        self._waiting: asyncio.Queue[Reply] = asyncio.Queue(_WAITING_MAX)
        self._owed = 0
        self._closing = False

    def feed(self, reply: Reply) -> bool:
        """The connection's half: a reply came. Whether the stream goes on."""
        goes_on = isinstance(reply.body, Changes)
        if goes_on and self._waiting.qsize() > CREDIT:
            raise ProtocolError("a node sends more of a watch than was acknowledged")
        self._waiting.put_nowait(reply)
        return goes_on

    def close(self) -> None:
        """Ask for the end; it comes as the stream's last reply."""
        if self.end is None and not self._closing:
            self._closing = True
            self._send(Unwatch(self._id))

    def __aiter__(self) -> Stream:
        return self

    async def __anext__(self) -> Reply:
        if self.end is not None:
            raise StopAsyncIteration
        if self._owed and not self._closing:
            self._send(Acknowledge(self._id, self._owed))
            self._owed = 0
        reply = await self._waiting.get()
        if not isinstance(reply.body, Changes):
            self.end = reply
            raise StopAsyncIteration
        self._owed = 1 if reply.body.changes else 0
        return reply
