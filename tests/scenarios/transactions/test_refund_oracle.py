"""The oracle of the double refunds, over records written by hand: each kind of violation, each way of proving nothing."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from scenarios.catalog import load
from scenarios.judging import Outcome
from tests.scenarios.hand_made import Lines, judged, run_dir

STEPS = load("double-refund").play.workload(random.Random(7))
DYING = (4, 9, 14)  # the service dies behind the refunds of these steps


def line_of(kind: str, step: dict[str, Any], request: int) -> dict[str, Any]:
    return {"kind": kind, "order": step["order"], "what": step["what"], "cents": step["cents"], "request": request}


def story(*, cured: bool) -> tuple[Lines, Lines, Lines]:
    """Ledger, history and the parent's log. A moment is a line of the ledger; a death comes just before the next one."""
    ledger: Lines = []
    history: Lines = []
    deaths: Lines = []
    for number, step in enumerate(STEPS):
        request, value = number * 10, {"intent": step["id"]}
        history.append({"index": request, "time": len(ledger), "type": "invoke", "value": value})
        ledger.append({**line_of("refunded", step, request), "mono_ns": len(ledger)})
        if number in DYING:
            deaths.append({"mono_ns": len(ledger), "event": "exited", "process": "refundd", "status": -9})
            history.append({"index": request, "time": len(ledger), "type": "info", "value": {"error": "gone"}})
            request += 1
            history.append({"index": request, "time": len(ledger), "type": "invoke", "value": value})
            ledger.append({**line_of("replayed" if cured else "refunded", step, request), "mono_ns": len(ledger)})
        history.append({"index": request, "time": len(ledger), "type": "ok", "value": value})
    return ledger, history, deaths


def outcome(root: Path, ledger: Lines, history: Lines, deaths: Lines, variant: str = "broken", **changed: str) -> Outcome:
    records = {"ledger_refundd": ledger, "history_sagad": history, "supervisor": deaths}
    return judged(run_dir(root, "double-refund", variant, changed, STEPS, **records))


def test_each_death_is_a_second_refund(tmp_path: Path) -> None:
    found = outcome(tmp_path, *story(cured=False))
    assert (found.verdict, found.violations.by_rule) == ("FAIL", {"double_refund": 3})


def test_replays_in_the_same_places_pass(tmp_path: Path) -> None:
    found = outcome(tmp_path, *story(cured=True), variant="canonical")
    assert (found.verdict, found.violations.count, found.metrics["replayed"]) == ("PASS", 0, 3)


@pytest.mark.parametrize(
    ("mutate", "by_rule"),
    [
        (lambda ledger, history, deaths: (ledger[1:], history, deaths), {"missing_refund": 1}),
        (lambda ledger, history, deaths: ([*ledger, {**ledger[0], "mono_ns": 10**6}], history, deaths), {"double_refund": 1}),
        (lambda ledger, history, deaths: ([*ledger, {**ledger[0], "order": "order-9", "mono_ns": 10**6}], history, deaths),
         {"strange_refund": 1}),
    ],
    ids=["deleted", "doubled", "strange"],
)  # fmt: skip
def test_every_change_of_a_cured_run_is_noticed(tmp_path: Path, mutate: Any, by_rule: dict[str, int]) -> None:
    found = outcome(tmp_path, *mutate(*story(cured=True)), variant="canonical")
    assert (found.verdict, found.violations.by_rule) == ("FAIL", by_rule)


def _unanswered(history: Lines) -> Lines:
    return [line for line in history if (line["index"], line["type"]) != (0, "ok")]


@pytest.mark.parametrize("refunded", [True, False])
def test_a_refund_that_is_still_asked_for_is_not_wrong_and_proves_nothing(tmp_path: Path, refunded: bool) -> None:
    ledger, history, deaths = story(cured=True)
    found = outcome(tmp_path, ledger if refunded else ledger[1:], _unanswered(history), deaths, "canonical")
    assert (found.verdict, found.violations.count) == ("VACUOUS", 0)
    assert found.coverage["every refund was answered or given up"] is False


def test_who_asks_once_and_hears_nothing_does_not_know(tmp_path: Path) -> None:
    ledger, history, deaths = story(cured=False)
    silence = {"index": 0, "time": 1, "type": "info", "value": {"error": "gone"}}
    found = outcome(tmp_path, ledger, [*_unanswered(history), silence], deaths, retry="off")
    assert (found.verdict, found.violations.by_rule["outcome_unknown"]) == ("FAIL", 1)


@pytest.mark.parametrize(
    "mutate",
    [
        lambda ledger, history, deaths: (ledger, history, []),
        lambda ledger, history, deaths: (ledger, history, deaths[1:]),
        lambda ledger, history, deaths: (ledger, [line for line in history if line["type"] != "info"], deaths),
        lambda ledger, history, deaths: (ledger, history, [{**death, "mono_ns": death["mono_ns"] + 1} for death in deaths]),
    ],
    ids=["no deaths", "two deaths", "the client had heard", "died elsewhere"],
)
@pytest.mark.parametrize("cured", [True, False])
def test_what_was_no_trial_is_vacuous(tmp_path: Path, mutate: Any, cured: bool) -> None:
    found = outcome(tmp_path, *mutate(*story(cured=cured)), variant="canonical" if cured else "broken")
    assert found.verdict == "VACUOUS"


def test_a_cure_whose_replays_are_missing_was_not_tried(tmp_path: Path) -> None:
    ledger, history, deaths = story(cured=True)
    assert outcome(tmp_path, [line for line in ledger if line["kind"] == "refunded"], history, deaths, "canonical").verdict == "VACUOUS"
