"""A headless report in words, for those who did not ask for JSON."""

from __future__ import annotations

from typing import Any


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
