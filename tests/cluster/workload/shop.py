"""A real client port without a replica behind it: the test gives the answers."""

from __future__ import annotations

import asyncio

from cluster.core.kv.ops import Reply
from cluster.node.client_port import ClientPort
from cluster.node.complaints import Complaints
from cluster.node.inbox import Inbox
from cluster.node.listener import Door, Identity, Inbound

SECRET = b"a secret of this run"


class Shop:
    """One node's port."""

    def __init__(self) -> None:
        self.arrived = asyncio.Event()
        self.inbox = Inbox(self.arrived.set)
        self.clients = ClientPort(self.inbox)
        self.complaints = Complaints(lambda text: None, lambda: 0)
        self.door = Door(Identity("n1", 1, {"n1": 0}, SECRET), {"client": self.clients.open}, self.complaints)
        self.server: asyncio.Server | None = None
        self.port = 0

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        self.server = await loop.create_server(lambda: Inbound(self.door), "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]

    async def requests(self, number: int) -> list[tuple[int, object]]:
        """The next `number` requests as (token, operation)."""
        taken: list[tuple[int, object]] = []
        async with asyncio.timeout(10):
            while len(taken) < number:
                for batch in self.inbox.take():
                    taken += [(each.token, each.operation) for each in batch.requests]  # type: ignore[union-attr]
                if len(taken) < number:
                    self.arrived.clear()
                    await self.arrived.wait()
        return taken

    def answer(self, token: int, reply: Reply, more: bool = False) -> None:
        self.clients.answer(token, reply, more)
        self.clients.flush()

    def close(self) -> None:
        assert self.server is not None
        self.server.close()
        self.door.close()
