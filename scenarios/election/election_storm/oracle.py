"""Judges by what the writers heard: half seconds of the flap in which no write was answered, once they are more than 1.5 s in all; and
whether what they heard is linearizable.

It was a trial only if the links were bad for as long as they should be, somebody led before, and every writer kept asking.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import msgspec

from cluster.check.formats.entry import Entry, Malformed
from cluster.check.judge import LINEARIZABLE, Finding
from cluster.check.judge import judge as judge_operations
from cluster.check.operations import Operations, gathered
from scenarios.records import HAND, Evidence, Judgement, Line, Params, Records, RecordsBroken

WRITERS = ("w1", "w2", "w3")
NODES = ("kv1", "kv2", "kv3", "kv4", "kv5")
FLAP_MS = 10_000
WINDOW_MS = 500
BUDGET_MS = 1_500
ASKED_MIN = 15  # by each writer in the flap: with one answer in 500 ms at the slowest, it asks twenty times
DELAYED_MIN = 500


class Flap(msgspec.Struct, frozen=True):
    """When all nodes had bad links, and the records that say so."""

    begin_ns: int
    end_ns: int
    where: tuple[str, ...]

    def holds(self, at_ns: int) -> bool:
        return self.begin_ns <= at_ns < self.end_ns


def judge(records: Records, params: Params) -> Judgement:
    history = sorted((line for writer in WRITERS for line in records.history(writer)), key=lambda line: line["time"])
    flap = _flap(records, params.scale)
    found = judge_operations(_operations(history))
    coverage = {
        "the links were bad for ten seconds": flap is not None and flap.end_ns - flap.begin_ns >= FLAP_MS * params.scale * 1e6 * 0.99,
        "somebody led, and writes were answered, before": flap is not None and _led_before(records, history, flap),
        "every writer kept asking": flap is not None and all(_asked(records, writer, flap) >= ASKED_MIN for writer in WRITERS),
        "at least 500 messages were late": flap is not None and _sent(records, flap) >= DELAYED_MIN,
        "every answer could be judged": not found.undecided,
    }
    violations = [_inexplicable(one, history) for one in found.findings]
    if found.verdict != LINEARIZABLE and not violations:
        coverage["every answer could be judged"] = False
    if flap is None:
        return Judgement(tuple(violations), coverage, {})
    gaps = list(_gaps(history, flap, WINDOW_MS * params.scale * 1e6))
    lost_ns = sum(until.data["time"] - since.data["time"] for since, until in gaps)
    if lost_ns > BUDGET_MS * params.scale * 1e6:
        violations += [evidence for gap in gaps for evidence in _windows(*gap, flap, WINDOW_MS * params.scale * 1e6)]
    return Judgement(tuple(violations), coverage, {"no_write_s": round(lost_ns / 1e9, 2), **_metrics(records, history, flap)})


def _flap(records: Records, scale: float) -> Flap | None:
    """From the moment when the last node acts by the slow links to that when the last one does not."""
    slow = [line for line in records.faults() if line["do"] == "slow" and line["on"] != HAND]  # the card's, not somebody's own
    steps = {line["phase"]: line for line in slow if line["ms"] >= FLAP_MS * scale}
    if "landed" not in steps or "ended" not in steps:
        return None
    return Flap(steps["landed"]["mono_ns"], steps["ended"]["mono_ns"], (steps["landed"].where, steps["ended"].where))


def _answered(history: list[Line]) -> list[Line]:
    return [line for line in history if line["type"] == "ok" and line["f"] == "put"]


def _gaps(history: list[Line], flap: Flap, window_ns: float) -> Iterator[tuple[Line, Line]]:
    """Stretches of the flap, of a window or more, between two answered writes; its own ends count as such."""
    ends = [Line(where, {"time": at_ns}) for where, at_ns in zip(flap.where, (flap.begin_ns, flap.end_ns), strict=True)]
    answered = [line for line in _answered(history) if flap.holds(line["time"])]
    for since, until in pairwise([ends[0], *answered, ends[1]]):
        if until["time"] - since["time"] >= window_ns:
            yield since, until


def _windows(since: Line, until: Line, flap: Flap, window_ns: float) -> list[Evidence]:
    """One for every whole window of a gap."""
    count = int((until["time"] - since["time"]) // window_ns)
    begins_s = [(since["time"] - flap.begin_ns + i * window_ns) / 1e9 for i in range(count)]
    length_s = window_ns / 1e9
    return [Evidence("no_write", (since.where, until.where), f"{s:.1f} s into the flap: no write for {length_s:g} s") for s in begins_s]


# ------------------------------------------------------------------------------------------------------------ coverage


def _led_before(records: Records, history: list[Line], flap: Flap) -> bool:
    roles = [line for node in NODES for line in records.trace(node, "raft.role") if line["mono_ns"] < flap.begin_ns]
    return any(line["role"] == "leader" for line in roles) and any(line["time"] < flap.begin_ns for line in _answered(history))


def _asked(records: Records, writer: str, flap: Flap) -> int:
    return sum(line["type"] == "invoke" and flap.holds(line["time"]) for line in records.history(writer))


def _sent(records: Records, flap: Flap) -> int:
    """Messages that nodes sent in the flap, by their own count: each of them was late."""
    total = 0
    for node in NODES:
        counts = [line["sent"] for line in records.trace(node, "raft.state") if flap.holds(line["mono_ns"])]
        total += max(0, counts[-1] - counts[0]) if counts else 0
    return total


def _metrics(records: Records, history: list[Line], flap: Flap) -> dict[str, int | float]:
    terms = [line["term"] for node in NODES for line in records.trace(node, "raft.state") if flap.holds(line["mono_ns"])]
    times = [line["time"] for line in _answered(history) if flap.holds(line["time"])]
    longest_ns = max(after - before for before, after in pairwise([flap.begin_ns, *times, flap.end_ns]))
    raised = max(terms, default=0) - min(terms, default=0)
    return {"answered": len(times), "longest_gap_ms": round(longest_ns / 1e6), "terms": raised, "messages": _sent(records, flap)}


# ------------------------------------------------------------------------------------------------------- linearizability


def _operations(history: list[Line]) -> Operations:
    """Of a history in the order of time. Each call is a client of its own: one that is given up leaves its client busy."""
    try:
        return gathered([_entry(number, line) for number, line in enumerate(history, 1)], "kv")
    except Malformed as malformed:
        raise RecordsBroken(history[malformed.line - 1].where, malformed.reason) from None


def _inexplicable(found: Finding, history: list[Line]) -> Evidence:
    where = history[found.operation.line - 1].where
    return Evidence("not_linearizable", (where,), f"{found.key}: {found.operation!r}: no order of what was asked explains it")


def _entry(number: int, line: Line) -> Entry:
    return Entry(
        line=number, kind=line["type"], process=f"{line['process']}-{line['index']}", f=line["f"], key=line["value"].get("key"),
        value=line["value"].get("value"), time_ns=line["time"],
    )  # fmt: skip
