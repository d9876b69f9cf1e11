"""A node's term never falls (Raft §5.1): not while it runs, and not below a term it has led, across restarts.

A term that was only reported may have died with a process before it was durable, and nobody heard of it: that is no fall. Having
led is different: a leader's own vote was durable before it counted.
"""

from __future__ import annotations

from collections.abc import Mapping

from cluster.check.invariants.monitor import NODES_KEPT_MAX, Handler, Monitor, bound, told
from cluster.check.violation import Violation
from cluster.core.types import Micros, NodeId, Role
from cluster.telemetry.events import FaultBegan, NodeReady, NodeState, RoleTaken


class TermNeverFalls(Monitor):
    name = "term never falls"
    needs_every_event = False

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[NodeId, tuple[int, int, Micros]] = {}  # node -> epoch, term, when
        self._led: dict[NodeId, tuple[int, Micros]] = {}  # node -> highest term it led, when

    def handlers(self) -> Mapping[type, Handler]:
        return {NodeState: self._state_told, RoleTaken: self._role, NodeReady: self._recovered, FaultBegan: self._fault}

    def _state_told(self, event: NodeState) -> Violation | None:
        self.checked += 1
        epoch, term, at_us = self._seen.get(event.node, (event.epoch, event.term, event.at_us))
        if event.epoch < epoch:
            return None  # the last words of a former process, read late
        self._seen[event.node] = (event.epoch, event.term, event.at_us)
        if len(self._seen) > NODES_KEPT_MAX:
            bound(self._seen, NODES_KEPT_MAX)
        if event.epoch > epoch or event.term >= term:
            return None
        return self._fell(event.node, term, at_us, event.term, event.at_us)

    def _role(self, event: RoleTaken) -> None:
        if event.role == Role.LEADER and event.term > self._led.get(event.node, (0, 0))[0]:
            self._led[event.node] = (event.term, event.at_us)
            bound(self._led, NODES_KEPT_MAX)

    def _recovered(self, event: NodeReady) -> Violation | None:
        self.checked += 1
        term, at_us = self._led.get(event.node, (0, 0))
        return None if event.term >= term else self._fell(event.node, term, at_us, event.term, event.at_us)

    def _fault(self, event: FaultBegan) -> None:
        if event.kind == "wipe":  # whose disk was emptied on purpose starts as a new node
            for node in event.targets:
                self._led.pop(node, None)

    def _fell(self, node: NodeId, term: int, at_us: Micros, later: int, later_us: Micros) -> Violation:
        evidence = f"{node} went back from term {term} to {later}"
        return self._violated(later_us, evidence, told(node, at_us, f"term {term}"), told(node, later_us, f"term {later}"))
