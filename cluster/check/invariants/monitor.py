"""What every monitor is: one property, fed with events, that turns red with evidence and stays red.

Law 1: a monitor goes red only on what no correct cluster can report; it never guesses from silence or order of arrival.
Law 2: a monitor whose evidence is known to be missing is not green: it says unknown (and red outranks unknown).
Law 3: memory is bounded: records of the oldest terms and indexes are forgotten, and no longer judged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, TypeVar

from cluster.check.violation import OK, UNKNOWN, VIOLATED, Light, Violation
from cluster.core.types import SECOND, Micros, NodeId
from cluster.telemetry.events import TelemetryLost, TermRun

K = TypeVar("K")
V = TypeVar("V")
Handler = Callable[[Any], Violation | None]

TERMS_MAX = 1_024
# Nodes are bounded by the lab; this bounds what a recording may claim.
NODES_KEPT_MAX = 1_000


class Monitor:
    """One property. A subclass names it and says which events it reads."""

    name: ClassVar[str]
    # False for what is sampled from periodic states anyway: one sample less proves as much as the others do.
    needs_every_event: ClassVar[bool] = True
    # True for what looks only at states of nodes that lead: the others need not be shown to it.
    of_leaders: ClassVar[bool] = False

    def __init__(self) -> None:
        self.checked = 0
        self.violations = 0
        self._state, self._evidence = OK, ""

    def handlers(self) -> Mapping[type, Handler]:
        """Event type -> what judges it."""
        raise NotImplementedError

    def light(self) -> Light:
        return Light(self._state, self.checked, self._evidence)

    def went_blind(self, lost: TelemetryLost) -> None:
        """Safety events of a node are missing."""
        if self.needs_every_event and self._state == OK:
            self._state = UNKNOWN
            self._evidence = f"{lost.count} safety events of {lost.node} were lost at {lost.at_us / SECOND:.3f} s"

    def _violated(self, at_us: Micros, evidence: str, *witness: str) -> Violation:
        """Red, with the first evidence kept for the light."""
        self.violations += 1
        if self._state != VIOLATED:
            self._state, self._evidence = VIOLATED, evidence
        return Violation(self.name, at_us, evidence, witness)


def told(node: NodeId, at_us: Micros, words: str) -> str:
    """One record for a witness."""
    return f"{at_us / SECOND:.6f}  {node}  {words}"


def term_at(log: Sequence[TermRun], index: int) -> int:
    """Term of the entry at `index` by the reported runs; 0 below the oldest run."""
    term = 0
    for run in log:
        if run.first_index > index:
            break
        term = run.term
    return term


def bound(records: dict[K, V], limit: int) -> None:
    """Forget the oldest records past `limit` (Law 3)."""
    while len(records) > limit:
        del records[next(iter(records))]
