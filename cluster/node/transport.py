"""How a node's messages reach the other nodes: TCP for Raft, UDP for gossip, on one port number.

Law 1: the sender of a message is whom the connection proved to be, or who signed the datagram; never what a message
       says.
Law 2: every message passes the fault shim on its way out and on its way in.
Law 3: one encoding per message object, even when it goes to several peers; one write per peer and turn.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Iterable

from cluster import wire
from cluster.core.errors import ProtocolError
from cluster.core.gossip.messages import GossipMessage
from cluster.core.raft.messages import RaftMessage
from cluster.core.types import Dice, Micros, NodeId
from cluster.node.complaints import Complaints
from cluster.node.datagrams import Datagrams
from cluster.node.dialer import Dialer
from cluster.node.failures import PortTaken
from cluster.node.fault_shim import FaultShim
from cluster.node.inbox import Inbox
from cluster.node.lane import Lane
from cluster.node.listener import Door, Identity, Inbound, OpenSession

BACKLOG = 128


class Transport:
    """All of a node's sockets. `open_client` makes the sessions of clients; messages of peers go to `inbox`."""

    def __init__(
        self,
        identity: Identity,
        shim: FaultShim,
        inbox: Inbox,
        open_client: OpenSession,
        complaints: Complaints,
        dice: Dice,
    ) -> None:
        self.sent = 0
        self._identity, self._shim, self._inbox, self._complaints = identity, shim, inbox, complaints
        self._door = Door(identity, {"peer": self._open_peer, "client": open_client}, complaints)
        self._sessions: dict[NodeId, PeerSession] = {}
        self._epochs: dict[NodeId, int] = {}
        self._dice = dice
        self._dialers: dict[NodeId, Dialer] = {}
        self._tasks: asyncio.TaskGroup | None = None
        self._datagrams = Datagrams(identity, self._gossip_heard, complaints)
        self._server: asyncio.Server | None = None
        self._encoded: tuple[RaftMessage, bytes] | None = None
        self._queued: dict[Lane, None] = {}  # in the order of what was sent
        self._dials: list[asyncio.Task[None]] = []

    async def listen(self) -> None:
        """Take the port. Raises `PortTaken`."""
        loop = asyncio.get_running_loop()
        host, port = self._identity.host, self._identity.members[self._identity.node]
        try:
            self._server = await loop.create_server(lambda: Inbound(self._door), host, port, backlog=BACKLOG)
            await loop.create_datagram_endpoint(lambda: self._datagrams, local_addr=(host, port))
        except OSError as error:
            self.close()
            what = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be used: {error.strerror}"
            raise PortTaken(f"{self._identity.node}: port {host}:{port} {what}") from error

    def dial(self, tasks: asyncio.TaskGroup, peers: Iterable[NodeId]) -> None:
        """Begin to keep a connection to each of these; to others once there is something to say to them."""
        self._tasks = tasks
        for peer in peers:
            self._dialer(peer)

    def _dialer(self, peer: NodeId) -> Dialer:
        dialer = self._dialers.get(peer)
        if dialer is None:
            assert peer in self._identity.members, f"{self._identity.node} speaks Raft with {peer}, which does not exist"
            dialer = self._dialers[peer] = Dialer(self._identity, peer, self._complaints, self._dice)
            if self._tasks is not None:
                self._dials.append(self._tasks.create_task(dialer.run(), name=f"dial {peer}"))
        return dialer

    def hang_up(self) -> None:
        """Stop dialling."""
        self._tasks = None
        for dial in self._dials:
            dial.cancel()

    def send_peer(self, to: NodeId, message: RaftMessage, now_us: Micros) -> None:
        """Queue a Raft message; it leaves with `flush`, or when the faults in force let it. `now_us` is true time."""
        if self._encoded is None or self._encoded[0] is not message:
            self._encoded = message, wire.PEER.encode(message)
        self.sent += 1
        if self._shim.faulty:
            self._shim.send(to, self._encoded[1], self._queue, now_us)
        else:
            self._queue(to, self._encoded[1])

    def send_gossip(self, to: NodeId, message: GossipMessage, now_us: Micros) -> None:
        """Send a datagram, or hand it to the faults in force."""
        try:
            data = self._datagrams.seal(to, message)
        except ProtocolError as error:
            self._complaints.add("oversized", f"gossip for {to} not sent: {error}")
            return
        self.sent += 1
        self._shim.send(to, data, self._datagrams.send, now_us)

    def flush(self) -> None:
        """Write what this turn queued: one write per peer."""
        if self._queued:
            for lane in self._queued:
                lane.flush()
            self._queued.clear()
            self._encoded = None

    def lost(self) -> int:
        """Messages that full queues or missing connections have cost so far (not the fault shim)."""
        return self._datagrams.overflowed + sum(d.lane.overflowed + d.lane.unconnected for d in self._dialers.values())

    def connected(self) -> list[NodeId]:
        """Voters to whom a connection stands."""
        return [peer for peer, dialer in self._dialers.items() if dialer.lane.connected]

    def close(self) -> None:
        """Give all sockets back, without waiting for anyone."""
        if self._server is not None:
            self._server.close()
        self._datagrams.close()
        self._door.close()
        for dialer in self._dialers.values():
            dialer.lane.ended()

    def _queue(self, to: NodeId, frame: bytes) -> None:
        lane = (self._dialers.get(to) or self._dialer(to)).lane
        if lane.send(frame):
            self._queued[lane] = None

    def _open_peer(self, proof: wire.Proof, transport: asyncio.Transport) -> PeerSession:
        """A peer has proved itself. Its newest process and newest connection count; older ones are closed or refused."""
        sender = proof.name
        if sender not in self._identity.members or sender == self._identity.node:
            raise ProtocolError(f"{sender!r} is no peer of {self._identity.node}")
        if proof.epoch < self._epochs.get(sender, 0):
            raise ProtocolError(f"{sender} of epoch {proof.epoch} after one of epoch {self._epochs[sender]}")
        self._epochs[sender] = proof.epoch
        if sender in self._sessions:
            self._sessions[sender].transport.abort()
        session = PeerSession(sender, self, transport)
        self._sessions[sender] = session
        if sender in self._dialers:
            self._dialers[sender].hurry()
        return session

    def peer_heard(self, session: PeerSession, messages: list[RaftMessage]) -> None:
        """Messages came in on `session`."""
        peer = session.peer
        if self._sessions.get(peer) is session and messages and self._shim.admits(peer, len(messages)):
            self._inbox.peer(peer, messages)

    def peer_lost(self, session: PeerSession) -> None:
        """`session` has ended."""
        if self._sessions.get(session.peer) is session:
            del self._sessions[session.peer]

    def _gossip_heard(self, sender: NodeId, message: GossipMessage) -> None:
        if self._shim.admits(sender):
            self._inbox.gossip(sender, message)


class PeerSession:
    """An incoming connection of a proven peer: Raft messages, one way."""

    def __init__(self, peer: NodeId, owner: Transport, transport: asyncio.Transport) -> None:
        self.peer, self.transport = peer, transport
        self._owner = owner

    def bodies(self, bodies: list[bytes]) -> None:
        self._owner.peer_heard(self, wire.PEER.decode_bodies(bodies))

    def paused(self, paused: bool) -> None:
        """Nothing is written here, so nothing can pile up."""

    def lost(self) -> None:
        self._owner.peer_lost(self)
