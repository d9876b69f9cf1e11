"""A node's whole stack, several of them around an in-memory network: what clients hear, and what is reported."""

from __future__ import annotations

import random
from collections import deque

import pytest

from cluster.core.effects import (
    Answer,
    FromClient,
    FromClients,
    FromGossip,
    FromPeer,
    LeaderCommitted,
    Marked,
    Order,
    ReplicaEvent,
    ReplicaInput,
    Report,
    RumourHeard,
    SendGossip,
    SendPeer,
    VerdictChanged,
)
from cluster.core.gossip.messages import GossipMessage
from cluster.core.kv.ops import Cas, Delete, Get, Operation, Put, Reply, Scan, encode_write
from cluster.core.kv.store import MARK_EVERY
from cluster.core.policy import Policy, RaftPolicy
from cluster.core.raft.machine import APPLY_MAX
from cluster.core.raft.messages import Append, Entry, EntryKind, HardState, RaftMessage
from cluster.core.raft.ready import Froze, Persist, Persisted, RoleChanged, Tick
from cluster.core.replica import Replica
from cluster.core.types import KEY_BYTES_MAX, MS, PENDING_PROPOSALS_MAX, SECOND, Micros, NodeId, Role

CORRECT = Policy()


class Lab:
    """Replicas, their disks (durable at once unless `hold` names the node) and one queue of messages."""

    def __init__(self, nodes: int, voters: int, policy: Policy = CORRECT) -> None:
        self.names = [f"n{number}" for number in range(1, nodes + 1)]
        self.voters, self.policy = self.names[:voters], policy
        self.now: Micros = 0
        self.replicas: dict[NodeId, Replica] = {}
        self.hard: dict[NodeId, HardState] = {}
        self.entries: dict[NodeId, list[Entry]] = {name: [] for name in self.names}
        self.answers: dict[int, Reply] = {}
        self.streams: dict[int, list[Reply]] = {}  # what a watch was told before its last answer
        self.reports: dict[NodeId, list[ReplicaEvent]] = {name: [] for name in self.names}
        self.hold: set[NodeId] = set()
        self.cut: set[NodeId] = set()  # nodes whom nobody reaches
        self.queue: deque[tuple[NodeId, NodeId, RaftMessage | GossipMessage, bool]] = deque()
        self.token = 0
        for name in self.names:
            self.start(name)

    def start(self, name: NodeId, generation: int = 1) -> None:
        hard = self.hard.get(name, HardState())
        dice = random.Random(f"{name}/{generation}")
        self.replicas[name] = Replica(name, self.names, self.voters, self.policy, dice, generation, hard, tuple(self.entries[name]))

    def handle(self, name: NodeId, input: ReplicaInput) -> None:
        for effect in self.replicas[name].handle(input, self.now):
            match effect:
                case Persist():
                    self._persist(name, effect)
                case SendPeer(to, message):
                    self.queue.append((name, to, message, True))
                case SendGossip(to, gossip):
                    self.queue.append((name, to, gossip, False))
                case Answer(token, reply, True):
                    self.streams.setdefault(token, []).append(reply)
                case Answer(token, reply):
                    assert token not in self.answers, f"token {token} is answered twice"
                    self.answers[token] = reply
                case Report(event):
                    self.reports[name].append(event)

    def _persist(self, name: NodeId, write: Persist) -> None:
        if name in self.hold:
            return
        if write.truncate_from is not None:
            del self.entries[name][write.truncate_from - 1 :]
        self.entries[name].extend(write.entries)
        if write.hard is not None:
            self.hard[name] = write.hard
        self.handle(name, Persisted(write.token))

    def deliver(self) -> None:
        while self.queue:
            source, target, message, raft = self.queue.popleft()
            if target in self.replicas and not self.cut & {source, target}:
                wrapped = FromPeer(source, message) if raft else FromGossip(source, message)  # type: ignore[arg-type]
                self.handle(target, wrapped)

    def run(self, duration_us: Micros) -> None:
        end = self.now + duration_us
        self.deliver()
        while (due := min(replica.deadline() for replica in self.replicas.values())) <= end:
            self.now = max(self.now, due)
            for name, replica in self.replicas.items():
                if replica.deadline() <= self.now:
                    self.handle(name, Tick())
            self.deliver()
        self.now = end

    def ask(self, name: NodeId, operation: Operation) -> int:
        self.token += 1
        self.handle(name, FromClient(self.token, operation))
        return self.token

    def asked(self, name: NodeId, operation: Operation) -> Reply:
        token = self.ask(name, operation)
        self.deliver()
        return self.answers[token]

    @property
    def leader(self) -> NodeId:
        (name,) = [name for name, replica in self.replicas.items() if replica.role is Role.LEADER]
        return name

    def said(self, name: NodeId, kind: type) -> list[ReplicaEvent]:
        return [event for event in self.reports[name] if isinstance(event, kind)]


