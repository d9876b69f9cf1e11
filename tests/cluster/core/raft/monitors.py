"""Raft's properties, watched from outside the machines: each names itself after the paper's property (figure 3).

Law 1: a monitor believes messages, disks and applied entries, never a machine's opinion of itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from cluster.core.raft.membership import Membership, decode_membership
from cluster.core.raft.messages import Appended, Entry, EntryKind, RaftMessage, RequestVote, Snapshot, Vote
from cluster.core.raft.quorum import Outcome, vote_result
from cluster.core.raft.ready import ReadReady, Ready
from cluster.core.types import NodeId, Role
from tests.cluster.core.raft.world import Watcher, World


class Violation(Exception):
    """A property does not hold. `law` names it."""

    def __init__(self, law: str, evidence: str) -> None:
        super().__init__(f"{law}: {evidence}")
        self.law = law


class ElectionSafety(Watcher):
    """At most one leader per term."""

    def __init__(self) -> None:
        self.leaders: dict[int, NodeId] = {}

    def stepped(self, world: World, node: NodeId, ready: Ready) -> None:
        raft = world.raft(node)
        if raft.role is Role.LEADER and self.leaders.setdefault(raft.term, node) != node:
            raise Violation("election safety", f"{node} and {self.leaders[raft.term]} lead term {raft.term}")


class VotesAreKept(Watcher):
    """A voter gives one vote per term; what a message promises is on its sender's disk when it leaves."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.votes: dict[tuple[NodeId, int], NodeId] = {}

    def sent(self, source: NodeId, target: NodeId, message: RaftMessage) -> None:
        disk = self.world.members[source].disk
        if isinstance(message, (RequestVote, Vote)) and message.pre:
            return
        if message.term > disk.hard.term:
            raise Violation("term is durable before it is spoken", f"{source} says {message}, disk {disk.hard}")
        if isinstance(message, Vote) and message.granted:
            first = self.votes.setdefault((source, message.term), target)
            if first != target:
                raise Violation("one vote per term", f"{source} gave {first} and {target} its vote of {message.term}")
        if isinstance(message, Appended) and message.accepted and message.match_index > disk.last_index:
            raise Violation("acknowledged entries are durable", f"{source} says {message}, has {disk.last_index}")


class StateMachineSafety(Watcher):
    """No two nodes apply different entries at one index; no node applies out of order; snapshots of one index are equal."""

    def __init__(self) -> None:
        self.applied: dict[int, Entry] = {}
        self.next: dict[NodeId, int] = {}
        self.states: dict[int, bytes] = {}

    def started(self, world: World, node: NodeId) -> None:
        self._from_snapshot(node, world.members[node].disk.snapshot)

    def stepped(self, world: World, node: NodeId, ready: Ready) -> None:
        if ready.snapshot is not None:
            if ready.snapshot.index < self.next[node]:
                raise Violation("a snapshot takes nobody back", f"{node} is at {self.next[node]}, gets {ready.snapshot}")
            self._from_snapshot(node, ready.snapshot)
        for index, entry in enumerate(ready.committed, ready.committed_first):
            if index != self.next[node]:
                raise Violation("applied in order", f"{node} applies {index}, expected {self.next[node]}")
            self.next[node] = index + 1
            if self.applied.setdefault(index, entry) != entry:
                raise Violation("state machine safety", f"{node} applies {entry} at {index}, not {self.applied[index]}")
        if ready.persist is not None and ready.persist.snapshot is not None:
            self._same(node, ready.persist.snapshot)

    def _from_snapshot(self, node: NodeId, snapshot: Snapshot | None) -> None:
        self.next[node] = snapshot.index + 1 if snapshot else 1
        if snapshot:
            self._same(node, snapshot)

    def _same(self, node: NodeId, snapshot: Snapshot) -> None:
        known = self.states.setdefault(snapshot.index, snapshot.data)
        if known != snapshot.data:
            raise Violation("state machine safety", f"{node} has {snapshot.data!r} at {snapshot.index}, another {known!r}")


class LeaderCompleteness(Watcher):
    """What was committed in a term is in the log of every leader of a later term."""

    def __init__(self) -> None:
        self.committed: list[tuple[Entry, int]] = []  # position i: entry i + 1 and the term that committed it
        self.checked: set[tuple[NodeId, int]] = set()

    def stepped(self, world: World, node: NodeId, ready: Ready) -> None:
        raft = world.raft(node)
        if raft.role is not Role.LEADER:
            return
        if (node, raft.term) not in self.checked:
            self.checked.add((node, raft.term))
            for index, (entry, term) in enumerate(self.committed, 1):
                if term < raft.term and index >= raft.log.first_index and raft.log.slice(index, index) != [entry]:
                    raise Violation("leader completeness", f"{node} leads term {raft.term} without {entry} at {index}")
        fresh = raft.log.slice(len(self.committed) + 1, raft.commit)
        self.committed.extend((entry, raft.term) for entry in fresh)


