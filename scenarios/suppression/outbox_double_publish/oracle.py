"""Judges by the inventory's ledger against the order service's: an event that was counted more than once, or never.

It was a trial only if the relay died with a whole batch between its two steps, the inventory between counting and acknowledging, and what
was due to come again did come.
"""

from __future__ import annotations

from collections import Counter

from cluster.check.once import exactly_once
from scenarios.records import Evidence, Judgement, Line, Params, Records

BATCH = 5
KILLED = -9


def judge(records: Records, params: Params) -> Judgement:
    toggles = params.toggles
    placed = {line["event"]: line for line in records.ledger("orders")}
    ledger = records.ledger("inventory")
    counted = [line for line in ledger if line["kind"] == "decremented"]
    dropped = [line for line in ledger if line["kind"] == "dropped"]
    between = _last_before_death(records, "relay")
    wanted = [order["id"] for order in records.truth()["workload"]]
    again = len(ledger) - len({line["event"] for line in ledger})
    due = (BATCH if toggles["mark"] == "after" else 0) + (1 if toggles["qos"] == "1" else 0)
    cured: dict[str, bool] = {}
    coverage = {
        "every order of the workload was placed once, with its event": bool(wanted) and _orders(placed) == sorted(wanted),
        "the relay died with a whole batch between its two steps": _batch(between) == BATCH,
        "the inventory died between counting and acknowledging": _is(
            _last_before_death(records, "inventory"), "inv.after_apply_before_ack"
        ),
        "what was due to come again came": again >= due,
    }
    if toggles["consumer_dedup"] == "on" and toggles["dedup_store"] == "same_txn":
        cured["all that came again was dropped"] = len(dropped) >= due
    metrics = {
        "events": len(placed), "decrements": len(counted), "dropped": len(dropped), "came_again": again,
        "published": sum(line["type"] == "ok" for line in records.history("relay")),
    }  # fmt: skip
    return Judgement(_violations(placed, counted), coverage, metrics, cured)


def _violations(placed: dict[str, Line], counted: list[Line]) -> tuple[Evidence, ...]:
    by_event: dict[str, list[Line]] = {}
    for line in counted:
        by_event.setdefault(line["event"], []).append(line)
    count = exactly_once(placed, (line["event"] for line in counted))
    twice = [
        Evidence(
            "counted_twice", (first.where, again.where), f"{_name(placed, event)}: message {first['message']}, and again {again['message']}"
        )
        for event in count.extra
        for first, again in ((by_event[event][0], again) for again in by_event[event][1:])
    ]
    never = [
        Evidence("never_counted", (placed[event].where,), f"{_name(placed, event)}: no unit was taken for it") for event in count.missing
    ]
    strange = [Evidence("strange_event", (by_event[event][0].where,), f"{event}: no order has it") for event in count.strange]
    return (*twice, *never, *strange)


def _name(placed: dict[str, Line], event: str) -> str:
    return f"{placed[event]['order']} (event {event})" if event in placed else event


def _orders(placed: dict[str, Line]) -> list[str]:
    counts = Counter(line["order"] for line in placed.values())
    return sorted(counts.elements())


def _last_before_death(records: Records, process: str) -> Line | None:
    """What it traced last before it was killed for the first time, by its parent's word; None when it never was."""
    deaths = [
        line["mono_ns"]
        for line in records.supervisor()
        if line["process"] == process and line["event"] == "exited" and line["status"] == KILLED
    ]
    said = [line for line in records.trace(process) if deaths and line["mono_ns"] < deaths[0]]
    return said[-1] if said else None


def _batch(line: Line | None) -> int:
    """How many events lay between publishing and marking."""
    return len(set(line["events"])) if line is not None and line["event"] == "outbox.between_publish_and_mark" else 0


def _is(line: Line | None, event: str) -> bool:
    return line is not None and line["event"] == event
