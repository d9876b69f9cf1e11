"""Judges by payd's ledger: an order that was charged more than once, or never.

It was a trial only if every order's lock passed from w1 to w2 and w1's charges were sent after it had stood still.
"""

from __future__ import annotations

from cluster.check.once import exactly_once
from scenarios.records import Evidence, Judgement, Line, Params, Records

OLD, NEW = "w1", "w2"


def judge(records: Records, params: Params) -> Judgement:
    orders = [order["id"] for order in records.truth()["workload"]]
    ledger = records.ledger("payd")
    charged = [line for line in ledger if line["kind"] == "charged"]
    rejected = [line for line in ledger if line["kind"] == "rejected"]
    late = _late_charges(records)
    cured: dict[str, bool] = {}
    coverage = {
        "every order's lock passed from w1 to w2": bool(orders) and set(orders) == _passed_on(records),
        "w1 sent a charge for every order after its pause": bool(orders) and set(orders) == {line["value"]["order"] for line in late},
    }
    if params.toggles["fencing"] == "on":
        turned_away = {line["order"] for line in rejected if line["caller"] == OLD}
        cured["every late charge arrived and was turned away"] = bool(orders) and set(orders) == turned_away
    violations = _violations(orders, charged)
    metrics = {"orders": len(orders), "charges": len(charged), "rejections": len(rejected), "late_charges": len(late)}
    return Judgement(violations, coverage, metrics | _pause_metric(records), cured)


def _violations(orders: list[str], charged: list[Line]) -> tuple[Evidence, ...]:
    by_order: dict[str, list[Line]] = {}
    for line in charged:
        by_order.setdefault(line["order"], []).append(line)
    count = exactly_once(orders, (line["order"] for line in charged))
    duplicates = [
        Evidence("duplicate_charge", (first.where, again.where), f"{order}: charged by {first['caller']}, and again by {again['caller']}")
        for order in count.extra
        for first, again in ((by_order[order][0], again) for again in by_order[order][1:])
    ]
    missed = [Evidence("missed_charge", ("truth.json",), f"{order}: never charged") for order in count.missing]
    strange = [Evidence("strange_charge", (by_order[order][0].where,), f"{order}: nobody ordered it") for order in count.strange]
    return (*duplicates, *missed, *strange)


def _passed_on(records: Records) -> set[str]:
    """Orders whose lock w2 got after w1, and before w1 was done with it."""
    old = {line["order"]: line["mono_ns"] for line in reversed(records.trace(OLD, "lock.acquired"))}
    new = {line["order"]: line["mono_ns"] for line in reversed(records.trace(NEW, "lock.acquired"))}
    lost = {line["order"] for line in records.trace(OLD, "lock.lost")}
    return {order for order in old if order in new and new[order] > old[order] and order in lost}


def _late_charges(records: Records) -> list[Line]:
    """Charges that w1 sent after it had stood still.

    The parent's stamp of the stop was made while w1 could not run, so whatever w1 wrote later than that, it wrote after it woke. The
    stamp of the waking itself is no such bound: w1 may run before its parent hears that it does.
    """
    stops = [pause.from_ns for pause in records.pauses(OLD) if pause.until_ns is not None]
    if not stops:
        return []
    return [line for line in records.history(OLD) if line["type"] == "invoke" and line["time"] > stops[0]]


def _pause_metric(records: Records) -> dict[str, int | float]:
    lengths = [(pause.until_ns - pause.from_ns) / 1e6 for pause in records.pauses(OLD) if pause.until_ns is not None]
    return {"pause_ms": round(max(lengths), 1)} if lengths else {}