class LogMatching(Watcher):
    """Two logs with one entry of equal index and term agree up to there (checked at each leader's commit)."""

    def __init__(self) -> None:
        self.commit = 0

    def stepped(self, world: World, node: NodeId, ready: Ready) -> None:
        raft = world.raft(node)
        if raft.role is not Role.LEADER or raft.commit <= self.commit:
            return
        self.commit = raft.commit
        for other in world.up():
            first = max(raft.log.first_index, world.raft(other).log.first_index)
            mine, theirs = (world.raft(each).log.slice(first, world.raft(each).last_index) for each in (node, other))
            same = [i for i, (a, b) in enumerate(zip(mine, theirs, strict=False)) if a.term == b.term]
            if same and mine[: same[-1] + 1] != theirs[: same[-1] + 1]:
                raise Violation("log matching", f"{node} and {other} share index {first + same[-1]} but differ before it")


class AckedWritesSurvive(Watcher):
    """A write that a leader acknowledged is applied by everyone in the end, once, where it was acknowledged."""

    def __init__(self) -> None:
        self.proposed: dict[tuple[NodeId, int, int], bytes] = {}
        self.acked: dict[int, bytes] = {}

    def propose(self, node: NodeId, ready: Ready, data: bytes) -> None:
        if ready.accepted is not None:
            index, term = ready.accepted
            self.proposed[node, index, term] = data

    def stepped(self, world: World, node: NodeId, ready: Ready) -> None:
        if world.raft(node).role is Role.LEADER:
            for index, entry in enumerate(ready.committed, ready.committed_first):
                if self.proposed.get((node, index, entry.term)) == entry.data and entry.kind == EntryKind.COMMAND:
                    self.acked[index] = entry.data

    def verify(self, world: World, group: Sequence[NodeId]) -> None:
        """When the world is at rest: everyone in the group."""
        for node in group:
            member = world.members[node]
            held, state = {index: entry.data for index, entry in member.applied}, member.state.split()
            for index, data in self.acked.items():
                if held.get(index, data) != data or state.count(data) != 1:
                    raise Violation("acked writes survive", f"{node} has {held.get(index)!r} at {index}, not {data!r}")


class ReadsAreFresh(Watcher):
    """A linearizable read sees every write acknowledged before it was asked."""

    def __init__(self, acked: AckedWritesSurvive) -> None:
        self.acked = acked
        self.floor: dict[int, int] = {}

    def ask(self, context: int) -> None:
        self.floor[context] = max(self.acked.acked, default=0)

    def stepped(self, world: World, node: NodeId, ready: Ready) -> None:
        for outcome in ready.reads:
            if isinstance(outcome, ReadReady) and outcome.index < self.floor.get(outcome.context, 0):
                floor = self.floor[outcome.context]
                raise Violation("reads are fresh", f"{node} reads at {outcome.index}, acknowledged up to {floor}")


class QuorumsOverlap(Watcher):
    """No majority of one configuration can decide beside a majority of the next in the same log (§6)."""

    def __init__(self) -> None:
        self.changes = 0
        self.joint = 0

    def stepped(self, world: World, node: NodeId, ready: Ready) -> None:
        if ready.persist is None or world.raft(node).role is not Role.LEADER:
            return
        for index, entry in enumerate(ready.persist.entries, ready.persist.first_index):
            if entry.kind == EntryKind.CONFIG:
                before, after = world.raft(node).config_at(index - 1), decode_membership(entry.data)
                self.changes += 1
                self.joint += after.joint
                if disjoint(before, after):
                    raise Violation("quorums overlap", f"{node} goes from {before} to {after}")


def disjoint(before: Membership, after: Membership) -> tuple[NodeId, ...] | None:
    """Nodes who decide by the one while all others decide by the other, None if there are none such."""
    nodes = sorted({*before.everyone, *after.everyone})
    for size in range(len(nodes) + 1):
        for some in combinations(nodes, size):
            votes, others = dict.fromkeys(some, True), dict.fromkeys(set(nodes) - {*some}, True)
            if vote_result(before.halves, votes) is vote_result(after.halves, others) is Outcome.WON:
                return some
    return None
