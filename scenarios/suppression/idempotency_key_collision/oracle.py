"""Judges by what the batch was told against payd's ledger: each intention answered "ok" must have a charge of its own.

Intentions and charges are joined by what a charge itself says (user, amount, recipient), never by the key: the key is what is wrong.

It was a trial only if six answers were eaten, the six were asked for again, and, with the broad key, 25 intentions shared one.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from scenarios.records import Asked, Evidence, Judgement, Line, Params, Records, asked

CLIENT = "batch"
LOST_ANSWERS, SHARING = 6, 25
RETRIES = 3
Terms = tuple[str, int, str]  # user, cents, recipient


def judge(records: Records, params: Params) -> Judgement:
    intents = records.truth()["workload"]
    ledger, history = records.ledger("payd"), records.history(CLIENT)
    charged = [line for line in ledger if line["kind"] == "charged"]
    heard = asked([intent["id"] for intent in intents], history, RETRIES)
    told = heard.told
    again = _asked_again(history)
    cured: dict[str, bool] = {}
    coverage = {
        "six answers were eaten after the charge": len(_eaten(records, charged)) >= LOST_ANSWERS,
        "their intentions were asked for again": len(again) >= LOST_ANSWERS,
    }
    if params.toggles["server_idem"] == "on" and params.toggles["key_ttl_ms"] != "50":
        replayed = {intent for intent in again if intent in told and told[intent]["value"].get("replayed")}
        # Under a key that is too wide the memory is what does the harm; elsewhere it is the cure.
        found = coverage if params.toggles["key"] == "user+batch" else cured
        found["and answered from memory"] = len(replayed) >= LOST_ANSWERS
    if params.toggles["key"] == "user+batch":
        coverage["25 intentions shared a key with an earlier one"] = _sharing(history) >= SHARING
    violations = _violations(intents, charged, heard)
    missing = sum(intent["cents"] for intent in intents) - sum(line["cents"] for line in charged)
    metrics = {
        "intents": len(intents), "told_ok": len(told), "charges": len(charged), "missing_cents": missing,
        "replays": sum(line["kind"] == "replayed" for line in ledger), "mismatches": sum(line["kind"] == "mismatch" for line in ledger),
    }  # fmt: skip
    finished = {"every intention was answered or given up": not heard.unfinished}
    return Judgement(violations, coverage, metrics, cured, finished)


def _terms(of: Any) -> Terms:
    return of["user"], of["cents"], of["recipient"]


def _violations(intents: list[dict[str, Any]], charged: list[Line], heard: Asked) -> tuple[Evidence, ...]:
    """Of intentions with the same terms, as many must be charged as were told that they are; which of them does not matter."""
    charges, wanted = Counter(map(_terms, charged)), Counter(map(_terms, intents))
    lost, left = [], Counter(charges)
    for intent in intents:
        if intent["id"] not in heard.told:
            continue
        left[_terms(intent)] -= 1
        if left[_terms(intent)] < 0:
            answer = heard.told[intent["id"]]
            lost.append(Evidence("silently_lost", (answer.where,), f"{_named(intent)}: told {answer['value'].get('receipt')}, not charged"))
    refused = [
        Evidence("loudly_refused", (heard.refused[intent["id"]].where,), f"{_named(intent)}: the key was used for another request")
        for intent in intents
        if intent["id"] in heard.refused
    ]
    unknown = [
        Evidence("outcome_unknown", (heard.given_up[intent["id"]].where,), f"{_named(intent)}: the client gave up, and does not know")
        for intent in intents
        if intent["id"] in heard.given_up
    ]
    doubles = [
        Evidence("double_charge", tuple(line.where for line in charged if _terms(line) == terms), f"{' '.join(map(str, terms))}: {count}")
        for terms, count in charges.items()
        for _ in range(count - wanted[terms])
    ]
    return (*lost, *refused, *unknown, *doubles)


def _named(intent: dict[str, Any]) -> str:
    return f"{intent['id']} ({intent['op']} of {intent['user']} for {intent['entity']})"


def _eaten(records: Records, charged: list[Line]) -> set[str]:
    """Recipients of whom an answer was eaten when a charge was in the ledger already."""
    hits = {line["value"]: line["mono_ns"] for line in records.faults() if line["phase"] == "hit"}
    return {line["recipient"] for line in charged if line["recipient"] in hits and line["mono_ns"] < hits[line["recipient"]]}


def _asked_again(history: list[Line]) -> set[str]:
    sent = Counter(line["value"]["intent"] for line in history if line["type"] == "invoke")
    return {intent for intent, count in sent.items() if count > 1}


def _sharing(history: list[Line]) -> int:
    """Intentions whose key another one had before them."""
    first: dict[str, str] = {}
    for line in history:
        if line["type"] == "invoke":
            first.setdefault(line["value"]["key"], line["value"]["intent"])
    users = {line["value"]["intent"]: line["value"]["key"] for line in history if line["type"] == "invoke"}
    return sum(first[key] != intent for intent, key in users.items())