@pytest.fixture
def lab() -> Lab:
    lab = Lab(3, 3)
    lab.run(1 * SECOND)
    return lab


def follower(lab: Lab) -> NodeId:
    return next(name for name in lab.voters if name != lab.leader)


def test_writes_and_reads_through_the_leader(lab: Lab) -> None:
    leader = lab.leader
    assert lab.asked(leader, Put("x", "1")) == Reply("ok", revision=1)
    assert lab.asked(leader, Get("x")) == Reply("ok", value="1", revision=1)
    assert lab.asked(leader, Cas("x", "1", "2")).swapped
    assert not lab.asked(leader, Cas("x", "1", "3")).swapped
    lab.asked(leader, Put("y", "3"))
    assert lab.asked(leader, Scan("")).items == (("x", "2"), ("y", "3"))
    lab.asked(leader, Delete("x"))
    assert lab.asked(leader, Get("x")).value is None


def test_a_follower_refuses_definitely_and_names_the_leader(lab: Lab) -> None:
    node = follower(lab)
    for operation in (Put("x", "1"), Get("x"), Scan("")):
        reply = lab.asked(node, operation)
        assert (reply.outcome, reply.error, reply.leader) == ("fail", "not leader", lab.leader)


def test_a_serializable_read_is_answered_by_anyone_at_once(lab: Lab) -> None:
    lab.asked(lab.leader, Put("x", "1"))
    node = follower(lab)
    assert lab.asked(node, Get("x", "serializable")) == Reply("ok")  # it does not know of the commit yet
    lab.run(100 * MS)
    assert lab.asked(node, Get("x", "serializable")).value == "1"


def test_a_batch_becomes_one_write_and_one_round(lab: Lab) -> None:
    leader = lab.leader
    writes = [FromClient(token, Put(f"k{token}", "v")) for token in range(1000, 1100)]
    reads = [FromClient(token, Get("k1000")) for token in range(2000, 2100)]
    lab.handle(leader, FromClients((*writes, *reads)))
    appends = [message for _, _, message, raft in lab.queue if raft]
    # One message with the writes to each follower, and one broadcast for the reads.
    assert len(appends) == 4
    lab.deliver()
    assert all(lab.answers[request.token].outcome == "ok" for request in (*writes, *reads))


def test_a_write_that_cannot_be_stored_is_refused_before_it_is_proposed(lab: Lab) -> None:
    last = lab.replicas[lab.leader].raft.last_index  # type: ignore[union-attr]
    assert lab.asked(lab.leader, Put("k" * (KEY_BYTES_MAX + 1), "v")).outcome == "fail"
    assert lab.replicas[lab.leader].raft.last_index == last  # type: ignore[union-attr]


def test_more_proposals_than_the_bound_are_refused_as_overload(lab: Lab) -> None:
    leader = lab.leader
    lab.cut = {leader}
    writes = tuple(FromClient(token, Put("k", "v")) for token in range(1, PENDING_PROPOSALS_MAX + 3))
    lab.token = len(writes)
    lab.handle(leader, FromClients(writes))
    assert [(token, reply.error) for token, reply in lab.answers.items()] == [
        (PENDING_PROPOSALS_MAX + 1, "overloaded"),
        (PENDING_PROPOSALS_MAX + 2, "overloaded"),
    ]
    assert lab.replicas[leader].proposals_waiting == PENDING_PROPOSALS_MAX


