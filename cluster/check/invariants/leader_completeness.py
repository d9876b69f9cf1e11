"""Leader completeness (Raft §5.4): what was committed in a term is in the log of every leader of a higher term."""

from __future__ import annotations

from collections.abc import Mapping

from cluster.check.invariants.monitor import TERMS_MAX, Handler, Monitor, told
from cluster.check.violation import Violation
from cluster.core.types import Role
from cluster.telemetry.events import LeaderCommit, NodeState


class LeaderCompleteness(Monitor):
    name = "leader completeness"

    def __init__(self) -> None:
        super().__init__()
        self._committed: dict[int, LeaderCommit] = {}  # term -> its highest commit

    def handlers(self) -> Mapping[type, Handler]:
        return {LeaderCommit: self._moved, NodeState: self._state_told}

    def _moved(self, event: LeaderCommit) -> None:
        known = self._committed.get(event.term)
        if known is None or event.index > known.index:
            self._committed[event.term] = event
            if len(self._committed) > TERMS_MAX:
                # Forgetting a low term loses little: later terms commit more.
                del self._committed[min(self._committed)]

    def _state_told(self, event: NodeState) -> Violation | None:
        if event.role != Role.LEADER:
            return None
        self.checked += 1
        for commit in self._committed.values():
            if commit.term < event.term and commit.index > event.last_index:
                return self._violated(
                    event.at_us,
                    f"{event.node} leads term {event.term} without entry {commit.index}, committed in term {commit.term}",
                    told(commit.node, commit.at_us, f"commits {commit.index} in term {commit.term}"),
                    told(event.node, event.at_us, f"leads term {event.term}, its log ends at {event.last_index}"),
                )
        return None
