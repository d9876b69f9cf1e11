"""Judges by payd's ledger against the list of payments and what the client was told: charged twice, told and not charged, given up.

It was a trial only if ten answers were eaten after their charge, five second attempts were sent before the first was done, and,
where keys should cure it, fifteen answers were replays. With a crash: if payd died between a charge and its answer.
"""

from __future__ import annotations

from cluster.check.once import exactly_once, repeats
from scenarios.records import Asked, Evidence, Judgement, Line, Params, Records, asked

CLIENT = "checkout"
EATEN, OVERLAPPING = 10, 5


def judge(records: Records, params: Params) -> Judgement:
    payments = [payment["id"] for payment in records.truth()["workload"]]
    ledger, history = records.ledger("payd"), records.history(CLIENT)
    charged = [line for line in ledger if line["kind"] == "charged"]
    heard = asked(payments, history, int(params.toggles["retries"]))
    replayed = [line for line in history if line["type"] == "ok" and line["value"].get("replayed")]
    cured: dict[str, bool] = {}
    coverage = _coverage(records, params, ledger, history)
    if _cured(params):
        cured["fifteen answers were replays"] = len(replayed) >= EATEN + OVERLAPPING
    metrics = {
        "payments": len(payments), "charges": len(charged), "attempts": sum(line["type"] == "invoke" for line in history),
        "silences": sum(line["type"] == "info" for line in history), "replayed": len(replayed),
        "told_busy": sum(line["kind"] == "busy" for line in ledger),
    }  # fmt: skip
    finished = {"every payment was answered or given up": not heard.unfinished}
    return Judgement(_violations(payments, charged, heard), coverage, metrics, cured, finished)


def _coverage(records: Records, params: Params, ledger: list[Line], history: list[Line]) -> dict[str, bool]:
    charged = [line for line in ledger if line["kind"] == "charged"]
    if params.toggles["crash"] != "off":  # it takes some of the answers with it that should have been eaten or late
        return {"payd died behind a charge, before the client heard of it": bool(records.stranded("payd", CLIENT, "charged"))}
    coverage = {
        "ten answers were eaten after the charge": len(_eaten(records, charged)) >= EATEN,
        "five payments were at work when the client gave up on them": len(_slow(records, ledger, history)) >= OVERLAPPING,
    }
    if params.toggles["retries"] != "0":
        overlapping = len(_overlapping(records, ledger, history))
        coverage["five of them were asked for again before it was done with them"] = overlapping >= OVERLAPPING
    return coverage


def _cured(params: Params) -> bool:
    wanted = {"client_key": "per_payment", "server_idem": "on", "concurrent": "lock", "retries": "3", "crash": "off"}
    return wanted.items() <= params.toggles.items()


def _violations(payments: list[str], charged: list[Line], heard: Asked) -> tuple[Evidence, ...]:
    count = exactly_once(payments, (line["payment"] for line in charged))
    doubles = [
        Evidence(
            "double_charge", (first.where, again.where),
            f"{first['payment']}: charged for attempt {first['request']} and for {again['request']}",
        )
        for first, again in repeats(charged, lambda line: line["payment"])
    ]  # fmt: skip
    phantoms = [
        Evidence("told_and_not_charged", (line.where,), f"{payment}: the client was told that it is paid, and nothing was")
        for payment, line in heard.told.items()
        if payment in count.missing
    ]
    unknown = [
        Evidence("outcome_unknown", (line.where,), f"{payment}: the client gave up, and does not know whether it is paid")
        for payment, line in heard.given_up.items()
    ]
    refused = [Evidence("refused", (line.where,), f"{payment}: the client was told no") for payment, line in heard.refused.items()]
    first_of = {line["payment"]: line for line in reversed(charged)}
    strange = [Evidence("strange_charge", (first_of[payment].where,), f"{payment}: nobody ordered it") for payment in count.strange]
    return (*doubles, *phantoms, *unknown, *refused, *strange)


def _hits(records: Records, do: str) -> dict[str, int]:
    """Payment -> when the fault hit it."""
    return {line["value"]: line["mono_ns"] for line in records.faults() if line["phase"] == "hit" and line["do"] == do}


def _eaten(records: Records, charged: list[Line]) -> set[str]:
    """Payments of which an answer was eaten when a charge for them was in the ledger already."""
    hits = _hits(records, "drop_response")
    return {line["payment"] for line in charged if line["payment"] in hits and line["mono_ns"] < hits[line["payment"]]}


def _slow(records: Records, ledger: list[Line], history: list[Line]) -> dict[str, int]:
    """Payments whose first attempt was delayed and came to its end only after the client had written down its silence; and when it did."""
    delayed = _hits(records, "delay")
    silent: dict[int, int] = {line["index"]: line["time"] for line in history if line["type"] == "info"}
    first: dict[str, int] = {}
    for line in history:
        if line["type"] == "invoke":
            first.setdefault(line["value"]["intent"], line["index"])
    ended = {
        line["payment"]: line["mono_ns"] for line in ledger if line["payment"] in delayed and line["request"] == first.get(line["payment"])
    }
    return {payment: at for payment, at in ended.items() if silent.get(first[payment], at) < at}


def _overlapping(records: Records, ledger: list[Line], history: list[Line]) -> set[str]:
    """Of the delayed ones, those that were sent again before the first attempt came to its end."""
    sent: dict[str, list[int]] = {}
    for line in history:
        if line["type"] == "invoke":
            sent.setdefault(line["value"]["intent"], []).append(line["time"])
    return {payment for payment, at in _slow(records, ledger, history).items() if len(sent[payment]) > 1 and sent[payment][1] < at}
