"""Leader completeness (Raft §5.4): what was committed in a term is in the log of every leader of a higher term."""

from __future__ import annotations

from collections.abc import Mapping

from cluster.check.invariants.monitor import TERMS_MAX, Handler, Monitor, term_at, told
from cluster.check.violation import Violation
from cluster.telemetry.events import LeaderCommit, NodeState


class LeaderCompleteness(Monitor):
    name = "leader completeness"
    of_leaders = True

    def __init__(self) -> None:
        super().__init__()
        self._committed: dict[int, LeaderCommit] = {}  # term -> its highest commit
        self._before: tuple[int, LeaderCommit | None] = (0, None)  # a term, and the highest commit of those before it

    def handlers(self) -> Mapping[type, Handler]:
        return {LeaderCommit: self._moved, NodeState: self._state_told}

    def _moved(self, event: LeaderCommit) -> None:
        known = self._committed.get(event.term)
        if known is not None and event.index <= known.index:
            return
        self._committed[event.term] = event
        if event.term < self._before[0]:
            self._before = (0, None)
        if len(self._committed) > TERMS_MAX:
            # Forgetting a low term loses little: later terms commit more.
            del self._committed[min(self._committed)]

    def _state_told(self, event: NodeState) -> Violation | None:
        self.checked += 1
        commit = self._highest_before(event.term)
        if commit is None:
            return None
        if commit.index > event.last_index:
            return self._lacks(event, commit, f"its log ends at {event.last_index}")
        # Whoever commits in a term holds nothing newer than that term.
        held = term_at(event.log, commit.index)
        return self._lacks(event, commit, f"holds another of term {held} in its place") if held > commit.term else None

    def _highest_before(self, term: int) -> LeaderCommit | None:
        """Of all that was committed in terms before `term`, what lies furthest on. Asked again and again about one term."""
        if self._before[0] != term:
            before = [commit for commit in self._committed.values() if commit.term < term]
            self._before = (term, max(before, key=lambda commit: commit.index, default=None))
        return self._before[1]

    def _lacks(self, event: NodeState, commit: LeaderCommit, words: str) -> Violation:
        return self._violated(
            event.at_us,
            f"{event.node} leads term {event.term} without entry {commit.index}, committed in term {commit.term}",
            told(commit.node, commit.at_us, f"commits {commit.index} in term {commit.term}"),
            told(event.node, event.at_us, f"leads term {event.term}, {words}"),
        )
