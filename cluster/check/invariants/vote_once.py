"""A vote never changes within a term (Raft §5.2, figure 2: votedFor is persistent), across restarts too.

A vote is reported when it is decided and leaves the node when it is durable. What a crash forgot before that was never sent, so
of the votes before a restart only those count that a later state told beside an idle disk. Of those, every later state of that term
must know: a vote forgotten is a vote that can be given twice.
"""

from __future__ import annotations

from collections.abc import Mapping

from cluster.check.invariants.monitor import NODES_KEPT_MAX, Handler, Monitor, bound, told
from cluster.check.violation import Violation
from cluster.core.types import Micros, NodeId, Role
from cluster.telemetry.events import FaultBegan, NodeReady, NodeState, RoleTaken, VoteGiven

VOTES_KEPT_MAX = 64  # terms per node


class _Vote:
    __slots__ = ("at_us", "candidate", "durable")

    def __init__(self, candidate: NodeId, at_us: Micros) -> None:
        self.candidate, self.at_us, self.durable = candidate, at_us, False


class VoteOnce(Monitor):
    name = "one vote per term"

    def __init__(self) -> None:
        super().__init__()
        self._votes: dict[NodeId, dict[int, _Vote]] = {}
        self._epochs: dict[NodeId, int] = {}

    def handlers(self) -> Mapping[type, Handler]:
        return {
            VoteGiven: self._given,
            RoleTaken: self._stood,
            NodeState: self._state_told,
            NodeReady: self._recovered,
            FaultBegan: self._fault,
        }

    def _given(self, event: VoteGiven) -> Violation | None:
        if event.pre or not event.granted:
            return None
        return self._voted(event.node, event.term, event.candidate, event.at_us)

    def _stood(self, event: RoleTaken) -> Violation | None:
        if event.role != Role.CANDIDATE:
            return None
        return self._voted(event.node, event.term, event.node, event.at_us)

    def _state_told(self, event: NodeState) -> Violation | None:
        if event.epoch < self._epochs.get(event.node, 0):
            return None  # the last words of a former process, read late
        if event.vote is None:
            return self._forgotten(event)
        violation = self._voted(event.node, event.term, event.vote, event.at_us)
        vote = self._votes[event.node].get(event.term)
        if vote is not None and event.disk_busy_us == 0 and event.at_us >= vote.at_us:
            vote.durable = True
        return violation

    def _forgotten(self, event: NodeState) -> Violation | None:
        vote = self._votes.get(event.node, {}).get(event.term)
        if vote is None or not vote.durable or event.at_us < vote.at_us:
            return None
        return self._violated(
            event.at_us,
            f"{event.node} has forgotten its vote for {vote.candidate} in term {event.term}",
            told(event.node, vote.at_us, f"votes for {vote.candidate} in term {event.term}"),
            told(event.node, event.at_us, f"term {event.term}, no vote"),
        )

    def _recovered(self, event: NodeReady) -> None:
        self._epochs[event.node] = event.epoch
        bound(self._epochs, NODES_KEPT_MAX)
        votes = self._votes.get(event.node, {})
        self._votes[event.node] = {term: vote for term, vote in votes.items() if vote.durable}

    def _fault(self, event: FaultBegan) -> None:
        if event.kind == "wipe":
            for node in event.targets:
                self._votes.pop(node, None)

    def _voted(self, node: NodeId, term: int, candidate: NodeId, at_us: Micros) -> Violation | None:
        votes = self._votes.setdefault(node, {})
        if len(self._votes) > NODES_KEPT_MAX:
            bound(self._votes, NODES_KEPT_MAX)
        known = votes.get(term)
        if known is None:
            self.checked += 1
            votes[term] = _Vote(candidate, at_us)
            bound(votes, VOTES_KEPT_MAX)
            return None
        if known.candidate == candidate:
            return None
        return self._violated(
            at_us,
            f"{node} voted for {known.candidate} and for {candidate} in term {term}",
            told(node, known.at_us, f"votes for {known.candidate} in term {term}"),
            told(node, at_us, f"votes for {candidate} in term {term}"),
        )
