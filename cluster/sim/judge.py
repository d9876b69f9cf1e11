"""The judge of a run: monitors and checker, fed as things happen, and a count of what was exercised.

Law 1: the first violation ends the run: what follows a broken promise proves nothing more.
Law 2: whoever looks on hears what monitors hear and the rest of a lab's telemetry; looking on changes nothing.
Law 3: the monitors are those of a live lab. They hear more here: a node's state whenever it reports something, not ten times a second.
Law 4: memory is bounded: a key that all clients have left behind is judged to its end and forgotten. Nobody can ask for it again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from cluster.check.invariants import Monitors
from cluster.check.linearizability import LiveChecker
from cluster.check.violation import Violation
from cluster.core.effects import LeaderCommitted, Marked, ReplicaEvent
from cluster.core.raft.ready import MembershipChanged, RoleChanged, SnapshotInstalled, SnapshotTaken, StorageStalled, Truncated, VoteDecided
from cluster.core.types import Role
from cluster.sim.eras import era_of
from cluster.sim.exercised import Exercised
from cluster.telemetry.control import SLOT_PREFIX, HistoryLine
from cluster.telemetry.events import Event, NodeState, TermRun
from cluster.telemetry.reports import event_of
from cluster.telemetry.states import state_of

if TYPE_CHECKING:
    from cluster.sim.host import Host
    from cluster.sim.world import World

# Reports that some monitor reads. Of those that change what a node is, its whole state is shown as well.
_JUDGED = frozenset({RoleChanged, VoteDecided, Truncated, StorageStalled, Marked, LeaderCommitted, MembershipChanged})
_SHOWN_WHOLE = frozenset({RoleChanged, VoteDecided})
_SNAPSHOTS = frozenset({SnapshotTaken, SnapshotInstalled})
_TERM_RUNS_MAX = 12
# Some eras more than the one in use: a client's slowest operation is long over when its key is left so far behind.
ERA_KEYS_KEPT = 24


Onlooker = Callable[[Event | HistoryLine], None]


class Violated(Exception):
    """Carries the violation out of the world's loop."""

    def __init__(self, violation: Violation) -> None:
        super().__init__(violation.evidence)
        self.violation = violation


