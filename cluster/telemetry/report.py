"""What a headless run says when it ends: one document, computed from the events that any seat hears.

Law 1: nothing is asked of a node; the report is a fold like the screen, over the same events.
Law 2: what was not measured is `None`, never zero.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cluster.core.types import Micros, NodeId
from cluster.telemetry import events as e
from cluster.telemetry.fold import fold
from cluster.telemetry.view import EMPTY, ClusterView, Rumour

VERDICTS_REPORTED_MAX = 1_000
VIOLATIONS_REPORTED_MAX = 200
REFUSALS_REPORTED_MAX = 200


class Reporter:
    """Feed it every event of a lab; `document()` at any time."""

    def __init__(self, initial: ClusterView = EMPTY) -> None:
        self.view = initial
        self._ready: dict[NodeId, Micros] = {}
        self._leaders: list[e.RoleTaken] = []
        self._faults: dict[int, tuple[e.FaultBegan, Micros | None]] = {}
        self._verdicts: list[dict[str, Any]] = []
        self._violations: list[dict[str, Any]] = []
        self._refused: list[dict[str, str]] = []
        self._lost_most = 0
        self._hear_what_was(initial)

    def _hear_what_was(self, initial: ClusterView) -> None:
        """What had happened before this seat sat down: the first nodes may have been up, and the first leader elected."""
        self._ready |= {name: node.since_us for name, node in initial.nodes.items() if node.process == "up"}
        self._leaders += [e.RoleTaken(x.node, x.began_us, "leader", x.term, x.node, "") for x in initial.reigns]
        self._faults |= {number: (known.fault, None) for number, known in initial.faults.items()}

    def feed(self, batch: Iterable[e.Event]) -> None:
        """Events in arrival order."""
        for event in batch:
            before = self.view.lights
            self.view = fold(self.view, event)
            self._note(event)
            if isinstance(event, e.LightChanged) and event.state == "violated":
                self._note_violation(event, before.get(event.light))

    def _note(self, event: e.Event) -> None:
        match event:
            case e.NodeReady():
                self._ready.setdefault(event.node, event.at_us)
            case e.RoleTaken(role="leader"):
                self._leaders.append(event)
            case e.FaultBegan():
                self._faults[event.id] = (event, None)
            case e.FaultEnded() if event.id in self._faults:
                self._faults[event.id] = (self._faults[event.id][0], event.at_us)
            case e.Verdict(convicted=True) if len(self._verdicts) < VERDICTS_REPORTED_MAX:
                self._verdicts.append(self._verdict(event))
            case e.AckedCounted():
                self._lost_most = max(self._lost_most, event.lost)
            case e.CommandDone(ok=False) if len(self._refused) < REFUSALS_REPORTED_MAX:
                self._refused.append({"text": event.text, "answer": event.answer})
            case _:
                pass

    def _note_violation(self, event: e.LightChanged, before: e.LightChanged | None) -> None:
        """Once per finding: a red light is told again with every check that follows."""
        if before is not None and (before.state, before.evidence) == (event.state, event.evidence):
            return
        if len(self._violations) < VIOLATIONS_REPORTED_MAX:
            self._violations.append({"light": event.light, "at_ms": self._ms(event.at_us), "evidence": event.evidence})

    @property
    def has_leader(self) -> bool:
        """Some node announced leadership and neither died nor resigned since."""
        return any(not reign.ended_us for reign in self.view.reigns)

    @property
    def all_ready(self) -> bool:
        """Every node of the lab has served at least once."""
        return self.view.lab is not None and len(self._ready) == len(self.view.lab.nodes)

    @property
    def violated(self) -> bool:
        return bool(self._violations) or self._lost_most > 0

    @property
    def unknown(self) -> bool:
        """Nothing was found wrong, but a judge could not see all of it, or there was nothing to judge."""
        lights = self.view.lights
        judged = self.view.ops is not None and self.view.ops.ok > 0 and self.view.acked is not None
        return not judged or any(light.state == "unknown" for light in lights.values())

    def _ms(self, at_us: Micros) -> float | None:
        lab = self.view.lab
        return round((at_us - lab.at_us) / 1000, 1) if lab else None

    def _verdict(self, event: e.Verdict) -> dict[str, Any]:
        judged = self.view.verdicts[-1]
        return {
            "observer": event.node,
            "subject": event.subject,
            "at_ms": self._ms(event.at_us),
            "phi": event.phi_tenths / 10,
            "truth": judged.truth,
            "late_ms": round(judged.late_us / 1000, 1),
        }

    def document(self) -> dict[str, Any]:
        """The report, ready for JSON."""
        view, lab = self.view, self.view.lab
        ops = view.ops
        return {
            "run": lab.run if lab else None,
            "version": lab.version if lab else None,
            "seed": lab.seed if lab else None,
            "profile": lab.profile if lab else None,
            "nodes": len(lab.nodes) if lab else 0,
            "voters": len(lab.voters) if lab else 0,
            "mistakes": list(lab.mistakes) if lab else [],
            "ready_ms": self._ms(max(self._ready.values())) if self.all_ready else None,
            "leader_ms": self._ms(self._leaders[0].at_us) if self._leaders else None,
            "leaders": [{"term": x.term, "node": x.node, "at_ms": self._ms(x.at_us)} for x in self._leaders],
            "faults": [self._fault(began, ended) for began, ended in self._faults.values()],
            "refused": self._refused,
            "ops": {
                "invoked": ops.invoked if ops else 0,
                "ok": ops.ok if ops else 0,
                "failed": ops.failed if ops else 0,
                "unknown": ops.unknown if ops else 0,
            },
            "acked": view.acked.acked if view.acked else None,
            # The most that any count missed: a slot written anew hides what was lost from it.
            "acked_lost": self._lost_most if view.acked else None,
            "linearizable": self._linearizable(),
            "invariants": self._invariants(),
            "verdicts": self._verdicts,
            "gossip": {"rounds": self._rounds(), "convergence_ms": self._convergence_ms()},
            "unavailable_ms": round(ops.unavailable_us / 1000, 1) if ops else None,
            "telemetry_lost": view.lost,
            "clean_exit": bool(view.closed) and view.clean,
        }

    def _fault(self, began: e.FaultBegan, ended_us: Micros | None) -> dict[str, Any]:
        return {
            "id": began.id,
            "what": began.text,
            "asked": began.asked,
            "at_ms": self._ms(began.at_us),
            "ended_ms": self._ms(ended_us) if ended_us is not None else None,
        }

    def _linearizable(self) -> bool | None:
        light = self.view.lights.get("linearizable")
        return None if light is None or light.state == "unknown" else light.state == "ok"

    def _invariants(self) -> dict[str, Any]:
        lights = {name: light for name, light in self.view.lights.items() if name not in ("linearizable", "acked")}
        return {
            "checked": sum(light.checked for light in lights.values()),
            "states": {name: light.state for name, light in sorted(lights.items())},
            "violations": [v for v in self._violations if v["light"] in lights],
        }

    def _rounds(self) -> int:
        states = [node.state for node in self.view.nodes.values() if node.state is not None]
        return max((state.gossip_rounds for state in states), default=0)

    def _convergence_ms(self) -> float | None:
        """From a rumour's birth to the moment its last node learned it: of the newest rumour that all nodes know."""
        complete = [r for r in self.view.rumours if len(r.learned) == len(self.view.nodes)]
        return _spread_ms(complete[-1]) if complete else None


def _spread_ms(rumour: Rumour) -> float:
    return round((max(heard.at_us for heard in rumour.learned) - rumour.began_us) / 1000, 1)
