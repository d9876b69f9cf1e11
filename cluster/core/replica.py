"""One node's whole stack behind `handle(input, now) -> effects`: Raft, the key-value store, gossip, failure detection.

Law 1: an answer of "ok" is given only for what is committed and applied here; "fail" only for what certainly never happened.
Law 2: a write whose leader lost its office before committing it is "unknown", even if it later turns out to be lost.
Law 3: the machines below never see each other; only this file carries facts from one to another.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from cluster.core.detect.verdicts import Detector
from cluster.core.effects import (
    GROUP_VERBS,
    Answer,
    Effect,
    FromClient,
    FromClients,
    FromGossip,
    FromPeer,
    LeaderCommitted,
    Marked,
    Met,
    Order,
    ReplicaInput,
    Report,
    SendGossip,
    SendPeer,
    VerdictChanged,
    change_of,
)
from cluster.core.errors import UsageError
from cluster.core.gossip.machine import RUMOUR, Gossip
from cluster.core.gossip.ready import GossipReady, Heard, SetKey
from cluster.core.gossip.ready import Tick as GossipTick
from cluster.core.kv.clock import LeaseClock
from cluster.core.kv.limits import is_short, unfit
from cluster.core.kv.ops import (
    LEASE,
    READS,
    SERIALIZABLE,
    UNTIMED,
    WATCH_ORDERS,
    Acknowledge,
    Put,
    Reply,
    TimeToLive,
    Watch,
    WatchOrder,
    encode_write,
)
from cluster.core.kv.store import Store
from cluster.core.kv.watch import Notice, Watches
from cluster.core.policy import Policy, RaftPolicy
from cluster.core.raft.compaction import Compaction
from cluster.core.raft.machine import Raft
from cluster.core.raft.messages import Entry, HardState, Snapshot
from cluster.core.raft.ready import AskRead, Change, Compact, Froze, Persisted, Propose, RaftInput, ReadReady, Ready, Tick, Transfer
from cluster.core.types import PENDING_PROPOSALS_MAX, Dice, Micros, NodeId, Role, by_number
from cluster.core.waiting import Proposals, Reading

# A node keeps its newest rumours; one more supersedes the oldest under the same key.
RUMOURS_MAX = 8
RUMOUR_CHARS_MAX = 200
# Where a leader gossips the term it leads, so that nodes without a vote can point clients to it.
LEADER_KEY = "raft/leader"


class Replica:
    """One node. `members` are all nodes, `voters` the founders of the Raft group; `hard` and what follows come from its disk."""

    def __init__(
        self,
        node: NodeId,
        members: Sequence[NodeId],
        voters: Sequence[NodeId],
        policy: Policy,
        dice: Dice,
        generation: int,
        hard: HardState = HardState(),
        entries: Sequence[Entry] = (),
        snapshot: Snapshot | None = None,
        base: tuple[int, int] = (0, 0),
    ) -> None:
        self.node, self.members = node, tuple(by_number(members))
        self.store = Store() if snapshot is None else Store.load(snapshot.data)
        self.raft: Raft | None = None
        self._policy = policy.raft
        self._found: Callable[[], Raft] = lambda: Raft(node, voters, self._policy, dice)
        if node in voters or hard.term or snapshot is not None:
            self.raft = Raft(node, voters, policy.raft, dice, hard=hard, entries=entries, snapshot=snapshot, base=base)
        self.gossip = Gossip(node, self.members, generation, policy.gossip, dice)
        self.detector = Detector(policy.detect, [member for member in self.members if member != node])
        self._proposals = Proposals()
        self._reads: dict[int, Reading] = {}  # context -> read, while Raft confirms it
        self._confirmed: deque[tuple[int, Reading]] = deque()  # (index to wait for, read), indexes rising
        self._context = self._rumours = 0
        self._lease_clock = LeaseClock()
        self._watches = Watches()
        self._compaction = Compaction(policy.raft.snapshot_every, snapshot)
        self._others_due_us: Micros = 0  # when gossip or detector want a `Tick`
        self.due_us: Micros = 0  # when anyone does

    def retune(self, policy: RaftPolicy) -> None:
        """Raft goes by another policy from now on, but for what is fixed when a log is opened (snapshots)."""
        self._policy = policy
        if self.raft is not None:
            self.raft.retune(policy)

    def handle(self, input: ReplicaInput, now: Micros) -> list[Effect]:
        """Take one input at time `now` (µs) and return the effects it causes, to be performed in order."""
        effects: list[Effect] = []
        INPUTS[type(input)](self, input, now, effects)
        self.due_us = self._others_due_us
        if self.raft is not None and self.raft.due_us < self.due_us:
            self.due_us = self.raft.due_us
        return effects

    def deadline(self) -> Micros:
        """When the next `Tick` is due; 0 before the first."""
        return self.due_us

    # ---- for telemetry ---------------------------------------------------------------------------------------

    @property
    def role(self) -> Role:
        if self.raft is None:
            return Role.OBSERVER
        role, config = self.raft.role, self.raft.config
        if role is not Role.FOLLOWER or config.votes(self.node):
            return role
        return Role.LEARNER if self.node in config.learners else Role.OBSERVER

    @property
    def proposals_waiting(self) -> int:
        return len(self._proposals)

    @property
    def reads_waiting(self) -> int:
        return len(self._reads) + len(self._confirmed)

    @property
    def leader_hint(self) -> NodeId | None:
        """Whom a client should ask: whom Raft follows here, or who gossips that it leads the highest term."""
        if self.raft is not None and (self.raft.leader is not None or self.raft.config.votes(self.node)):
            return self.raft.leader
        claims = ((self.gossip.keys_of(member).get(LEADER_KEY, ""), member) for member in self.members)
        terms = [(int(term), member) for term, member in claims if term.isdecimal()]
        return max(terms)[1] if terms else None

    # ---- inputs ----------------------------------------------------------------------------------------------

    def _on_tick(self, input: Tick, now: Micros, effects: list[Effect]) -> None:
        if self.raft is not None and now >= self.raft.due_us:
            self._step(input, now, effects)
        # On any tick: reads that keep a leader talking put off its heartbeats, and must not put off what is due.
        self._expire(now, effects)
        if now >= self.gossip.deadline():
            self._gossiped(self.gossip.step(GossipTick(), now), now, effects)
        if self._watches:
            _notify(self._watches.advance(self.store), effects)  # who catches up with a long past does it in portions
        self._check(now, effects)

    def _on_gossip(self, input: FromGossip, now: Micros, effects: list[Effect]) -> None:
        self._gossiped(self.gossip.step(Heard(input.sender, input.message), now), now, effects)

    def _on_order(self, input: Order, now: Micros, effects: list[Effect]) -> None:
        if input.verb == "transfer":
            self._step(Transfer(input.argument), now, effects)
        elif input.verb in GROUP_VERBS:
            self._change(change_of(input), now, effects)
        elif input.verb == "rumour":
            key = f"{RUMOUR}/{self._rumours % RUMOURS_MAX}"
            self._rumours += 1
            self._gossiped(self.gossip.step(SetKey(key, input.argument[:RUMOUR_CHARS_MAX]), now), now, effects)

    def _change(self, change: Change, now: Micros, effects: list[Effect]) -> None:
        """Raises `UsageError` with the reason when the group cannot be changed so now."""
        refused = "not leader" if self.raft is None else self.raft.against(change)
        if refused:
            raise UsageError(refused)
        self._step(change, now, effects)

    def _on_met(self, input: Met, now: Micros, effects: list[Effect]) -> None:
        new = [node for node in input.nodes if node not in self.members]
        self.members = tuple(by_number({*self.members, *new}))
        self.gossip.introduce(new)
        self.detector.watch(new, now)
        self._look_ahead()

    def _on_froze(self, input: Froze, now: Micros, effects: list[Effect]) -> None:
        self.detector.froze(input.gap_us, now)
        self._look_ahead()
        self._step(input, now, effects)

    # ---- clients ---------------------------------------------------------------------------------------------

    def _serve(self, requests: Sequence[FromClient], now: Micros, effects: list[Effect]) -> None:
        """Writes of one batch become one proposal; reads follow, so that they share one confirmation."""
        if self.raft is None:
            effects.extend(Answer(request.token, self._fail("not a voter")) for request in requests)
            return
        writes: list[tuple[int, bytes]] = []
        reads: list[Reading] = []
        for request in requests:
            operation = request.operation
            if type(operation) is Put and is_short(operation):
                writes.append((request.token, encode_write(operation)))
            elif reason := unfit(operation):
                effects.append(Answer(request.token, Reply("fail", error=reason)))
            elif isinstance(operation, UNTIMED):
                writes.append((request.token, encode_write(operation)))
            elif isinstance(operation, READS):
                reads.append((request.token, operation))
            elif isinstance(operation, WATCH_ORDERS):
                self._tell_watcher(request.token, operation, effects)
            else:
                writes.append((request.token, self._lease_clock.stamped(operation, now, self.store)))
        if writes:
            self._propose(writes, now, effects)
        for read in reads:
            self._read(read, now, effects)

    def _propose(self, writes: list[tuple[int, bytes]], now: Micros, effects: list[Effect]) -> None:
        room = PENDING_PROPOSALS_MAX - len(self._proposals)
        for token, _ in writes[room:]:
            effects.append(Answer(token, self._fail("overloaded")))
        if room > 0:
            tokens, batch = zip(*writes[:room], strict=True)
            self._step(Propose(batch), now, effects, tokens)

    def _read(self, read: Reading, now: Micros, effects: list[Effect]) -> None:
        token, operation = read
        if not isinstance(operation, TimeToLive) and operation.mode == SERIALIZABLE:
            effects.append(Answer(token, self.store.read(operation)))
        elif self.reads_waiting >= PENDING_PROPOSALS_MAX:
            effects.append(Answer(token, self._fail("overloaded")))
        else:
            self._context += 1
            self._reads[self._context] = read
            self._step(AskRead(self._context, getattr(operation, "mode", "") == LEASE), now, effects)

    def _fail(self, error: str) -> Reply:
        return Reply("fail", error=error, leader=self.leader_hint)

    # ---- Raft ------------------------------------------------------------------------------------------------

    def _step(self, input: RaftInput, now: Micros, effects: list[Effect], tokens: Sequence[int] = ()) -> None:
        """Step Raft and carry out its `Ready`. `tokens` are the clients of a proposal, one per command."""
        raft = self.raft
        if raft is None:
            if type(input) is not FromPeer:
                return
            raft = self.raft = self._found()  # a leader has made this node a member
        led = raft.state.role is Role.LEADER
        ready = raft.step(input, now)
        leads = raft.state.role is Role.LEADER
        _hand_out(ready, effects)
        if led and not leads:
            self._forsake_proposals(effects)  # first: what this step applies may have taken their place in the log
        if tokens:
            self._settle_proposals(ready, tokens, effects)
        if ready.snapshot is not None:
            self.store = Store.load(ready.snapshot.data)
            self._compaction.made(ready.snapshot.index, len(ready.snapshot.data))
        if ready.committed:
            self._apply(ready, effects)
        if ready.reads or self._confirmed:
            self._settle_reads(ready, now, effects)
        if led or leads:
            self._reign(raft, ready, led, now, effects)
        if self._compaction.due and raft.may_compact(self.store.applied):
            self._compact(now, effects)

    def _reign(self, raft: Raft, ready: Ready, led: bool, now: Micros, effects: list[Effect]) -> None:
        """This node leads, or did until this step."""
        leads = raft.state.role is Role.LEADER
        if leads and ready.leader_commit:
            effects.append(Report(LeaderCommitted(ready.leader_commit, raft.term)))
        if led is not leads:
            self._turned(str(raft.term) if leads else "", now, effects)

    def _turned(self, term: str, now: Micros, effects: list[Effect]) -> None:
        """This node leads `term` from now on, or no more (""): everyone may know."""
        self._lease_clock.restart()
        self._gossiped(self.gossip.step(SetKey(LEADER_KEY, term), now), now, effects)

    def _compact(self, now: Micros, effects: list[Effect]) -> None:
        """The store as it is now stands for the log so far."""
        data = self.store.dump()
        self._compaction.made(self.store.applied, len(data))
        self._step(Compact(self.store.applied, data), now, effects)

    def _settle_proposals(self, ready: Ready, tokens: Sequence[int], effects: list[Effect]) -> None:
        if ready.accepted is not None:
            self._proposals.add(ready.accepted[0], tokens)
        elif ready.refused:
            effects.extend(Answer(token, self._fail(ready.refused)) for token in tokens)

    def _apply(self, ready: Ready, effects: list[Effect]) -> None:
        """Apply committed entries in order, answering the clients that wait for them."""
        marks: list[tuple[int, int, int]] = []
        replies = self.store.apply_all(ready.committed_first, ready.committed, marks)
        if self._proposals:
            effects += [Answer(token, reply) for token, reply in self._proposals.settle(ready.committed_first, replies)]
        if marks:
            effects += [Report(Marked(*mark)) for mark in marks]
        self._compaction.applied(ready.committed, self.store.applied)
        if self._watches:
            _notify(self._watches.advance(self.store), effects)

    def _forsake_proposals(self, effects: list[Effect]) -> None:
        """Leadership is lost: the next leader may hold these entries and commit them, or may not (Law 2)."""
        reply = Reply("unknown", error="leadership lost before commit", leader=self.leader_hint)
        effects.extend(Answer(token, reply) for token in self._proposals.forsake())

    def _settle_reads(self, ready: Ready, now: Micros, effects: list[Effect]) -> None:
        for outcome in ready.reads:
            read = self._reads.pop(outcome.context)
            if isinstance(outcome, ReadReady):
                self._confirmed.append((outcome.index, read))
            else:
                effects.append(Answer(read[0], self._fail(outcome.reason)))
        while self._confirmed and self._confirmed[0][0] <= self.store.applied:
            _, (token, operation) = self._confirmed.popleft()
            effects.append(Answer(token, self.store.read(operation, self._lease_clock.read(now, self.store))))

    def _expire(self, now: Micros, effects: list[Effect]) -> None:
        """A leader puts the time into the log when a lease or a session is due."""
        if self.role is Role.LEADER and (entry := self._lease_clock.expiry(now, self.store)) is not None:
            self._step(Propose((entry,)), now, effects)

    # ---- watches ---------------------------------------------------------------------------------------------

    def _tell_watcher(self, token: int, order: WatchOrder, effects: list[Effect]) -> None:
        if isinstance(order, Watch):
            _notify([self._watches.open(token, order, self.store)], effects)
        elif isinstance(order, Acknowledge):
            self._watches.acknowledge(token, order.batches)
        else:
            _notify(self._watches.close(token, self.store), effects)
        _notify(self._watches.advance(self.store), effects)

    # ---- gossip and detection --------------------------------------------------------------------------------

    def _gossiped(self, ready: GossipReady, now: Micros, effects: list[Effect]) -> None:
        effects += [SendGossip(to, message) for to, message in ready.sends]
        for subject in ready.evidence:
            self.detector.heard(subject, now)
        effects += [Report(rumour) for rumour in ready.learned]
        self._check(now, effects)

    def _check(self, now: Micros, effects: list[Effect]) -> None:
        """Ask the detectors when something is due; whom they convict, gossip seldom picks as a partner."""
        if now >= self.detector.deadline():
            verdicts = self.detector.check(now)
            effects += [Report(verdict) for verdict in verdicts]
            if any(isinstance(verdict, VerdictChanged) for verdict in verdicts):
                self.gossip.set_unreachable([m for m in self.members if m != self.node and not self.detector.alive(m)])
        self._look_ahead()

    def _look_ahead(self) -> None:
        """Whatever touches gossip or detector ends here."""
        due_us, detector_due_us = self.gossip.deadline(), self.detector.deadline()
        self._others_due_us = due_us if due_us < detector_due_us else detector_due_us


def _hand_out(ready: Ready, effects: list[Effect]) -> None:
    """What others are to do: the disk, the peers, those who watch."""
    if ready.persist is not None:
        effects.append(ready.persist)
    for to, message in ready.sends:
        effects.append(SendPeer(to, message))  # mostly one: a comprehension costs a call more
    # Before what is applied: a log is cut first and filled and applied after, and is so told.
    if ready.events:
        effects += [Report(event) for event in ready.events]


def _notify(notices: list[Notice], effects: list[Effect]) -> None:
    effects.extend(Answer(notice.token, notice.reply, notice.more) for notice in notices)


INPUTS: dict[type, Callable[[Replica, Any, Micros, list[Effect]], None]] = {
    Tick: Replica._on_tick,
    FromPeer: Replica._step,
    FromGossip: Replica._on_gossip,
    FromClient: lambda replica, request, now, effects: replica._serve((request,), now, effects),
    FromClients: lambda replica, together, now, effects: replica._serve(together.requests, now, effects),
    Persisted: Replica._step,
    Order: Replica._on_order,
    Met: Replica._on_met,
    Froze: Replica._on_froze,
}
