"""Judges by the refund service's ledger against the cancelled orders: each of the two refunds of an order exactly once, and confirmed.

It was a trial only if the service died three times with a refund committed that nobody had been told of.
"""

from __future__ import annotations

from cluster.check.once import exactly_once, repeats
from scenarios.records import Asked, Evidence, Judgement, Line, Params, Records, asked

SERVICE, CLIENT = "refundd", "sagad"
DEATHS = 3
SILENCES = {"off": 0, "on": 30}  # that the orchestrator puts up with


def judge(records: Records, params: Params) -> Judgement:
    wanted = [intent["id"] for intent in records.truth()["workload"]]
    ledger, history = records.ledger(SERVICE), records.history(CLIENT)
    refunded = [line for line in ledger if line["kind"] == "refunded"]
    heard = asked(wanted, history, SILENCES[params.toggles["retry"]])
    replayed = [line for line in ledger if line["kind"] == "replayed"]
    stranded = {_named(line) for line in records.stranded(SERVICE, CLIENT, "refunded")}
    cured: dict[str, bool] = {}
    coverage = {"the service died three times between a refund and its answer": len(stranded) >= DEATHS}
    if {"idempotency": "on", "key": "saga+step+kind", "store": "same_txn", "retry": "on"}.items() <= params.toggles.items():
        again = {_named(line) for line in replayed}
        cured["and each of those refunds was asked for again and answered from memory"] = bool(stranded) and stranded <= again
    metrics = {
        "refunds_wanted": len(wanted), "refunds": len(refunded), "refunded_cents": sum(line["cents"] for line in refunded),
        "silences": sum(line["type"] == "info" for line in history), "replayed": len(replayed),
    }  # fmt: skip
    finished = {"every refund was answered or given up": not heard.unfinished}
    return Judgement(_violations(wanted, refunded, heard), coverage, metrics, cured, finished)


def _named(line: Line) -> str:
    return f"{line['order']}/{line['what']}"


def _violations(wanted: list[str], refunded: list[Line], heard: Asked) -> tuple[Evidence, ...]:
    count = exactly_once(wanted, map(_named, refunded))
    doubles = [
        Evidence(
            "double_refund", (first.where, again.where),
            f"{_named(first)}: refunded for request {first['request']} and for {again['request']}",
        )
        for first, again in repeats(refunded, _named)
    ]  # fmt: skip
    missing = [
        Evidence("missing_refund", (line.where,), f"{name}: confirmed, and never refunded")
        for name, line in heard.told.items()
        if name in count.missing
    ]
    unknown = [
        Evidence("outcome_unknown", (line.where,), f"{name}: the orchestrator gave up, and does not know whether it was refunded")
        for name, line in heard.given_up.items()
    ]
    refused = [Evidence("refused", (line.where,), f"{name}: the orchestrator was told no") for name, line in heard.refused.items()]
    first_of = {_named(line): line for line in reversed(refunded)}
    strange = [Evidence("strange_refund", (first_of[name].where,), f"{name}: nobody asked for it") for name in count.strange]
    return (*doubles, *missing, *unknown, *refused, *strange)
