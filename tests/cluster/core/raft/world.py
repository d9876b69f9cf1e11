"""A cluster of real Raft machines around an in-memory network and disks that obey the test.

Law 1: nothing moves by itself: the test delivers, drops, persists, crashes. There is no sleep and no mock.
Law 2: a crash keeps exactly what was durable; writes that were handed out and not finished are gone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import msgspec

from cluster.core.policy import RaftPolicy
from cluster.core.raft.machine import Raft
from cluster.core.raft.messages import Entry, EntryKind, HardState, RaftMessage, Snapshot
from cluster.core.raft.ready import (
    Compact,
    Persist,
    Persisted,
    RaftEvent,
    RaftInput,
    ReadReady,
    ReadRefused,
    Ready,
    Received,
    Tick,
)
from cluster.core.types import Dice, Micros, NodeId

Link = tuple[NodeId, NodeId]


class Disk:
    """Term, vote, snapshot and log of one node: `entries` follow `base` (index and term).

    `auto`: a write is durable at once; otherwise when the test says so.
    """

    def __init__(self) -> None:
        self.hard = HardState()
        self.snapshot: Snapshot | None = None
        self.base = (0, 0)
        self.entries: list[Entry] = []
        self.waiting: deque[Persist] = deque()
        self.auto = True

    def finish_one(self) -> int:
        """The oldest waiting write becomes durable; returns its token."""
        write = self.waiting.popleft()
        if write.snapshot is not None:
            self._store(write.snapshot, write.installed)
        if write.truncate_from is not None:
            del self.entries[write.truncate_from - 1 - self.base[0] :]
        if write.entries:
            assert write.first_index == self.last_index + 1, "the log has a gap"
            self.entries.extend(write.entries)
        if write.snapshot is not None and not write.installed:
            self._cut(write.keep_from)
        if write.hard is not None:
            assert write.hard.term >= self.hard.term, "the durable term fell"
            self.hard = write.hard
        return write.token

    @property
    def last_index(self) -> int:
        return self.base[0] + len(self.entries)

    def _store(self, snapshot: Snapshot, installed: bool) -> None:
        assert self.snapshot is None or snapshot.index > self.snapshot.index, "a snapshot takes the node back"
        self.snapshot = snapshot
        if installed:
            self.base, self.entries = (snapshot.index, snapshot.term), []

    def _cut(self, keep_from: int) -> None:
        """Forget what lies before `keep_from`."""
        gone = keep_from - 1 - self.base[0]
        if gone > 0:
            self.base, self.entries = (keep_from - 1, self.entries[gone - 1].term), self.entries[gone:]


class Member:
    """One node: its machine while it is up, its disk always, and what it reported."""

    def __init__(self) -> None:
        self.raft: Raft | None = None
        self.disk = Disk()
        self.events: list[RaftEvent] = []
        self.state = b""  # what the state machine holds: all commands so far
        self.applied: list[tuple[int, Entry]] = []
        self.reads: dict[int, ReadReady | ReadRefused] = {}


class Watcher:
    """What a monitor may override: it sees every step of every node."""

    def started(self, world: World, node: NodeId) -> None:
        """`node` begins with what its disk holds."""

    def stepped(self, world: World, node: NodeId, ready: Ready) -> None:
        """`node` has just made `ready`."""

    def sent(self, source: NodeId, target: NodeId, message: RaftMessage) -> None:
        """A message left `source`."""

    def crashed(self, node: NodeId) -> None:
        """`node` lost all but its disk."""


class World:
    """`count` nodes named n1, n2, …, one clock, and a queue of messages per directed link. The first `founders` found the group."""

    def __init__(
        self, count: int, policy: RaftPolicy, dice: dict[NodeId, Dice], watchers: Sequence[Watcher] = (), founders: int = 0
    ) -> None:
        self.voters = [f"n{number}" for number in range(1, count + 1)]
        self.founders = self.voters[: founders or count]
        self.policy, self.dice, self.watchers = policy, dice, watchers
        self.now: Micros = 0
        self.members = {node: Member() for node in self.voters}
        self.links: dict[Link, deque[RaftMessage]] = {(a, b): deque() for a in self.voters for b in self.voters if a != b}
        self.cut: set[Link] = set()
        for node in self.voters:
            self.start(node)

    # ---- nodes -----------------------------------------------------------------------------------------------

    def raft(self, node: NodeId) -> Raft:
        raft = self.members[node].raft
        assert raft is not None, f"{node} is down"
        return raft

    def up(self) -> list[NodeId]:
        return [node for node in self.voters if self.members[node].raft is not None]

    def start(self, node: NodeId) -> None:
        member = self.members[node]
        assert member.raft is None, f"{node} is up"
        disk = member.disk
        member.applied = []
        member.state = disk.snapshot.data if disk.snapshot else b""
        member.raft = Raft(
            node, self.founders, self.policy, self.dice[node],
            hard=disk.hard, entries=tuple(disk.entries), snapshot=disk.snapshot, base=disk.base,
        )  # fmt: skip
        for watcher in self.watchers:
            watcher.started(self, node)
        self.step(node, Tick())

    def crash(self, node: NodeId) -> None:
        member = self.members[node]
        member.raft = None
        member.disk.waiting.clear()
        for watcher in self.watchers:
            watcher.crashed(node)

    def step(self, node: NodeId, input: RaftInput) -> Ready:
        """Step one machine and perform its `Ready` in the documented order."""
        member = self.members[node]
        ready = self.raft(node).step(input, self.now)
        if ready.persist is not None:
            member.disk.waiting.append(ready.persist)
        for target, message in ready.sends:
            self._send(node, target, message)
        if ready.snapshot is not None:
            member.state = ready.snapshot.data
        commands = (entry.data for entry in ready.committed if entry.kind == EntryKind.COMMAND)
        member.state += b"".join(data + b" " for data in commands)
        member.applied.extend(enumerate(ready.committed, ready.committed_first))
        member.reads.update({outcome.context: outcome for outcome in ready.reads})
        member.events.extend(ready.events)
        for watcher in self.watchers:
            watcher.stepped(self, node, ready)
        if ready.persist is not None and member.disk.auto:
            self.persist(node)
        return ready

    def persist(self, node: NodeId, count: int = 1) -> None:
        """The oldest `count` writes of `node` become durable, and it hears of it."""
        disk = self.members[node].disk
        for _ in range(min(count, len(disk.waiting))):
            self.step(node, Persisted(disk.finish_one()))

    def compact(self, node: NodeId) -> Ready:
        """The node makes a snapshot of all it has applied."""
        member = self.members[node]
        index = self.raft(node).applied_index
        return self.step(node, Compact(index, member.state))

    def tick(self, node: NodeId, after_us: Micros = 0) -> None:
        self.now += after_us
        self.step(node, Tick())

    # ---- network ---------------------------------------------------------------------------------------------

    def _send(self, source: NodeId, target: NodeId, message: RaftMessage) -> None:
        for watcher in self.watchers:
            watcher.sent(source, target, message)
        if (source, target) not in self.cut:
            self.links[source, target].append(message)

    def busy_links(self) -> list[Link]:
        return [link for link, queue in self.links.items() if queue]

    def deliver_one(self, link: Link, position: int = 0) -> None:
        """One message of `link` arrives, the oldest unless `position` says otherwise."""
        queue = self.links[link]
        message = queue[position]
        del queue[position]
        if link not in self.cut and self.members[link[1]].raft is not None:
            self.step(link[1], Received(link[0], message))

    def deliver(self, only: Link | None = None, limit: int = 100_000) -> None:
        """Deliver what is under way, and what that causes, until the network (or one link) is quiet."""
        for _ in range(limit):
            busy = [link for link in self.busy_links() if only is None or link == only]
            if not busy:
                return
            for link in busy:
                if self.links[link]:
                    self.deliver_one(link)
        raise AssertionError(f"the network did not come to rest within {limit} rounds")

    def run(self, duration_us: Micros) -> None:
        """Let all nodes that are up live on an instant network: every deadline is met, every message delivered."""
        end = self.now + duration_us
        self.deliver()
        while self.up():
            due = min(self.raft(node).deadline() for node in self.up())
            if due > end:
                break
            self.now = max(self.now, due)
            for node in self.up():
                if self.raft(node).deadline() <= self.now:
                    self.step(node, Tick())
            self.deliver()
        self.now = end

    def set_policy(self, **changes: object) -> None:
        """For nodes started from now on."""
        self.policy = msgspec.structs.replace(self.policy, **changes)
