"""Everything one voter knows: the only mutable value of the machine.

Law 1: only the functions of this package write it, and only while `Raft.step` runs.
Law 2: `term` never falls, and `vote` changes within a term only from nobody to somebody.
Law 3: `commit` never falls and never passes the end of the log.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter

from cluster.core.policy import RaftPolicy
from cluster.core.raft.log import Log
from cluster.core.raft.mailbox import Mailbox
from cluster.core.raft.membership import History, Membership, decode_membership
from cluster.core.raft.messages import Entry, EntryKind, HardState, RaftMessage, Snapshot
from cluster.core.raft.progress import Progress
from cluster.core.raft.quorum import Halves, committed_index, held_by_majority
from cluster.core.raft.reads import Reads
from cluster.core.raft.ready import Ready, RoleChanged
from cluster.core.raft.roles import Turn, turned
from cluster.core.raft.underway import Handover, Incoming, Vow
from cluster.core.types import MS, Dice, Micros, NodeId, Role, by_number

_kind = attrgetter("kind")
_match_index, _acked_seq, _acked_us = attrgetter("match_index"), attrgetter("acked_seq"), attrgetter("acked_us")
# Broadcasts whose time is remembered: more than a leader sends within a lease, however many reads ask for rounds of their own.
BEATS_MAX = 4_096
_CONFIG = int(EntryKind.CONFIG)


class RaftState:
    """One node's knowledge. Times are microseconds of the node's own clock."""

    __slots__ = (
        "acks_heard",
        "beat_index",
        "beats",
        "commit",
        "config",
        "confirm_seq",
        "dice",
        "election_due_us",
        "electors",
        "halves",
        "handed",
        "handover",
        "has_vote",
        "heartbeat_due_us",
        "history",
        "incoming",
        "leader",
        "leader_heard_us",
        "letters",
        "log",
        "mailbox",
        "node",
        "noop_index",
        "now",
        "offered",
        "peers",
        "policy",
        "progress",
        "reads",
        "ready",
        "restarted",
        "restless",
        "role",
        "seq",
        "snapshot",
        "snapshot_token",
        "term",
        "truncated_from",
        "unsaved_from",
        "unsaved_snapshot",
        "vote",
        "voters_followed",
        "votes",
        "vows",
    )

    def __init__(
        self,
        node: NodeId,
        voters: Sequence[NodeId],
        policy: RaftPolicy,
        dice: Dice,
        hard: HardState,
        entries: Sequence[Entry],
        snapshot: Snapshot | None = None,
        base: tuple[int, int] = (0, 0),
    ) -> None:
        self.node, self.policy, self.dice = node, policy, dice
        self.term = hard.term
        self.vote = None if policy.forget_vote_on_restart else hard.vote
        self.log = Log(entries, base[0] + 1, base[1])
        self.snapshot, self.snapshot_token = snapshot, 0  # and the write that makes it durable
        self.mailbox = Mailbox(HardState(self.term, self.vote), self.log.last_index)
        self.role = Role.FOLLOWER
        self.leader: NodeId | None = None
        self.commit = 0 if snapshot is None else snapshot.index
        self.handed = self.commit  # entries handed out to be applied
        # Who counts: the newest configuration in the log, and what follows from it.
        founders = Membership(tuple(by_number(voters)))
        self.history = History(0, founders) if snapshot is None else History(snapshot.index, snapshot.membership)
        self.config: Membership
        self.halves: Halves
        self.peers: tuple[NodeId, ...]  # whom a leader replicates to
        self.electors: tuple[NodeId, ...]  # whom a candidate asks
        self.has_vote: bool  # this node is one of its voters
        self.restless: bool  # the configuration asks for a next step (`changes`)
        self.election_due_us: Micros | None = None  # None: not yet armed, the machine has never heard the time
        # When a leader was last heard, of whatever term: nobody else gets this node's vote for an election timeout from then on.
        # Whoever restarts may have made that promise just before.
        self.leader_heard_us: Micros | None = None
        self.restarted = hard.term > 0
        self.votes: dict[NodeId, bool] = {}
        self.incoming: Incoming | None = None
        # What only a leader has.
        self.progress: dict[NodeId, Progress] = {}
        self.voters_followed: tuple[Progress, ...] = ()  # the same, of `electors`
        self.reads = Reads()
        self.handover: Handover | None = None
        self.seq = 0  # the newest broadcast of this term
        self.confirm_seq = 0  # leadership counts as confirmed from this broadcast on
        self.noop_index = 0
        self.beat_index = 0  # the log's end at the newest heartbeat
        self.beats: deque[tuple[int, Micros]] = deque(maxlen=BEATS_MAX)  # (seq, sent at): what a lease counts from
        self.offered = False  # leadership was offered to another node in this reign
        self.heartbeat_due_us: Micros = 0
        self.acks_heard = 0
        # This step: its time, and what it has produced so far.
        self.now: Micros = 0
        self.ready = Ready()
        self.letters: list[tuple[NodeId, RaftMessage]] = []
        self.vows: list[Vow] = []
        self.truncated_from: int | None = None
        self.unsaved_from: int | None = None
        self.unsaved_snapshot: Snapshot | None = None
        self._configure(entries, base[0] + 1)
        self.adopt(self.history.newest)

    # ---- writing -------------------------------------------------------------------------------------------------

    def send(self, to: NodeId, message: RaftMessage, promises: int = 0) -> None:
        """Write a message; it leaves at the end of the step, or when term and vote, and the log that it promises, are durable."""
        if promises:
            self.vows.append(Vow(to, message, promises))
        else:
            self.letters.append((to, message))

    def turn(self, turn: Turn, why: str, leader: NodeId | None = None) -> None:
        """Change role by the table, and report it when anything that others see has changed."""
        role = turned(self.role, turn)
        news = role is not self.role or leader != self.leader or turn is Turn.HIGHER_TERM
        self.role, self.leader = role, leader
        if news:
            self.ready.events.append(RoleChanged(role, self.term, leader, why))

    def append(self, entries: Sequence[Entry], *, plain: bool = False) -> None:
        """Add to the log; the end of the step hands it to storage. `plain`: there is surely no configuration among them."""
        first = self.log.last_index + 1
        if self.unsaved_from is None:
            self.unsaved_from = first
        self.log.append(entries)
        if not plain and _CONFIG in map(_kind, entries):
            self._configure(entries, first)
            self.adopt(self.history.newest)

    def _configure(self, entries: Sequence[Entry], first: int) -> None:
        """Take up the configurations in `entries`. What a snapshot holds is older than it and counts no more."""
        for index, entry in enumerate(entries, first):
            if entry.kind == _CONFIG and index > self.history.newest_index:
                self.history.add(index, decode_membership(entry.data))

    def adopt(self, config: Membership) -> None:
        """From now on these count."""
        self.config, self.halves = config, config.halves
        self.has_vote = config.votes(self.node)
        self.peers = tuple(node for node in config.everyone if node != self.node)
        self.electors = tuple(node for node in self.peers if config.votes(node))
        self.restless = not config.settled or self.node not in config.voters
        if self.role is Role.LEADER:
            # Whoever left stays until it can be told that this is committed.
            self.restless |= any(peer not in self.peers for peer in self.progress)
            fresh = [peer for peer in self.peers if peer not in self.progress]
            self.follow_up(fresh)

    def follow_up(self, peers: Iterable[NodeId]) -> None:
        """A leader brings these its log from now on, too."""
        self.progress |= {peer: Progress(self.log.last_index + 1, self.policy.inflight_max, self.now) for peer in peers}
        self.voters_followed = tuple([self.progress[peer] for peer in self.electors])

    def escort(self, node: NodeId) -> None:
        """A leader hears of a node outside its group that does not know it is: bring it the log that says so."""
        if node not in self.progress:
            self.follow_up([node])
            self.restless = True

    def rearm(self, now: Micros) -> None:
        """Start the election timer anew, uniform in [min, max): the width keeps candidates apart (§5.2)."""
        policy = self.policy
        least_us = policy.election_min_us
        self.election_due_us = now + least_us + int(self.dice.random() * (policy.election_max_us - least_us))

    # ---- reading -------------------------------------------------------------------------------------------------

    def quorum_heard_us(self, now: Micros) -> Micros:
        """A leader's newest moment at which a majority (itself included) had answered since."""
        return self._by_majority(_acked_us, now)

    def quorum_seq(self) -> int:
        """The newest broadcast that a majority (itself included) has answered."""
        return self._by_majority(_acked_seq, self.seq)

    def quorum_index(self) -> int:
        """The newest index that a majority holds durably; the leader's own disk counts like any other."""
        return self._by_majority(_match_index, self.log.last_index if self.policy.ack_before_fsync else self.mailbox.durable_index)

    def _by_majority(self, reached: Callable[[Progress], int], own: int) -> int:
        """What a majority reached, this node itself `own`."""
        if len(self.halves) == 1 and self.voters_followed:  # by far the most frequent: once per acknowledgement that is news
            values = list(map(reached, self.voters_followed))
            if self.has_vote:
                values.append(own)
            return held_by_majority(values)
        held = {peer: reached(progress) for peer, progress in self.progress.items()}
        held[self.node] = own
        return committed_index(self.halves, held)

    @property
    def may_lead(self) -> bool:
        """Whether to ask for votes. Who leaves must, until that is committed: nobody else may hold the entry that says so

        (dissertation §4.2.2).
        """
        return self.has_vote or (self.commit < self.history.newest_index and self.history.has_voice(self.node, self.commit))

    def lease_reason(self, now: Micros) -> str:
        """Why this node believes in a live leader, in words; "" when it has no ground to (§4.2.3, §9.6)."""
        limit = self.policy.election_min_us
        if self.role is Role.LEADER:
            age = now - self.quorum_heard_us(now)
            return f"I lead, a majority answered {age // MS} ms ago" if self._confirmed() and age < limit else ""
        if self.leader_heard_us is None or now - self.leader_heard_us >= limit:
            return ""
        if self.restarted:
            return f"restarted {(now - self.leader_heard_us) // MS} ms ago, a leader may still count on me"
        return f"heard from {self.leader or 'a leader'} {(now - self.leader_heard_us) // MS} ms ago"

    def _confirmed(self) -> bool:
        return self.quorum_seq() >= self.confirm_seq
