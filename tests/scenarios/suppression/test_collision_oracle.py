"""The oracle of the broad keys, over records written by hand: each kind of violation, each way of proving nothing."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from scenarios.catalog import load
from scenarios.judging import Outcome
from tests.scenarios.hand_made import Lines, judged, run_dir

INTENTS = load("idempotency-key-collision").play.workload(random.Random(7))
LOST = [f"landlord-{number:02}" for number in (8, 10, 12, 14, 16, 18)]


def charge(intent: dict[str, Any], at: int) -> dict[str, Any]:
    return {"kind": "charged", "user": intent["user"], "cents": intent["cents"], "recipient": intent["recipient"], "mono_ns": at}


def story(key: str) -> tuple[Lines, Lines, Lines]:
    """Ledger, history and faults of a batch whose keys are made of the fields in `key`; six first answers are lost."""
    ledger: Lines = []
    history: Lines = []
    faults: Lines = []
    owner: dict[str, str] = {}
    for number, intent in enumerate(INTENTS):
        named = "|".join(intent[field] for field in key.split())
        value = {"intent": intent["id"], "key": named}
        history.append({"index": number, "time": number, "type": "invoke", "value": value})
        fresh = owner.setdefault(named, intent["id"]) == intent["id"]
        if fresh:
            ledger.append(charge(intent, number))
        replayed = not fresh
        if intent["recipient"] in LOST:
            faults.append({"step": 0, "do": "drop_response", "phase": "hit", "value": intent["recipient"], "mono_ns": number + 1})
            history.append({"index": 100 + number, "time": number, "type": "invoke", "value": value})
            replayed = True
        history.append({"index": number, "time": number, "type": "ok", "value": {**value, "receipt": "r", "replayed": replayed}})
    return ledger, history, faults


def outcome(root: Path, ledger: Lines, history: Lines, faults: Lines, variant: str = "broken", **changed: str) -> Outcome:
    records = {"ledger_payd": ledger, "history_batch": history, "faults": faults}
    return judged(run_dir(root, "idempotency-key-collision", variant, changed, INTENTS, **records))


def test_the_broad_key_loses_twenty_five(tmp_path: Path) -> None:
    found = outcome(tmp_path, *story("user batch"))
    assert (found.verdict, found.violations.by_rule, found.metrics["missing_cents"]) == ("FAIL", {"silently_lost": 25}, 5_700_00)


def test_the_full_key_loses_none(tmp_path: Path) -> None:
    found = outcome(tmp_path, *story("user op entity"), variant="canonical")
    assert (found.verdict, found.violations.count, found.metrics["missing_cents"]) == ("PASS", 0, 0)


def _with(line: dict[str, Any], **value: Any) -> dict[str, Any]:
    return {**line, "value": {**line["value"], **value}}


def _refused(lines: Lines) -> Lines:
    """The first answer becomes a 422."""
    at = next(number for number, line in enumerate(lines) if line["type"] == "ok")
    return [*lines[:at], {**lines[at], "type": "fail", "value": {**lines[at]["value"], "status": 422}}, *lines[at + 1 :]]


@pytest.mark.parametrize(
    ("mutate", "by_rule"),
    [
        (lambda ledger, history, faults: (ledger[1:], history, faults), {"silently_lost": 1}),
        (lambda ledger, history, faults: ([*ledger, ledger[0]], history, faults), {"double_charge": 1}),
        (lambda ledger, history, faults: (ledger, _refused(history), faults), {"loudly_refused": 1}),
        (lambda ledger, history, faults: (ledger[::-1], history, [{**hit, "mono_ns": 10**6} for hit in faults]), {}),
        (
            lambda ledger, history, faults: ([{**ledger[0], "cents": 1}, *ledger[1:]], history, faults),
            {"silently_lost": 1, "double_charge": 1},
        ),
    ],
    ids=["deleted", "doubled", "refused", "reordered", "another amount"],
)
def test_every_change_of_a_cured_run_is_noticed(tmp_path: Path, mutate: Any, by_rule: dict[str, int]) -> None:
    found = outcome(tmp_path, *mutate(*story("user op entity")), variant="canonical")
    assert found.violations.by_rule == by_rule
    assert found.verdict == ("FAIL" if by_rule else "PASS")


@pytest.mark.parametrize(("silences", "verdict", "by_rule"), [(0, "VACUOUS", {}), (3, "VACUOUS", {}), (4, "FAIL", {"outcome_unknown": 1})])
def test_an_intention_is_lost_to_its_client_once_it_gives_up(tmp_path: Path, silences: int, verdict: str, by_rule: dict[str, int]) -> None:
    ledger, history, faults = story("user op entity")
    history = [line for line in history if (line["index"], line["type"]) != (5, "ok")]
    history += [{"index": 5, "time": 9, "type": "info", "value": {"error": "no answer"}}] * silences
    found = outcome(tmp_path, ledger, history, faults, variant="canonical")
    assert (found.verdict, found.violations.by_rule) == (verdict, by_rule)
    assert found.coverage["every intention was answered or given up"] is (silences == 4)


@pytest.mark.parametrize(
    "mutate",
    [
        lambda ledger, history, faults: (ledger, history, []),
        lambda ledger, history, faults: (ledger, history, [{**hit, "mono_ns": 0} for hit in faults]),
        lambda ledger, history, faults: (ledger, [line for line in history if line["index"] < 100], faults),
        lambda ledger, history, faults: (ledger, [_with(line, replayed=False) for line in history], faults),
        lambda ledger, history, faults: (ledger, [_with(line, key=line["value"]["intent"]) for line in history], faults),
    ],
    ids=["none eaten", "eaten too early", "not asked again", "not from memory", "no key shared"],
)  # fmt: skip
def test_what_was_no_trial_is_vacuous(tmp_path: Path, mutate: Any) -> None:
    assert outcome(tmp_path, *mutate(*story("user batch"))).verdict == "VACUOUS"
