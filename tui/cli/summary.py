"""What a run was, in words: the headless report for those who did not ask for JSON, and a line when the dashboard is left."""

from __future__ import annotations

from typing import Any

from cluster.core.types import SECOND
from cluster.telemetry.view import ClusterView


def farewell(view: ClusterView) -> str:
    """One line on the lab that was left: how long it ran, what was broken, what the judges say."""
    if view.lab is None:
        return "the lab had not opened"
    minutes, seconds = divmod(max(0, view.now_us - view.lab.at_us) // SECOND, 60)
    faults = len(view.faults) + len(view.past_faults)
    parts = [f"ran {minutes}:{seconds:02}", _counted(faults, "fault"), _counted(len(view.reigns), "reign")]
    if view.ops is not None:
        parts.append(f"{view.ops.ok} of {view.ops.invoked} operations ok")
    states = [light.state for light in view.lights.values()]
    red = [light.light for light in view.lights.values() if light.state == "violated"]
    if red:
        parts.append(f"VIOLATED: {', '.join(red)}")
    elif states:
        parts.append("all judges green" if set(states) == {"ok"} else "not judged whole")
    return " · ".join(parts)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def summary(report: dict[str, Any]) -> str:
    """A dozen lines: what happened, what was broken, and the verdicts."""
    ops, invariants = report["ops"], report["invariants"]
    lines = [
        f"{report['nodes']} nodes, {report['voters']} voters, profile {report['profile']}, seed {report['seed']}",
        f"ready      {_ms(report['ready_ms'])}, first leader {_ms(report['leader_ms'])}",
        "leaders    " + (", ".join(f"{x['node']} (term {x['term']})" for x in report["leaders"]) or "none"),
        *[_fault(fault) for fault in report["faults"]],
        *[f"refused    {entry['text']}: {entry['answer']}" for entry in report["refused"]],
        f"operations {ops['ok']} ok, {ops['failed']} failed, {ops['unknown']} unknown of {ops['invoked']};"
        f" nothing answered for {_ms(report['unavailable_ms'])}",
        f"suspicions {_verdicts(report['verdicts'])}",
        f"acked      {_acked(report)}",
        f"history    {_yes_no(report['linearizable'], 'linearizable', 'NOT LINEARIZABLE')}",
        f"invariants {_invariants(invariants)}",
        *[f"VIOLATION  {found['light']}: {found['evidence']}" for found in invariants["violations"]],
        f"exit       {'clean' if report['clean_exit'] else 'NOT CLEAN'}",
    ]
    return "\n".join(lines)


def _ms(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.0f} ms"


def _fault(fault: dict[str, Any]) -> str:
    ended = "to the end" if fault["ended_ms"] is None else f"to {fault['ended_ms'] / 1000:.1f} s"
    return f"fault #{fault['id']:<3} {fault['what']}, from {fault['at_ms'] / 1000:.1f} s {ended}"


def _verdicts(verdicts: list[dict[str, Any]]) -> str:
    false = sum(1 for verdict in verdicts if verdict["truth"] == "false")
    return f"{len(verdicts)}, {false} of them false"


def _acked(report: dict[str, Any]) -> str:
    if report["acked_lost"] is None:
        return "not counted"
    return f"{report['acked']} acknowledged writes, {report['acked_lost'] or 'none'} lost"


def _yes_no(value: bool | None, yes: str, no: str) -> str:
    return "unknown" if value is None else yes if value else no


def _invariants(invariants: dict[str, Any]) -> str:
    unknown = [name for name, state in invariants["states"].items() if state == "unknown"]
    words = f"{len(invariants['violations'])} violations in {invariants['checked']} checks"
    return words + (f"; unknown: {', '.join(unknown)}" if unknown else "")
