"""PASS, FAIL, VACUOUS and ERROR, each over records made for it; and a sealed run that was touched is found out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cluster.core.errors import UsageError
from scenarios.catalog import load
from scenarios.judging import judge, seal, verify
from scenarios.outcome import Outcome
from tests.scenarios.run_dirs import ORDERS, charged, stale_lock_run, write_ledger, write_lines

TWICE = [charged(order, caller) for caller in ("w2", "w1") for order in ORDERS]
CURED = [charged(order, "w2") for order in ORDERS] + [charged(order, "w1", "rejected") for order in ORDERS]


def judged(run_dir: Path, failed: str = "") -> Outcome:
    return judge(load("stale-lock-holder"), run_dir, 1.0, failed)


def test_two_charges_each_are_two_violations_with_their_lines(tmp_path: Path) -> None:
    outcome = judged(stale_lock_run(tmp_path, TWICE))
    assert outcome.verdict == "FAIL"
    assert outcome.violations.by_rule == {"duplicate_charge": 2}
    assert outcome.violations.evidence[0].records == ("ledger/payd.jsonl:1", "ledger/payd.jsonl:3")


def test_late_charges_that_are_turned_away_pass(tmp_path: Path) -> None:
    outcome = judged(stale_lock_run(tmp_path, CURED, fencing="on"))
    assert (outcome.verdict, outcome.violations.count) == ("PASS", 0)


def test_an_order_without_a_charge_is_a_violation_too(tmp_path: Path) -> None:
    outcome = judged(stale_lock_run(tmp_path, [line for line in CURED if (line["order"], line["kind"]) != (ORDERS[0], "charged")], "on"))
    assert outcome.verdict == "FAIL"
    assert outcome.violations.by_rule == {"missed_charge": 1}


def test_an_order_without_a_charge_is_late_and_not_missed_while_somebody_is_at_it(tmp_path: Path) -> None:
    ledger = [line for line in CURED if (line["order"], line["kind"]) != (ORDERS[0], "charged")]
    run_dir = stale_lock_run(tmp_path, ledger, "on", done=False)
    assert (judged(run_dir).verdict, judged(run_dir).violations.count) == ("VACUOUS", 0)
    write_lines(run_dir / "history" / "w2.jsonl", [{"time": 160, "type": "ok", "f": "charge", "value": {"order": ORDERS[0]}}])
    assert judged(run_dir).violations.by_rule == {"missed_charge": 1}  # somebody was told that it is charged


def test_a_run_whose_time_ran_out_passes_nothing_and_excuses_nothing(tmp_path: Path) -> None:
    late, twice = stale_lock_run(tmp_path / "late", CURED, "on", done=False), stale_lock_run(tmp_path / "twice", TWICE, done=False)
    assert (judged(late).verdict, judged(twice).verdict) == ("VACUOUS", "FAIL")
    assert judged(late).coverage["both workers were done with every order"] is False


def test_a_charge_that_nobody_ordered_is_a_violation_too(tmp_path: Path) -> None:
    outcome = judged(stale_lock_run(tmp_path, [*CURED, charged("order-99", "w2")], "on"))
    assert outcome.violations.by_rule == {"strange_charge": 1}


@pytest.mark.parametrize(
    ("ledger", "fencing", "late"),
    [
        (CURED[:2], "on", True),  # the late charges never arrived: the gate was not tried
        (CURED[:2], "off", False),  # w1 sent before its pause
        (TWICE, "off", False),  # and even violations prove nothing then
    ],
)
def test_what_was_no_trial_is_vacuous(tmp_path: Path, ledger: list[dict[str, object]], fencing: str, late: bool) -> None:
    assert judged(stale_lock_run(tmp_path, ledger, fencing, late=late)).verdict == "VACUOUS"


def test_a_cure_that_did_not_work_is_no_excuse(tmp_path: Path) -> None:
    outcome = judged(stale_lock_run(tmp_path, TWICE, "on"))
    assert (outcome.verdict, outcome.violations.by_rule) == ("FAIL", {"duplicate_charge": 2})
    assert outcome.coverage["every late charge arrived and was turned away"] is False


def test_records_of_another_kind_are_an_error_with_the_reason(tmp_path: Path) -> None:
    run_dir = stale_lock_run(tmp_path, TWICE)
    history = run_dir / "history" / "w1.jsonl"
    history.write_bytes(history.read_bytes().replace(b'"value":{', b'"value":"x","was":{', 1))
    outcome = judged(run_dir)
    assert outcome.verdict == "ERROR"
    assert "the records cannot be read by the oracle" in outcome.why


def test_a_run_that_failed_is_an_error_whatever_its_records_say(tmp_path: Path) -> None:
    outcome = judged(stale_lock_run(tmp_path, TWICE), failed="w2 ended with 70")
    assert (outcome.verdict, outcome.why) == ("ERROR", "w2 ended with 70")


def sealed(root: Path) -> Path:
    run_dir = stale_lock_run(root, TWICE)
    seal(run_dir, judged(run_dir))
    return run_dir


def test_verify_says_the_same_over_untouched_files(tmp_path: Path) -> None:
    run_dir = sealed(tmp_path)
    assert verify(run_dir) == judged(run_dir)


def _rewrite(name: str, change: Callable[[bytes], bytes]) -> Callable[[Path], object]:
    return lambda run_dir: (run_dir / name).write_bytes(change((run_dir / name).read_bytes()))


@pytest.mark.parametrize(
    ("touch", "said"),
    [
        (_rewrite("ledger/payd.jsonl", lambda text: text.replace(b'"w1"', b'"w2"', 1)), "ledger/payd.jsonl:4: does not follow"),
        # The last line's absence breaks no chain, and a chain made anew breaks none either: the digests tell.
        (_rewrite("ledger/payd.jsonl", lambda text: b"".join(text.splitlines(keepends=True)[:-1])), "ledger/payd.jsonl: is not what"),
        (lambda run_dir: write_ledger(run_dir / "ledger" / "payd.jsonl", TWICE[:3]), "ledger/payd.jsonl: is not what"),
        (_rewrite("history/w1.jsonl", lambda text: text + b'{"type":"ok"}\n'), "history/w1.jsonl: is not what"),
        (_rewrite("supervisor.jsonl", lambda text: text.replace(b"100", b"101")), "supervisor.jsonl: is not what"),
        (_rewrite("params.json", lambda text: text.replace(b'"seed":1', b'"seed":2')), "params.json: is not what"),
        (_rewrite("params.json", lambda text: text.replace(b'"seed"', b'"seeds"')), "params.json: Object contains unknown field"),
        (_rewrite("verdict.json", lambda text: text.replace(b'"FAIL"', b'"PASS"')), "verdict.json says PASS with 2, the records say FAIL"),
        (lambda run_dir: (run_dir / "ledger" / "payd.jsonl").unlink(), "ledger/payd.jsonl: is missing"),
        (lambda run_dir: (run_dir / "trace" / "w3.jsonl").write_bytes(b""), "trace/w3.jsonl: was not there"),
    ],
)
def test_verify_finds_what_was_touched(tmp_path: Path, touch: Callable[[Path], object], said: str) -> None:
    run_dir = sealed(tmp_path)
    touch(run_dir)
    outcome = verify(run_dir)
    assert outcome.verdict == "ERROR"
    assert said in outcome.why


def test_records_that_are_not_those_of_the_verdict_are_not_judged(tmp_path: Path) -> None:
    """An oracle that stumbles over them, or finds violations in them, has nothing to say of the run."""
    run_dir = sealed(tmp_path)
    history = run_dir / "history" / "w1.jsonl"
    history.write_bytes(history.read_bytes().replace(b'"value":{', b'"value":"x","was":{', 1))
    outcome = verify(run_dir)
    assert (outcome.verdict, outcome.violations.count, outcome.coverage) == ("ERROR", 0, {})
    assert outcome.why == "history/w1.jsonl: is not what the verdict was given over"


def test_an_unfinished_run_cannot_be_verified(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"it has no verdict\.json"):
        verify(stale_lock_run(tmp_path, TWICE))