def test_when_leadership_is_lost_writes_are_unknown_and_reads_have_failed(lab: Lab) -> None:
    leader = lab.leader
    lab.cut = {leader}
    write, read = lab.ask(leader, Put("x", "lost")), lab.ask(leader, Get("x"))
    lab.run(200 * MS)
    assert write not in lab.answers
    assert read not in lab.answers
    lab.run(1 * SECOND)
    assert lab.answers[write].outcome == "unknown"
    assert lab.answers[read].outcome == "fail"
    lab.cut = set()
    lab.run(1 * SECOND)
    assert lab.asked(lab.leader, Get("x")).value is None


def test_what_the_next_leader_commits_in_the_place_of_a_write_is_no_answer_to_it(lab: Lab) -> None:
    leader = lab.leader
    raft = lab.replicas[leader].raft
    assert raft is not None
    lab.cut = {leader}
    token = lab.ask(leader, Put("k", "mine"))
    index, term = raft.last_index, raft.term
    assert token not in lab.answers
    other = next(name for name in lab.names if name != leader)
    theirs = Entry(term + 1, int(EntryKind.COMMAND), encode_write(Put("k", "theirs")))
    # Deposed, overwritten and told of the commit, all by one message.
    lab.handle(leader, FromPeer(other, Append(term + 1, index - 1, term, (theirs,), index, 1)))
    assert raft.commit == index
    assert lab.answers[token].outcome == "unknown"


def test_a_committed_write_is_answered_once_although_leadership_is_lost_later(lab: Lab) -> None:
    leader = lab.leader
    assert lab.asked(leader, Put("x", "kept")).outcome == "ok"
    lab.cut = {leader}
    lab.run(1 * SECOND)
    lab.cut = set()
    lab.run(1 * SECOND)
    assert lab.asked(lab.leader, Get("x")).value == "kept"


def test_a_restarted_replica_replays_its_log_to_the_same_digest(lab: Lab) -> None:
    for number in range(3 * MARK_EVERY):
        lab.asked(lab.leader, Put("x", str(number)))
    lab.run(200 * MS)
    node = follower(lab)
    before = lab.replicas[node].store
    lab.start(node, generation=2)
    lab.run(1 * SECOND)
    after = lab.replicas[node].store
    assert (after.applied, after.digest, after.revision) == (before.applied, before.digest, before.revision)


def test_every_replica_marks_the_same_indexes_with_the_same_digests(lab: Lab) -> None:
    for number in range(40):
        lab.asked(lab.leader, Put("x", str(number)))
    lab.run(200 * MS)
    marks = [lab.said(name, Marked) for name in lab.names]
    assert marks[0] == marks[1] == marks[2]
    assert [mark.index for mark in marks[0]] == [MARK_EVERY, 2 * MARK_EVERY]  # type: ignore[union-attr]


def test_a_leader_reports_its_commits_and_followers_do_not(lab: Lab) -> None:
    lab.asked(lab.leader, Put("x", "1"))
    indexes = [event.index for event in lab.said(lab.leader, LeaderCommitted)]  # type: ignore[union-attr]
    assert indexes == [1, 2]
    assert not lab.said(follower(lab), LeaderCommitted)


@pytest.mark.parametrize(("election_us", "elected"), [(150 * MS, True), (10 * SECOND, False)])
def test_another_policy_holds_from_the_next_timers_on(lab: Lab, election_us: int, elected: bool) -> None:
    for name in lab.voters:
        lab.replicas[name].retune(RaftPolicy(election_min_us=election_us, election_max_us=2 * election_us))
    lab.run(200 * MS)  # heartbeats set every timer anew
    old = lab.leader
    lab.cut = {old}
    lab.run(2 * SECOND)
    assert any(lab.replicas[name].role is Role.LEADER for name in lab.voters if name != old) == elected


def test_an_order_hands_leadership_over(lab: Lab) -> None:
    target = follower(lab)
    lab.handle(lab.leader, Order("transfer", target))
    lab.deliver()
    assert lab.leader == target


def test_a_rumour_reaches_everyone_and_says_who_told_it(lab: Lab) -> None:
    lab.handle("n1", Order("rumour", "the bridge is out"))
    lab.run(1 * SECOND)
    for name in lab.names:
        (heard,) = lab.said(name, RumourHeard)
        assert isinstance(heard, RumourHeard)
        assert (heard.origin, heard.text) == ("n1", "the bridge is out")


