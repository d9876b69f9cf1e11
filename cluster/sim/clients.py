"""Clients in virtual time: one operation after the other, and an exact history of what they asked and heard.

Law 1: no value is ever written twice; hot keys are left behind after some two hundred operations (unknown outcomes stay open in a
       checker for ever); a slot has one writer and a number that only rises.
Law 2: an unknown outcome ends the logical process that asked; the client goes on as another one.
Law 3: reads have no effect, so one without an answer has failed; writes without an answer are unknown.
Law 4: half of the clients ask again what they have no answer to, in sessions; to the history that is one operation. An attempt that
       certainly failed says nothing of those before it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cluster.core.effects import FromClient
from cluster.core.kv.ops import LEASE, LINEARIZABLE, NO_SESSION, Cas, Get, OpenSession, Operation, Put, Reply
from cluster.core.kv.retries import Retries, Wish
from cluster.core.policy import ClientPolicy
from cluster.core.types import MS, Micros, NodeId
from cluster.sim.dice import SeededDice
from cluster.sim.eras import HOT_KEYS
from cluster.telemetry.control import SLOT_PREFIX, HistoryLine
from cluster.telemetry.histories import asked, outcome

if TYPE_CHECKING:
    from cluster.sim.world import World

SLOTS = 16
TIMEOUTS_US: tuple[Micros, ...] = (150 * MS, 400 * MS, 800 * MS)
# Now and then a client asks somebody else, as if its leader had been forgotten: whoever is alone at an old leader learns nothing.
ROAMS = 0.05
ATTEMPTS_MAX = 4  # of a client that asks again
PERSISTENT = 0.5  # of the clients
_TRIP_US: Micros = 150
# Out of a hundred, reads: some clients do little else, and so are not held up by a write that an old leader cannot commit.
_READS = (40, 40, 95)
# How many of the reads a client that may trust leases does by lease. Whoever does nothing else, and only reads, stays at a leader for
# as long as it answers: no other operation tells such a client that nobody follows its leader any more.
_LEASE_SHARES = (0.5, 0.5, 1.0)
_LOYAL = 1.0
# Out of a hundred that are no reads, writes and compare-and-sets; the rest goes to slots.
_WRITES, _SWAPS = 42, 25


_F: dict[type, str] = {Get: "read", Put: "write", Cas: "cas"}


class Client:
    """`begin` is its own clockwork; the host calls `answered` and `lost`."""

    def __init__(self, world: World, number: int, think_us: Micros, *, lease_reads: bool = False) -> None:
        self._world, self.number, self._think_us = world, number, think_us
        self._dice = SeededDice(world.setup.seed, "client", number)
        self._random = self._dice.random
        self.process = number
        self._voters = world.setup.voters
        self.target: NodeId = self._dice.choice(self._voters)
        self._timeout_us = self._dice.choice(TIMEOUTS_US)
        self._reads = self._dice.choice(_READS)
        self._leases = self._lease_share() if lease_reads else 0.0
        self.promised: dict[str, int] = {}  # slot -> last acknowledged number
        self._written = 0
        self._seen: dict[str, str | None] = {}  # the last value read per hot key: what a compare-and-set expects
        self._operation: Operation | None = None
        self._token = self._attempts = 0
        self._retries = Retries(self._patience())
        self._wish: Wish | None = None  # the present operation, when it is asked in a session
        self._doubtful = False  # an earlier attempt at it may have happened
        self._patient_until_us: Micros = 0
        self._watching = False  # the clock that ends this client's patience is set; one is enough, since patience is always as long
        self.stopped = False

    def _lease_share(self) -> float:
        """The first client is never a loyal one: somebody has to write."""
        share = SeededDice(self._world.setup.seed, "lease reads", self.number).choice(_LEASE_SHARES)
        return share if self.number > 1 else min(_LEASE_SHARES)

    def _patience(self) -> ClientPolicy:
        """Law 4; with the mistake, everybody asks again, outside of any session."""
        policy = self._world.policy.client
        persists = not policy.retry_without_session and SeededDice(self._world.setup.seed, "sessions", self.number).chance(PERSISTENT)
        return ClientPolicy(attempts=ATTEMPTS_MAX) if persists else policy

    # ---- asking -------------------------------------------------------------------------------------------------

    def begin(self, _: object = None) -> None:
        """Choose an operation and ask for it."""
        if self.stopped:
            return
        if self._leases < _LOYAL and self._dice.chance(ROAMS):
            self.target = self._dice.choice(self._voters)
        self.ask(self._retries.hello() if self._retries.needs_session else self._choose())

    def ask(self, operation: Operation) -> None:
        """Ask `target`; `done` is called once, whatever happens."""
        self._operation, self._attempts, self._doubtful = operation, 0, False
        self._wish = self._retries.begin(operation) if self._retries.session and isinstance(operation, Put | Cas) else None
        self._tell("invoke", asked(operation))
        self._send(operation)

    def _send(self, operation: Operation) -> None:
        world = self._world
        self._token = world.next_token()
        self._attempts += 1
        request = FromClient(self._token, operation if self._wish is None else self._retries.ask(self._wish))
        world.later(_TRIP_US + int(self._random() * _TRIP_US), self._arrive, (self.target, request))
        self._patient_until_us = world.now + self._timeout_us
        if not self._watching:
            self._watching = True
            world.later(self._timeout_us, self._watch, None)

    def _arrive(self, sent: tuple[NodeId, FromClient]) -> None:
        target, request = sent
        if self._world.hosts[target].ask(self, request):
            self._world.messages += 1
            self._world.client_messages += 1
        else:
            self._refused(request.token, Reply("fail", error="connection refused"), target)

    def _choose(self) -> Operation:
        if self._leases == _LOYAL:
            return Get(self._world.keys.next(self._dice), LEASE)
        if self._random() * 100 < self._reads:
            return Get(self._world.keys.next(self._dice), LEASE if self._leases and self._dice.chance(self._leases) else LINEARIZABLE)
        luck = self._dice.randrange(100)
        self._written += 1
        if luck >= _WRITES + _SWAPS:
            return Put(f"{SLOT_PREFIX}c{self.number}/{self._written % SLOTS}", str(self._written))
        key, value = self._world.keys.next(self._dice), f"c{self.number}.{self._written}"
        if luck >= _WRITES and key in self._seen:
            return Cas(key, self._seen[key], value)
        return Put(key, value)

    # ---- hearing ------------------------------------------------------------------------------------------------

    def answered(self, token: int, reply: Reply, node: NodeId) -> None:
        """A node answers; the answer travels."""
        self._world.later(_TRIP_US + int(self._random() * _TRIP_US), self._hear, (token, reply, node))

    def lost(self, token: int) -> None:
        """The node crashed with this request."""
        self._refused(token, Reply("unknown", error="connection lost"), self.target)

    def _refused(self, token: int, reply: Reply, node: NodeId) -> None:
        self._world.later(_TRIP_US + int(self._random() * _TRIP_US), self._fail, (token, reply, node))

    def _watch(self, _: None) -> None:
        """The clock rings for an operation that may be over by now, with another under way."""
        self._watching = False
        left_us = self._patient_until_us - self._world.now
        if left_us > 0 and self._token:
            self._watching = True
            self._world.later(left_us, self._watch, None)
        elif self._token:
            self._conclude(Reply("unknown", error="timed out"), self.target)

    def _hear(self, heard: tuple[int, Reply, NodeId]) -> None:
        self._world.messages += 1
        self._world.client_messages += 1
        self._fail(heard)

    def _fail(self, heard: tuple[int, Reply, NodeId]) -> None:
        """What the connection says, when it is no message of a node's."""
        token, reply, node = heard
        if token == self._token:
            self._world.trace.add((self._world.now, token, reply))
            self._conclude(reply, node)

    def _conclude(self, reply: Reply, node: NodeId) -> None:
        operation = self._operation
        assert operation is not None
        if self._doubtful and reply.outcome == "fail":
            reply = Reply("unknown", error=reply.error, leader=reply.leader)
        kind, value, error = outcome(operation, reply)
        if kind == "info" and self._asks_again(reply):
            self._turn_elsewhere(reply)
            self._send(operation)
            return
        self._token, self._operation = 0, None
        self._tell(kind, value, node, error, operation)
        if kind == "info":
            self.process += 1_000
        if self._wish is not None:
            self._retries.settle(self._wish)
        if reply.outcome == "ok":
            self._learn(operation, reply)
        else:
            self._turn_elsewhere(reply)
        self.done(operation, reply)

    def _asks_again(self, reply: Reply) -> bool:
        """After an unknown outcome. The mistake: as if nothing had been sent, although what was lost may have been the answer only."""
        retries, wish = self._retries, self._wish
        if wish is not None and reply.error == NO_SESSION:
            retries.expired(wish)
            return False
        if self._attempts >= retries.attempts or (wish is None and not retries.blind):
            return False
        if wish is None:
            return True
        self._doubtful = True
        self._world.judge.done.retried += 1
        return True

    def done(self, operation: Operation, reply: Reply) -> None:
        """Go on after a while; soon when it was only the wrong node."""
        pause_us = 2 * MS if reply.error == "not leader" else self._dice.tailed_us(self._think_us)
        self._world.later(pause_us, self.begin, None)

    def _learn(self, operation: Operation, reply: Reply) -> None:
        if isinstance(operation, Get):
            if len(self._seen) >= 4 * HOT_KEYS:
                del self._seen[next(iter(self._seen))]
            self._seen[operation.key] = reply.value
        elif isinstance(operation, OpenSession):
            self._retries.opened(reply)
        elif isinstance(operation, Put) and operation.key.startswith(SLOT_PREFIX):
            self.promised[operation.key] = int(operation.value)

    def _turn_elsewhere(self, reply: Reply) -> None:
        self.target = reply.leader if reply.leader is not None else self._dice.choice(self._voters)

    # ---- history ------------------------------------------------------------------------------------------------

    def _tell(
        self, kind: str, value: tuple[str | None, ...], node: NodeId = "", error: str = "", operation: Operation | None = None
    ) -> None:
        operation = operation or self._operation
        f = _F.get(type(operation))
        if f is None:
            return  # the history knows registers
        assert isinstance(operation, (Get, Put, Cas))
        line = HistoryLine(self.process, kind, f, operation.key, value, self._world.now, node or self.target, error)
        self._world.judge.history(line)
