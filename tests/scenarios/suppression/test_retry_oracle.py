"""The oracle of the double charges, over records written by hand: each kind of violation, each way of proving nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scenarios.judging import Outcome
from tests.scenarios.hand_made import Lines, judged, run_dir

PAYMENTS = [f"p-{number:02}" for number in range(1, 41)]
EATEN = [f"p-{number:02}" for number in range(3, 40, 4)]
SLOW = ["p-01", "p-02", "p-04", "p-06", "p-08"]
FIRST, AGAIN = 10_000, 20_000  # moments: of a first attempt, of a second


def charge(payment: str, request: int, at: int) -> dict[str, Any]:
    return {"kind": "charged", "payment": payment, "cents": 1, "request": request, "row": request, "mono_ns": at}


def asked(index: int, at: int, kind: str, payment: str, **value: Any) -> dict[str, Any]:
    return {"index": index, "time": at, "type": kind, "process": "checkout", "f": "charge", "value": {"intent": payment, **value}}


def hits() -> Lines:
    """Answers are eaten a little after the charge; slow ones are delayed at once."""
    eaten = [{"step": 0, "do": "drop_response", "phase": "hit", "value": payment, "mono_ns": FIRST + 500} for payment in EATEN]
    return eaten + [{"step": 1, "do": "delay", "phase": "hit", "value": payment, "mono_ns": FIRST} for payment in SLOW]


def story(*, cured: bool) -> tuple[Lines, Lines]:
    """Ledger and history: first attempts of all, silence for fifteen, which are asked for again; `cured`: those are replays."""
    ledger: Lines = []
    history: Lines = []
    for number, payment in enumerate(PAYMENTS, 1):
        history.append(asked(number, FIRST, "invoke", payment))
        if payment in SLOW:  # charged after the second attempt was sent
            ledger.append(charge(payment, number, AGAIN + 500))
        else:
            ledger.append(charge(payment, number, FIRST + 100))
        if payment not in SLOW + EATEN:
            history.append(asked(number, FIRST + 200, "ok", payment))
            continue
        history.append({**asked(number, FIRST + 600, "info", payment), "value": {"error": "no answer"}})
        history.append(asked(100 + number, AGAIN, "invoke", payment))
        history.append(asked(100 + number, AGAIN + 900, "ok", payment, replayed=cured))
        if not cured:
            ledger.append(charge(payment, 100 + number, AGAIN + 100))
    return sorted(ledger, key=lambda line: int(line["mono_ns"])), history


def outcome(root: Path, ledger: Lines, history: Lines, faults: Lines | None = None, **changed: str) -> Outcome:
    variant = changed.pop("variant", "broken")
    workload = [{"id": payment, "cents": 1} for payment in PAYMENTS]
    records = {"ledger_payd": ledger, "history_checkout": history, "faults": hits() if faults is None else faults}
    return judged(run_dir(root, "retry-double-charge", variant, changed, workload, **records))


def test_fifteen_are_charged_twice(tmp_path: Path) -> None:
    found = outcome(tmp_path, *story(cured=False))
    assert (found.verdict, found.violations.by_rule) == ("FAIL", {"double_charge": 15})
    assert all(where.startswith("ledger/payd.jsonl:") for where in found.violations.evidence[0].records)


def test_replays_pass(tmp_path: Path) -> None:
    found = outcome(tmp_path, *story(cured=True), variant="canonical")
    assert (found.verdict, found.violations.count, found.metrics["replayed"]) == ("PASS", 0, 15)


@pytest.mark.parametrize(
    ("mutate", "by_rule"),
    [
        (lambda ledger, history: ([line for line in ledger if line["payment"] != "p-05"], history), {"told_and_not_charged": 1}),
        (lambda ledger, history: ([*ledger, ledger[0]], history), {"double_charge": 1}),
        (lambda ledger, history: ([*ledger, charge("p-99", 200, 1)], history), {"strange_charge": 1}),
        (lambda ledger, history: (list(reversed(ledger)), history), {}),  # in another order it is the same money
    ],
    ids=["deleted", "doubled", "strange", "reordered"],
)
def test_every_change_of_a_cured_run_is_noticed(tmp_path: Path, mutate: Any, by_rule: dict[str, int]) -> None:
    found = outcome(tmp_path, *mutate(*story(cured=True)), variant="canonical")
    assert found.violations.by_rule == by_rule
    assert found.verdict == ("FAIL" if by_rule else "PASS")


UNFINISHED = "every payment was answered or given up"


def _unanswered(history: Lines) -> Lines:
    return [line for line in history if (line["index"], line["type"]) != (5, "ok")]


def _silences(count: int) -> Lines:
    return [{**asked(5, AGAIN, "info", "p-05"), "value": {"error": "no answer"}}] * count


@pytest.mark.parametrize("silences", [0, 3])
def test_a_payment_that_is_still_asked_for_is_not_wrong_and_proves_nothing(tmp_path: Path, silences: int) -> None:
    ledger, history = story(cured=True)
    found = outcome(tmp_path / "cured", ledger, _unanswered(history) + _silences(silences), variant="canonical")
    assert (found.verdict, found.violations.count, found.coverage[UNFINISHED]) == ("VACUOUS", 0, False)
    ledger, history = story(cured=False)
    found = outcome(tmp_path / "broken", ledger, _unanswered(history) + _silences(silences), retries="3")
    assert (found.verdict, found.violations.by_rule) == ("FAIL", {"double_charge": 15})  # that it ended too soon excuses nothing


def test_who_gave_up_will_never_know(tmp_path: Path) -> None:
    ledger, history = story(cured=True)
    found = outcome(tmp_path, ledger, _unanswered(history) + _silences(4), variant="canonical")
    assert (found.verdict, found.violations.by_rule, found.coverage[UNFINISHED]) == ("FAIL", {"outcome_unknown": 1}, True)


def test_to_be_told_to_wait_is_no_answer_and_to_be_told_no_is_one(tmp_path: Path) -> None:
    ledger, history = story(cured=True)
    for status, verdict in ((409, "VACUOUS"), (422, "FAIL")):
        told = asked(5, AGAIN, "fail", "p-05", status=status)
        assert outcome(tmp_path / str(status), ledger, [*_unanswered(history), told], variant="canonical").verdict == verdict


def _without(do: str) -> Lines:
    return [line for line in hits() if line["do"] != do]


@pytest.mark.parametrize("faults", [[], _without("drop_response"), _without("delay"), hits()[1:]])
def test_without_its_faults_it_proves_nothing(tmp_path: Path, faults: Lines) -> None:
    assert outcome(tmp_path, *story(cured=False), faults=faults).verdict == "VACUOUS"


def test_answers_that_were_eaten_before_the_charge_prove_nothing(tmp_path: Path) -> None:
    early = [{**line, "mono_ns": FIRST} if line["do"] == "drop_response" else line for line in hits()]
    assert outcome(tmp_path, *story(cured=False), faults=early).verdict == "VACUOUS"


def test_attempts_that_did_not_overlap_prove_nothing(tmp_path: Path) -> None:
    ledger, history = story(cured=False)
    ledger = [{**line, "mono_ns": FIRST + 700} if line["mono_ns"] == AGAIN + 500 else line for line in ledger]
    assert outcome(tmp_path, ledger, history).verdict == "VACUOUS"


def test_a_cure_without_replays_was_not_tried(tmp_path: Path) -> None:
    ledger, history = story(cured=True)
    history = [{**line, "value": {**line["value"], "replayed": False}} for line in history]
    assert outcome(tmp_path, ledger, history, variant="canonical").verdict == "VACUOUS"


@pytest.mark.parametrize(("silent", "verdict"), [(True, "PASS"), (False, "VACUOUS")])
def test_a_crash_counts_if_nobody_had_heard(tmp_path: Path, silent: bool, verdict: str) -> None:
    ledger = [charge(payment, number, number) for number, payment in enumerate(PAYMENTS, 1)]
    oks = [asked(number, 100 + number, "ok", payment) for number, payment in enumerate(PAYMENTS, 1)]
    history = [asked(3, 3, "info", "p-03"), *oks] if silent else oks
    dead = [{"mono_ns": 3, "event": "exited", "process": "payd", "status": -9}]  # between the third line and the fourth
    workload = [{"id": payment, "cents": 1} for payment in PAYMENTS]
    # The ledger's own stamps are its sequence here: see `run_dirs.write_ledger`.
    ledger = [{**line, "mono_ns": number} for number, line in enumerate(ledger)]
    root = run_dir(
        tmp_path, "retry-double-charge", "canonical", {"crash": "after_effect"}, workload,
        ledger_payd=ledger, history_checkout=history, faults=[], supervisor=dead,
    )  # fmt: skip
    assert judged(root).verdict == verdict
