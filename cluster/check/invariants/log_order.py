"""applied ≤ commit ≤ last (Raft figure 2): nothing is applied before it is committed, nor committed before it is held."""

from __future__ import annotations

from collections.abc import Mapping

from cluster.check.invariants.monitor import Handler, Monitor, told
from cluster.check.violation import Violation
from cluster.telemetry.events import NodeState


class LogOrder(Monitor):
    name = "applied ≤ commit ≤ last"
    needs_every_event = False

    def handlers(self) -> Mapping[type, Handler]:
        return {NodeState: self._state_told}

    def _state_told(self, event: NodeState) -> Violation | None:
        self.checked += 1
        if event.applied <= event.commit <= event.last_index:
            return None
        words = f"applied {event.applied}, commit {event.commit}, last {event.last_index}"
        return self._violated(event.at_us, f"{event.node}: {words}", told(event.node, event.at_us, words))
