"""The monitors: Raft's properties, each judged from what nodes reported, clients saw and the supervisor knows.

Law 1: one file, one property, named as the paper names it.
Law 2: a light shows state, how much was judged, and the first evidence; lost evidence is not green.
"""

from __future__ import annotations

from collections.abc import Sequence

from cluster.check.invariants.commit_never_falls import CommitNeverFalls
from cluster.check.invariants.committed_entries_stay import CommittedEntriesStay
from cluster.check.invariants.election_safety import ElectionSafety
from cluster.check.invariants.leader_append_only import LeaderAppendOnly
from cluster.check.invariants.leader_completeness import LeaderCompleteness
from cluster.check.invariants.leaders_are_heard import LeadersAreHeard
from cluster.check.invariants.log_matching import LogMatching
from cluster.check.invariants.log_order import LogOrder
from cluster.check.invariants.monitor import Handler, Monitor
from cluster.check.invariants.quorums_overlap import QuorumsOverlap
from cluster.check.invariants.reads_are_fresh import ReadsAreFresh
from cluster.check.invariants.state_machine_safety import StateMachineSafety
from cluster.check.invariants.term_never_falls import TermNeverFalls
from cluster.check.invariants.terms_begin_with_leave import TermsBeginWithLeave
from cluster.check.invariants.vote_once import VoteOnce
from cluster.check.violation import Light, Violation
from cluster.core.types import Role
from cluster.telemetry.control import HistoryLine
from cluster.telemetry.events import Event, NodeState, TelemetryLost

MONITORS: tuple[type[Monitor], ...] = (
    ElectionSafety,
    LeaderAppendOnly,
    LogMatching,
    LeaderCompleteness,
    StateMachineSafety,
    CommittedEntriesStay,
    VoteOnce,
    TermNeverFalls,
    CommitNeverFalls,
    LogOrder,
    ReadsAreFresh,
    LeadersAreHeard,
    TermsBeginWithLeave,
    QuorumsOverlap,
)


class Monitors:
    """All of them, fed together."""

    def __init__(self) -> None:
        self.monitors = tuple(kind() for kind in MONITORS)
        self._handlers: dict[type, list[Handler]] = {TelemetryLost: [monitor.went_blind for monitor in self.monitors]}
        self._of_others: list[Handler] = []  # of states, when a node does not lead
        for monitor in self.monitors:
            for event_type, handler in monitor.handlers().items():
                self._handlers.setdefault(event_type, []).append(handler)
                if event_type is NodeState and not monitor.of_leaders:
                    self._of_others.append(handler)

    def feed(self, event: Event | HistoryLine) -> list[Violation]:
        """Judge one event, or one line of a client's history; the violations that it proves."""
        if type(event) is NodeState and event.role != Role.LEADER:
            handlers: Sequence[Handler] = self._of_others
        else:
            handlers = self._handlers.get(type(event), ())
        violations: list[Violation] = []
        for handler in handlers:
            found = handler(event)
            if found is not None:
                violations.append(found)
        return violations

    def handlers_of(self, event_type: type) -> Sequence[Handler]:
        """Who judges these, for whoever has many of them; `feed` finds them anew for each."""
        return tuple(self._handlers.get(event_type, ()))

    def lights(self) -> dict[str, Light]:
        """Name -> (state, checked, evidence), in a fixed order."""
        return {monitor.name: monitor.light() for monitor in self.monitors}
