"""Judges by the refund service's ledger against the cancelled orders: each of the two refunds of an order exactly once, and confirmed.

It was a trial only if the service died three times with a refund committed that nobody had been told of.
"""

from __future__ import annotations

from cluster.check.once import exactly_once
from scenarios.records import Evidence, Judgement, Line, Params, Records

SERVICE, CLIENT = "refundd", "sagad"
DEATHS = 3


def judge(records: Records, params: Params) -> Judgement:
    wanted = [intent["id"] for intent in records.truth()["workload"]]
    ledger, history = records.ledger(SERVICE), records.history(CLIENT)
    refunded = [line for line in ledger if line["kind"] == "refunded"]
    confirmed = {line["value"]["intent"]: line for line in history if line["type"] == "ok"}
    replayed = [line for line in ledger if line["kind"] == "replayed"]
    stranded = _stranded(records, ledger, history)
    cured: dict[str, bool] = {}
    coverage = {"the service died three times between a refund and its answer": len(stranded) >= DEATHS}
    if {"idempotency": "on", "key": "saga+step+kind", "store": "same_txn", "retry": "on"}.items() <= params.toggles.items():
        again = {_named(line) for line in replayed}
        cured["and each of those refunds was asked for again and answered from memory"] = bool(stranded) and stranded <= again
    metrics = {
        "refunds_wanted": len(wanted), "refunds": len(refunded), "refunded_cents": sum(line["cents"] for line in refunded),
        "silences": sum(line["type"] == "info" for line in history), "replayed": len(replayed),
    }  # fmt: skip
    return Judgement(_violations(wanted, refunded, confirmed), coverage, metrics, cured)


def _named(line: Line) -> str:
    return f"{line['order']}/{line['what']}"


def _violations(wanted: list[str], refunded: list[Line], confirmed: dict[str, Line]) -> tuple[Evidence, ...]:
    by_name: dict[str, list[Line]] = {}
    for line in refunded:
        by_name.setdefault(_named(line), []).append(line)
    count = exactly_once(wanted, map(_named, refunded))
    doubles = [
        Evidence("double_refund", (first.where, again.where), f"{name}: refunded for request {first['request']} and for {again['request']}")
        for name in count.extra
        for first, again in ((by_name[name][0], again) for again in by_name[name][1:])
    ]
    missing = [
        Evidence("missing_refund", (confirmed[name].where,) if name in confirmed else ("truth.json",), f"{name}: never refunded")
        for name in count.missing
    ]
    unknown = [
        Evidence("outcome_unknown", ("truth.json",), f"{name}: the orchestrator does not know whether it was refunded")
        for name in wanted
        if name not in confirmed and name in by_name
    ]
    strange = [Evidence("strange_refund", (by_name[name][0].where,), f"{name}: nobody asked for it") for name in count.strange]
    return (*doubles, *missing, *unknown, *strange)


def _stranded(records: Records, ledger: list[Line], history: list[Line]) -> set[str]:
    """Refunds that were the last thing in a life of the service, and of whose request the client heard nothing."""
    deaths = [line["mono_ns"] for line in records.supervisor() if line["process"] == SERVICE and line["event"] == "exited"]
    silent = {line["index"] for line in history if line["type"] == "info"}
    last_words = [max((line for line in ledger if line["mono_ns"] < died), key=lambda line: line["seq"], default=None) for died in deaths]
    return {_named(line) for line in last_words if line is not None and line["kind"] == "refunded" and line["request"] in silent}