class Judge:
    """Raises `Violated` from whatever call brings a violation to light."""

    def __init__(self, world: World, onlooker: Onlooker | None = None) -> None:
        self._world, self._onlooker = world, onlooker
        self._monitors = Monitors()
        self._feed = self._monitors.feed
        self._checker = LiveChecker()
        self._of_lines = (*self._monitors.handlers_of(HistoryLine), self._checker.feed)
        self.done = Exercised()
        self.dropped = 0
        self.changed = False  # what a node is has changed: its state is worth a look when its turn is over
        self._era_keys: dict[str, None] = {}  # the newest, and those that somebody still has open
        self._era_forgotten = -1

    # ---- what nodes say -----------------------------------------------------------------------------------------

    def tell(self, event: Event | HistoryLine) -> None:
        """What no monitor reads, for whoever looks on."""
        if self._onlooker is not None:
            self._onlooker(event)

    @property
    def watched(self) -> bool:
        return self._onlooker is not None

    def event(self, event: Event | HistoryLine) -> None:
        """One event for the monitors."""
        if self._onlooker is not None:
            self._onlooker(event)
        violations = self._feed(event)
        if violations:
            raise Violated(violations[0])

    def report(self, host: Host, report: ReplicaEvent) -> None:
        """A replica's report, as telemetry tells it."""
        kind = type(report)
        if kind not in _JUDGED:
            self.done.snapshots += kind in _SNAPSHOTS
            if self._onlooker is not None and (shown := event_of(host.node, self._world.now, report)) is not None:
                self._onlooker(shown)
            return
        event = event_of(host.node, self._world.now, report)
        if kind is Truncated:
            self.done.truncations += 1
        elif isinstance(report, RoleChanged) and report.role is Role.LEADER:
            self.done.leader_changes += 1
        elif isinstance(report, MembershipChanged):
            self.done.config_changes += report.committed
        if event is not None:
            self.event(event)
        if kind in _SHOWN_WHOLE:
            self.changed = True

    def look_around(self, hosts: Iterable[Host]) -> None:
        """Now and then, at all that run. Who does not lead and is as it was says nothing new; one of them is the pulse of the rest."""
        first = True
        for host in hosts:
            if not host.paused:
                self.look_at(host, in_any_case=first)
                first = False

    def look_at(self, host: Host, *, in_any_case: bool = True) -> None:
        """A node's present state, between two turns: in the middle of one, what it reports and what it is need not agree."""
        self.changed = False
        replica = host.replica
        if replica is None or replica.raft is None:
            return
        if self._onlooker is not None:
            now = host.protocol_now()
            self.event(state_of(replica, host.figures(now), now, self._world.now))
            return
        # The same, as far as monitors read it: most of the time nobody looks on.
        raft, world = replica.raft.state, self._world
        leads = raft.role is Role.LEADER
        runs = raft.log.runs(_TERM_RUNS_MAX)
        log = raft.log
        seen = (
            host.epoch, raft.role, raft.term, raft.vote, raft.leader, raft.commit, replica.store.applied, log.last_index, runs,
            host.disk.idle,
        )  # fmt: skip
        if seen == host.seen and not leads and not in_any_case:
            return
        if host.seen is None or host.seen[-2] is not runs:
            host.shown_runs = tuple([TermRun(first, term) for first, term in runs])
        host.seen = seen
        now = host.protocol_now()
        self.event(
            NodeState(
                host.node, world.now, host.epoch, raft.role.value, raft.term, raft.vote, raft.leader, raft.commit,
                replica.store.applied, log.last_index, host.shown_runs,
                (), replica.raft.quorum_age_us(now) if leads else -1, -1, 0, 0,
                0 if host.disk.idle else max(1, replica.raft.disk_busy_us(now)), 0, (), 0, 0, 0, 0, (), (), 0, 0, 0,
            )
        )  # fmt: skip

    # ---- what clients saw ---------------------------------------------------------------------------------------

    def history(self, line: HistoryLine) -> None:
        """One line of a client's history, in the order of true time."""
        kind = line.kind
        if kind == "ok":
            if line.f == "read":
                self.done.reads += 1
            else:
                self.done.acked += 1
        elif kind == "info":
            self.done.unknown += 1
        if line.key.startswith(SLOT_PREFIX):
            self.tell(line)
            return  # one writer each: judged by the count of acknowledged writes
        if kind == "invoke" and line.key not in self._era_keys:
            self._new_key(line.key)
        self.tell(line)
        for judge in self._of_lines:
            violation = judge(line)
            if violation is not None:
                raise Violated(violation)

    def _new_key(self, key: str) -> None:
        """Keys come in eras, each left behind by all clients together: one that nobody has open any more is judged to its end."""
        assert era_of(key) > self._era_forgotten, f"{key} was left behind, and is used again"
        self._era_keys[key] = None
        while len(self._era_keys) > ERA_KEYS_KEPT:
            oldest = next(iter(self._era_keys))
            if not self._checker.idle(oldest):
                return
            del self._era_keys[oldest]
            self._era_forgotten = era_of(oldest)
            if (violation := self._checker.forget(oldest)) is not None:
                raise Violated(violation)

    def finish(self) -> None:
        """Nothing more will come."""
        for violation in self._checker.finish():
            raise Violated(violation)

    @property
    def unjudged(self) -> str:
        """Why part of the history could not be judged; "" when all of it was."""
        return "" if self._checker.state != "unknown" else self._checker.evidence

    @property
    def recent_keys(self) -> tuple[str, ...]:
        """The newest keys that clients used."""
        return tuple(self._era_keys)[-6:]
