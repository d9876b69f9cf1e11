"""Judges by payd's ledger: an order that was charged more than once, or never.

It was a trial only if every order's lock passed from w1 to w2 and w1's charges were sent after it had stood still.
"""

from __future__ import annotations

from cluster.check.once import exactly_once, repeats
from scenarios.records import Evidence, Judgement, Line, Params, Records

OLD, NEW = "w1", "w2"


def judge(records: Records, params: Params) -> Judgement:
    orders = [order["id"] for order in records.truth()["workload"]]
    ledger = records.ledger("payd")
    charged = [line for line in ledger if line["kind"] == "charged"]
    rejected = [line for line in ledger if line["kind"] == "rejected"]
    late = records.sent_after_pause(OLD)
    cured: dict[str, bool] = {}
    coverage = {
        "every order's lock passed from w1 to w2": bool(orders) and set(orders) == _passed_on(records),
        "w1 sent a charge for every order after its pause": bool(orders) and set(orders) == {line["value"]["order"] for line in late},
    }
    if params.toggles["fencing"] == "on":
        turned_away = {line["order"] for line in rejected if line["caller"] == OLD}
        cured["every late charge arrived and was turned away"] = bool(orders) and set(orders) == turned_away
    finished = {"both workers were done with every order": records.all_done()}
    violations = _violations(orders, charged, certain=set(orders) if records.all_done() else _told(records))
    metrics = {"orders": len(orders), "charges": len(charged), "rejections": len(rejected), "late_charges": len(late)}
    return Judgement(violations, coverage, metrics | _pause_metric(records), cured, finished)


def _violations(orders: list[str], charged: list[Line], *, certain: set[str]) -> tuple[Evidence, ...]:
    count = exactly_once(orders, (line["order"] for line in charged))
    duplicates = [
        Evidence(
            "duplicate_charge", (first.where, again.where),
            f"{first['order']}: charged by {first['caller']}, and again by {again['caller']}",
        )
        for first, again in repeats(charged, lambda line: line["order"])
    ]  # fmt: skip
    missed = [Evidence("missed_charge", ("truth.json",), f"{order}: never charged") for order in count.missing if order in certain]
    first_of = {line["order"]: line for line in reversed(charged)}
    strange = [Evidence("strange_charge", (first_of[order].where,), f"{order}: nobody ordered it") for order in count.strange]
    return (*duplicates, *missed, *strange)


def _told(records: Records) -> set[str]:
    """Orders that a worker takes for charged, because payd said so."""
    return {line["value"]["order"] for worker in (OLD, NEW) for line in records.history(worker) if line["type"] == "ok"}


def _passed_on(records: Records) -> set[str]:
    """Orders whose lock w2 got after w1, and before w1 was done with it."""
    old = {line["order"]: line["mono_ns"] for line in reversed(records.trace(OLD, "lock.acquired"))}
    new = {line["order"]: line["mono_ns"] for line in reversed(records.trace(NEW, "lock.acquired"))}
    lost = {line["order"] for line in records.trace(OLD, "lock.lost")}
    return {order for order in old if order in new and new[order] > old[order] and order in lost}


def _pause_metric(records: Records) -> dict[str, int | float]:
    lengths = [(pause.until_ns - pause.from_ns) / 1e6 for pause in records.pauses(OLD) if pause.until_ns is not None]
    return {"pause_ms": round(max(lengths), 1)} if lengths else {}
