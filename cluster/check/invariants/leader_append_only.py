"""Leader append-only (Raft §5.3): a leader never overwrites or deletes entries of its own log; it only adds to them."""

from __future__ import annotations

from collections.abc import Mapping

from cluster.check.invariants.monitor import NODES_KEPT_MAX, Handler, Monitor, bound, told
from cluster.check.violation import Violation
from cluster.core.types import Micros, NodeId, Role
from cluster.telemetry.events import LogTruncated, NodeReady, NodeState, RoleTaken


class LeaderAppendOnly(Monitor):
    name = "leader append-only"
    of_leaders = True

    def __init__(self) -> None:
        super().__init__()
        self._leads: dict[NodeId, tuple[int, Micros]] = {}  # node -> term it leads, since when
        self._held: dict[NodeId, tuple[int, int, int, Micros]] = {}  # leader -> epoch, term, last index, when

    def handlers(self) -> Mapping[type, Handler]:
        return {RoleTaken: self._role, NodeReady: self._recovered, LogTruncated: self._truncated, NodeState: self._state_told}

    def _role(self, event: RoleTaken) -> None:
        if event.role == Role.LEADER:
            self._leads[event.node] = (event.term, event.at_us)
            bound(self._leads, NODES_KEPT_MAX)
        else:
            self._leads.pop(event.node, None)

    def _recovered(self, event: NodeReady) -> None:
        self._leads.pop(event.node, None)

    def _truncated(self, event: LogTruncated) -> Violation | None:
        self.checked += 1
        term, since_us = self._leads.get(event.node, (0, 0))
        if term != event.term or since_us > event.at_us:
            return None
        return self._violated(
            event.at_us,
            f"{event.node} leads term {term} and overwrites its own entries {event.from_index}–{event.to_index}",
            told(event.node, since_us, f"leads term {term}"),
            told(event.node, event.at_us, f"overwrites entries {event.from_index}–{event.to_index}"),
        )

    def _state_told(self, event: NodeState) -> Violation | None:
        self.checked += 1
        epoch, term, last, at_us = self._held.get(event.node, (event.epoch, event.term, 0, event.at_us))
        if (event.epoch, event.term) < (epoch, term) or event.at_us < at_us:
            return None
        self._held[event.node] = (event.epoch, event.term, event.last_index, event.at_us)
        if len(self._held) > NODES_KEPT_MAX:
            bound(self._held, NODES_KEPT_MAX)
        if (event.epoch, event.term) != (epoch, term) or event.last_index >= last:
            return None
        return self._violated(
            event.at_us,
            f"{event.node} leads term {term}, and its log shrinks from {last} to {event.last_index}",
            told(event.node, at_us, f"its log ends at {last}"),
            told(event.node, event.at_us, f"its log ends at {event.last_index}"),
        )
