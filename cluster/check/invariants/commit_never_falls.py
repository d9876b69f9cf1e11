"""The commit index never falls while a process lives (Raft figure 2: commitIndex increases monotonically).

After a restart it begins again at what is known to be applied: that is no fall.
"""

from __future__ import annotations

from collections.abc import Mapping

from cluster.check.invariants.monitor import NODES_KEPT_MAX, Handler, Monitor, bound, told
from cluster.check.violation import Violation
from cluster.core.types import Micros, NodeId
from cluster.telemetry.events import LeaderCommit, NodeState


class CommitNeverFalls(Monitor):
    name = "commit never falls"
    needs_every_event = False

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[NodeId, tuple[int, int, Micros]] = {}  # node -> epoch, commit, when
        self._led: dict[NodeId, tuple[int, int, Micros]] = {}  # node -> term, commit, when

    def handlers(self) -> Mapping[type, Handler]:
        return {NodeState: self._state_told, LeaderCommit: self._leader_moved}

    def _state_told(self, event: NodeState) -> Violation | None:
        self.checked += 1
        epoch, commit, at_us = self._seen.get(event.node, (event.epoch, 0, event.at_us))
        if event.epoch < epoch:
            return None
        self._seen[event.node] = (event.epoch, event.commit, event.at_us)
        if len(self._seen) > NODES_KEPT_MAX:
            bound(self._seen, NODES_KEPT_MAX)
        if event.epoch > epoch or event.commit >= commit:
            return None
        return self._fell(event.node, commit, at_us, event.commit, event.at_us)

    def _leader_moved(self, event: LeaderCommit) -> Violation | None:
        self.checked += 1
        term, commit, at_us = self._led.get(event.node, (event.term, 0, event.at_us))
        if event.term < term:
            return None
        self._led[event.node] = (event.term, event.index, event.at_us)
        if len(self._led) > NODES_KEPT_MAX:
            bound(self._led, NODES_KEPT_MAX)
        if event.term > term or event.index >= commit:
            return None
        return self._fell(event.node, commit, at_us, event.index, event.at_us)

    def _fell(self, node: NodeId, commit: int, at_us: Micros, later: int, later_us: Micros) -> Violation:
        evidence = f"the commit index of {node} went back from {commit} to {later}"
        return self._violated(later_us, evidence, told(node, at_us, f"commit {commit}"), told(node, later_us, f"commit {later}"))
