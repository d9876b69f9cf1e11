"""Committed entries stay (Raft §5.3, §5.4): a node never overwrites what it knew to be committed, nor an entry that was applied.

Overwriting *some* entry below the cluster's commit index is ordinary: a deposed leader's leftovers. So an entry is told by its
index and its term: the log's last reported shape says which entry the node held, the marks say which one was applied.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Mapping

from cluster.check.invariants.monitor import NODES_KEPT_MAX, Handler, Monitor, bound, term_at, told
from cluster.check.violation import Violation
from cluster.core.types import NodeId
from cluster.telemetry.events import AppliedMark, FaultBegan, LogTruncated, NodeReady, NodeState

MARKS_MAX = 16_384


class CommittedEntriesStay(Monitor):
    name = "committed entries stay"

    def __init__(self) -> None:
        super().__init__()
        self._states: dict[NodeId, NodeState] = {}
        self._former: dict[NodeId, NodeState] = {}  # the last word of the process before
        self._applied: dict[NodeId, AppliedMark] = {}
        self._terms: dict[int, int] = {}  # applied index -> its term
        self._indexes: list[int] = []  # of `_terms`, rising

    def handlers(self) -> Mapping[type, Handler]:
        return {
            NodeState: self._state_told,
            AppliedMark: self._marked,
            LogTruncated: self._truncated,
            NodeReady: self._recovered,
            FaultBegan: self._fault,
        }

    def _state_told(self, event: NodeState) -> None:
        self._states[event.node] = event
        if len(self._states) > NODES_KEPT_MAX:
            bound(self._states, NODES_KEPT_MAX)

    def _marked(self, event: AppliedMark) -> None:
        if event.index > (self._applied[event.node].index if event.node in self._applied else -1):
            self._applied[event.node] = event
            bound(self._applied, NODES_KEPT_MAX)
        if event.index not in self._terms:
            insort(self._indexes, event.index)
            self._terms[event.index] = event.term
            if len(self._indexes) > MARKS_MAX:
                del self._terms[self._indexes.pop(0)]

    def _truncated(self, event: LogTruncated) -> Violation | None:
        self.checked += 1
        cut = told(event.node, event.at_us, f"overwrites entries {event.from_index}–{event.to_index} (term {event.term})")
        mark, state = self._applied.get(event.node), self._states.get(event.node)
        if mark is not None and mark.index >= event.from_index and mark.at_us <= event.at_us:
            evidence = f"{event.node} overwrites entry {event.from_index}, having applied up to {mark.index}"
            return self._violated(event.at_us, evidence, told(mark.node, mark.at_us, f"applied {mark.index}"), cut)
        if state is None or state.at_us > event.at_us:
            return None
        if state.commit >= event.from_index:
            evidence = f"{event.node} overwrites entry {event.from_index}, committed up to {state.commit}"
            return self._violated(event.at_us, evidence, told(state.node, state.at_us, f"commit {state.commit}"), cut)
        return self._applied_elsewhere(event, state, cut) or self._committed_before(event, state, cut)

    def _committed_before(self, event: LogTruncated, state: NodeState, cut: str) -> Violation | None:
        """Entries that the process before had reported as committed, and that came back as they were: told by their terms."""
        former = self._former.get(event.node)
        if former is None:
            return None
        for index in range(event.from_index, min(event.to_index, former.commit, state.last_index) + 1):
            term = term_at(state.log, index)
            if term and term == term_at(former.log, index):
                evidence = f"{event.node} overwrites entry {index} of term {term}, committed up to {former.commit} before it was restarted"
                return self._violated(event.at_us, evidence, told(former.node, former.at_us, f"commit {former.commit}"), cut)
        return None

    def _applied_elsewhere(self, event: LogTruncated, state: NodeState, cut: str) -> Violation | None:
        for index in self._indexes[bisect_left(self._indexes, event.from_index) :]:
            if index > min(event.to_index, state.last_index):
                return None
            if term_at(state.log, index) == self._terms[index]:
                evidence = f"{event.node} overwrites entry {index} of term {self._terms[index]}, which others have applied"
                return self._violated(event.at_us, evidence, cut)
        return None

    def _recovered(self, event: NodeReady) -> None:
        """What a former process had applied need not have been on its own disk: it was on a majority's.

        Leftovers that come back in its place may be overwritten. That they are not what was applied is judged by their terms.
        """
        former = self._states.pop(event.node, None)
        if former is not None:
            self._former[event.node] = former
            bound(self._former, NODES_KEPT_MAX)
        self._applied.pop(event.node, None)

    def _fault(self, event: FaultBegan) -> None:
        if event.kind == "wipe":
            for node in event.targets:
                for kept in (self._states, self._former, self._applied):
                    kept.pop(node, None)