def test_a_node_without_a_vote_refuses_and_points_to_the_leader() -> None:
    lab = Lab(5, 3)
    lab.run(2 * SECOND)
    assert lab.replicas["n5"].role is Role.OBSERVER
    reply = lab.asked("n5", Put("x", "1"))
    assert (reply.outcome, reply.error, reply.leader) == ("fail", "not a voter", lab.leader)
    old = lab.leader
    lab.cut = {old}
    lab.run(3 * SECOND)
    (new,) = [n for n in lab.voters if lab.replicas[n].role is Role.LEADER]
    assert lab.asked("n5", Get("x")).leader == new != old


def test_silence_convicts_and_return_clears(lab: Lab) -> None:
    lab.cut = {"n3"}
    lab.run(3 * SECOND)
    verdicts = [event for event in lab.said("n1", VerdictChanged) if event.subject == "n3"]  # type: ignore[union-attr]
    assert [verdict.convicted for verdict in verdicts] == [True]  # type: ignore[union-attr]
    lab.cut = set()
    lab.run(3 * SECOND)
    verdicts = [event for event in lab.said("n1", VerdictChanged) if event.subject == "n3"]  # type: ignore[union-attr]
    assert [verdict.convicted for verdict in verdicts] == [True, False]  # type: ignore[union-attr]


def test_a_frozen_follower_neither_campaigns_nor_convicts_for_its_own_absence(lab: Lab) -> None:
    node = follower(lab)
    lab.now += 2 * SECOND
    before = len(lab.reports[node])
    lab.handle(node, Froze(2 * SECOND))
    lab.handle(node, Tick())
    kinds = {type(event) for event in lab.reports[node][before:]}
    assert not kinds & {RoleChanged, VerdictChanged}


def test_apply_before_commit_tells_a_client_of_what_is_lost() -> None:
    lab = Lab(3, 3, Policy(raft=RaftPolicy(apply_before_commit=True)))
    lab.run(1 * SECOND)
    leader = lab.leader
    lab.cut = {leader}
    write = lab.ask(leader, Put("x", "never committed"))
    assert lab.answers[write].outcome == "ok"
    lab.run(2 * SECOND)
    (new,) = [n for n in lab.voters if lab.replicas[n].role is Role.LEADER]
    assert new != leader
    lab.hold = set()
    assert lab.asked(new, Get("x")).value is None


def test_a_replica_that_applied_too_early_never_calls_a_skipped_write_done() -> None:
    lab = Lab(3, 3, Policy(raft=RaftPolicy(apply_before_commit=True)))
    lab.run(1 * SECOND)
    leader = lab.leader
    lab.cut = {leader}
    for number in range(5):
        lab.ask(leader, Put("lost", str(number)))
    lab.run(1 * SECOND)
    lab.cut = set()
    lab.run(1 * SECOND)
    lab.handle(lab.leader, Order("transfer", leader))
    lab.deliver()
    assert lab.leader == leader
    # Its store went on to index 6 on what was cut off; the log is shorter now, and these take the same places.
    tokens = [lab.ask(leader, Put("kept", str(number))) for number in range(6)]
    lab.deliver()
    assert {lab.answers[token].outcome for token in tokens} == {"unknown", "ok"}


def test_a_read_waits_until_what_it_must_see_is_applied() -> None:
    lab = Lab(1, 1)
    lab.entries["n1"] = [Entry(1, 1, encode_write(Put("x", str(number)))) for number in range(2 * APPLY_MAX + 5)]
    lab.hard["n1"] = HardState(1, "n1")
    lab.start("n1")
    node = lab.replicas["n1"]
    token = 0
    while token not in lab.answers:
        assert lab.now < 1 * SECOND
        lab.now = max(lab.now, node.deadline())
        if node.role is Role.LEADER and not token:
            token = lab.ask("n1", Get("x"))
            assert token not in lab.answers, "a portion of the log is still to be applied"
        lab.handle("n1", Tick())
    assert lab.answers[token].value == str(2 * APPLY_MAX + 4)
