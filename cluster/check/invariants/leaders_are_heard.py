"""Check-quorum (dissertation §6.2): a leader that no majority answers gives up its office.

Without it a leader behind a cut goes on for ever: its clients wait, and whoever believes it serves nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

from cluster.check.invariants.monitor import NODES_KEPT_MAX, Handler, Monitor, bound, told
from cluster.check.violation import Violation
from cluster.core.types import Micros, NodeId
from cluster.telemetry.events import LabOpened, NodeState

# In smallest election timeouts: twice the largest one in every profile, which is when a leader must have noticed.
PATIENCE = 4


class LeadersAreHeard(Monitor):
    name = "leaders are heard"
    needs_every_event = False
    of_leaders = True

    def __init__(self) -> None:
        super().__init__()
        self._limit_us: Micros = 0  # 0: not told yet
        # What was too old when it was told first. A process that was frozen tells one old age, and then looks at its clock.
        self._overdue: dict[NodeId, NodeState] = {}

    def handlers(self) -> Mapping[type, Handler]:
        return {LabOpened: self._opened, NodeState: self._state_told}

    def _opened(self, event: LabOpened) -> None:
        self._limit_us = PATIENCE * event.election_min_us

    def _state_told(self, event: NodeState) -> Violation | None:
        if not self._limit_us:
            return None
        self.checked += 1
        first = self._overdue.get(event.node)
        if event.quorum_age_us < self._limit_us:
            self._overdue.pop(event.node, None)
            return None
        if first is None or (first.epoch, first.term) != (event.epoch, event.term) or event.quorum_age_us <= first.quorum_age_us:
            self._overdue[event.node] = event
            bound(self._overdue, NODES_KEPT_MAX)
            return None
        if event.at_us - first.at_us < self._limit_us // PATIENCE:
            return None
        return self._violated(
            event.at_us,
            f"{event.node} still leads term {event.term}, and no majority has answered for {event.quorum_age_us // 1_000} ms",
            told(first.node, first.at_us, f"leads term {first.term}, a majority answered {first.quorum_age_us // 1_000} ms ago"),
            told(event.node, event.at_us, f"leads term {event.term}, a majority answered {event.quorum_age_us // 1_000} ms ago"),
        )
