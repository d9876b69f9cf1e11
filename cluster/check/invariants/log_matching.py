"""Log matching (Raft §5.3): two logs that hold an entry of one index and term are the same up to there.

So the entries of one term begin at the same index, after an entry of the same term, in every log that holds their beginning: a
log is told by its term runs. (That equal indexes and terms carry equal commands is judged by state-machine safety.)
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import msgspec

from cluster.check.invariants.monitor import NODES_KEPT_MAX, TERMS_MAX, Handler, Monitor, bound, told
from cluster.check.violation import Violation
from cluster.core.types import Micros, NodeId
from cluster.telemetry.events import NodeState, TermRun


class _Beginning(msgspec.Struct, frozen=True):
    """The entries of a term begin at `index`, after an entry of `after_term` (0: after nothing); `node` said so first."""

    index: int
    after_term: int
    node: NodeId
    at_us: Micros


class LogMatching(Monitor):
    name = "log matching"
    needs_every_event = False

    def __init__(self) -> None:
        super().__init__()
        self._beginnings: dict[int, _Beginning] = {}
        self._judged: dict[NodeId, tuple[TermRun, ...]] = {}

    def handlers(self) -> Mapping[type, Handler]:
        return {NodeState: self._state_told}

    def _state_told(self, event: NodeState) -> Violation | None:
        runs = event.log
        if not runs or self._judged.get(event.node) == runs:
            return None
        self._judged[event.node] = runs
        bound(self._judged, NODES_KEPT_MAX)
        self.checked += 1
        first = runs[0]
        # The oldest run shown may have begun before what is shown, unless it begins the log.
        violation = self._begins(event, first, 0) if first.first_index == 1 else self._holds(event, first)
        for before, run in pairwise(runs):
            violation = violation or self._begins(event, run, before.term)
        return violation

    def _begins(self, event: NodeState, run: TermRun, after_term: int) -> Violation | None:
        known = self._beginnings.get(run.term)
        if known is None:
            self._beginnings[run.term] = _Beginning(run.first_index, after_term, event.node, event.at_us)
            bound(self._beginnings, TERMS_MAX)
            return None
        if (known.index, known.after_term) == (run.first_index, after_term):
            return None
        return self._differ(event, run, known, f"begins at {run.first_index} after term {after_term}")

    def _holds(self, event: NodeState, run: TermRun) -> Violation | None:
        known = self._beginnings.get(run.term)
        if known is None or run.first_index >= known.index:
            return None
        return self._differ(event, run, known, f"begins at {run.first_index} or before")

    def _differ(self, event: NodeState, run: TermRun, known: _Beginning, words: str) -> Violation:
        return self._violated(
            event.at_us,
            f"the logs of {known.node} and {event.node} both hold entries of term {run.term}, and differ below them",
            told(known.node, known.at_us, f"term {run.term} begins at {known.index} after term {known.after_term}"),
            told(event.node, event.at_us, f"term {run.term} {words}"),
        )
