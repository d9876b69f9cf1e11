"""Pre-vote (dissertation §9.6): a node begins a term only when a majority has said that it would vote for it.

A node that cannot win and raises its term all the same deposes a healthy leader when it comes back from a cut.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from cluster.check.invariants.monitor import TERMS_MAX, Handler, Monitor, bound, told
from cluster.check.violation import Violation
from cluster.core.types import Micros, NodeId, Role
from cluster.telemetry.events import GroupChanged, LabOpened, NodeState, RoleTaken, VoteGiven

# Voters and candidate report through different sockets: how long, in smallest election timeouts, a promise may take to arrive
# after what it allowed.
PATIENCE = 4
# In the candidate's own words: the old leader asked for this election (dissertation §3.10), and needs no leave.
HANDED_OVER = "hands over"


class TermsBeginWithLeave(Monitor):
    name = "terms begin with leave"

    def __init__(self) -> None:
        super().__init__()
        self._quorum = 0  # 0: not told yet
        self._wait_us: Micros = 0
        self._leave: dict[tuple[NodeId, int], dict[NodeId, Micros]] = {}  # candidate, term -> voters that would, when
        self._begun: deque[RoleTaken] = deque()

    def handlers(self) -> Mapping[type, Handler]:
        return {
            LabOpened: self._opened,
            GroupChanged: self._regrouped,
            VoteGiven: self._given,
            RoleTaken: self._role,
            NodeState: self._state_told,
        }

    def _opened(self, event: LabOpened) -> None:
        self._quorum, self._wait_us = event.quorum, PATIENCE * event.election_min_us

    def _regrouped(self, event: GroupChanged) -> None:
        """Another group has another majority, and a candidate may still know the one before: the smallest is enough."""
        sizes = [len(half) // 2 + 1 for half in event.membership.halves if half]
        self._quorum = min([self._quorum, *sizes])

    def _given(self, event: VoteGiven) -> None:
        if event.pre and event.granted:
            # The first time counts: a question that arrives twice is answered twice.
            self._leave.setdefault((event.candidate, event.term), {}).setdefault(event.node, event.at_us)
            bound(self._leave, TERMS_MAX)

    def _role(self, event: RoleTaken) -> None:
        if event.role == Role.CANDIDATE and self._quorum and not event.why.endswith(HANDED_OVER):
            self._begun.append(event)
            if len(self._begun) > TERMS_MAX:
                self._begun.popleft()

    def _state_told(self, event: NodeState) -> Violation | None:
        """States come several times a second: the pulse by which waiting terms are judged."""
        while self._begun and self._begun[0].at_us + self._wait_us <= event.at_us:
            begun = self._begun.popleft()
            violation = self._judge(begun, event.at_us)
            if violation is not None:
                return violation
        return None

    def _judge(self, begun: RoleTaken, now: Micros) -> Violation | None:
        self.checked += 1
        leave = self._leave.get((begun.node, begun.term), {})
        voters = [voter for voter, at_us in leave.items() if at_us <= begun.at_us and voter != begun.node]
        if len(voters) + 1 >= self._quorum:
            return None
        return self._violated(
            now,
            f"{begun.node} began term {begun.term} with the leave of {len(voters)} others, a majority needs {self._quorum - 1}",
            *(told(voter, leave[voter], f"would vote for {begun.node} in term {begun.term}") for voter in voters),
            told(begun.node, begun.at_us, f"stands in term {begun.term}: {begun.why}"),
        )
