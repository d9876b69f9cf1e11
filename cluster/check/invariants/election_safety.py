"""Election safety (Raft §5.2): at most one leader can be elected in a term."""

from __future__ import annotations

from collections.abc import Mapping

from cluster.check.invariants.monitor import TERMS_MAX, Handler, Monitor, bound, told
from cluster.check.violation import Violation
from cluster.core.types import Micros, NodeId, Role
from cluster.telemetry.events import NodeState, RoleTaken


class ElectionSafety(Monitor):
    name = "election safety"
    of_leaders = True

    def __init__(self) -> None:
        super().__init__()
        self._leaders: dict[int, tuple[NodeId, Micros]] = {}  # term -> who led first, since when

    def handlers(self) -> Mapping[type, Handler]:
        return {RoleTaken: self._announced, NodeState: self._announced}

    def _announced(self, event: RoleTaken | NodeState) -> Violation | None:
        if event.role != Role.LEADER:
            return None  # a role that was taken, which it hears of whatever the role
        known = self._leaders.get(event.term)
        if known is None:
            self.checked += 1
            self._leaders[event.term] = (event.node, event.at_us)
            bound(self._leaders, TERMS_MAX)
            return None
        if known[0] == event.node:
            return None
        return self._violated(
            event.at_us,
            f"{known[0]} and {event.node} both lead term {event.term}",
            told(known[0], known[1], f"leads term {event.term}"),
            told(event.node, event.at_us, f"leads term {event.term}"),
        )
