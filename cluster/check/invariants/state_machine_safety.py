"""State-machine safety (Raft §5.4.3): whoever has applied up to an index has applied the same.

Every node marks the same indexes with one digest chained over all that it applied; equal marks must carry equal digests.
"""

from __future__ import annotations

from collections.abc import Mapping

from cluster.check.invariants.monitor import Handler, Monitor, bound, told
from cluster.check.violation import Violation
from cluster.telemetry.events import AppliedMark

MARKS_MAX = 16_384


class StateMachineSafety(Monitor):
    name = "state-machine safety"

    def __init__(self) -> None:
        super().__init__()
        self._marks: dict[int, AppliedMark] = {}

    def handlers(self) -> Mapping[type, Handler]:
        return {AppliedMark: self._marked}

    def _marked(self, event: AppliedMark) -> Violation | None:
        self.checked += 1
        known = self._marks.setdefault(event.index, event)
        if len(self._marks) > MARKS_MAX:
            bound(self._marks, MARKS_MAX)
        if (known.digest, known.term) == (event.digest, event.term):
            return None
        return self._violated(
            event.at_us,
            f"{known.node} and {event.node} applied different entries up to {event.index}",
            *(told(m.node, m.at_us, f"index {m.index}, term {m.term}, digest {m.digest:#x}") for m in (known, event)),
        )
