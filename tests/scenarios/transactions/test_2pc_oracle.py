"""The oracle over records with known violations: each rule goes red for what it is there for, and for nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.transactions.in_doubt_runs import BACK, CENTS, OPEN, both, ended, judged, prepared, refused, resolved, rules, stepped


def test_five_in_doubt_for_eight_seconds_are_five_violations(tmp_path: Path) -> None:
    judgement = judged(tmp_path, resolved(9_000))
    assert rules(judgement) == {"in_doubt": 5}
    assert judgement.violations[0].text == "t1: banka for 8.1 s, bankb for 8.1 s"
    assert judgement.violations[0].records[:2] == ("ledger/banka.jsonl:4", "ledger/banka.jsonl:9")
    assert all(judgement.coverage.values())
    assert judgement.metrics["longest_in_doubt_ms"] == 8_100


def test_what_is_settled_in_time_is_none(tmp_path: Path) -> None:
    judgement = judged(tmp_path, resolved(2_900))
    assert rules(judgement) == {}
    assert all(judgement.coverage.values())


def test_the_limit_follows_the_scale(tmp_path: Path) -> None:
    assert rules(judged(tmp_path, resolved(2_901))) == {"in_doubt": 5}
    assert rules(judged(tmp_path, resolved(2_901), scale=2.0)) == {}


CUT_SHORT = "no transfer was cut short by the end"


@pytest.mark.parametrize(("end_ms", "found"), [(11_701, {"in_doubt": 1}), (11_700, {"in_doubt": 1}), (11_699, {})])
def test_a_promise_without_an_outcome_is_one_once_it_is_too_late(tmp_path: Path, end_ms: float, found: dict[str, int]) -> None:
    lines = resolved(1_500)
    lines["banka"].append(prepared("t9", 9_700, -1))
    judgement = judged(tmp_path, lines, end_ms=end_ms)
    assert (rules(judgement), judgement.finished[CUT_SHORT]) == (found, bool(found))


@pytest.mark.parametrize(("end_ms", "found"), [(9_800, {}), (12_000, {"in_doubt": 1, "sum": 1, "word": 1})])
def test_a_commit_that_is_on_its_way_when_the_run_ends_is_not_missing(tmp_path: Path, end_ms: float, found: dict[str, int]) -> None:
    """Decided, told to the customer and to one bank: the other one hears of it a moment later, if it may."""
    lines = resolved(1_500)
    lines["banka"] += [prepared("t9", 9_700, -1), ended("t9", 9_750, -1, "committed")]
    lines["bankb"].append(prepared("t9", 9_700, 1))
    assert rules(judged(tmp_path, lines, {"t9": "ok"}, end_ms=end_ms)) == found


def test_a_saga_that_is_half_done_when_the_run_ends_is_not_missing(tmp_path: Path) -> None:
    lines = resolved(1_500)
    lines["banka"].append(stepped("t9", 9_700, -1, "take"))
    assert rules(judged(tmp_path / "late", lines, end_ms=12_000)) == {"sum": 1}
    young = judged(tmp_path / "young", lines, end_ms=9_800)
    assert (rules(young), young.finished[CUT_SHORT]) == ({}, False)


def test_committed_here_and_aborted_there_is_torn_and_the_money_is_missing(tmp_path: Path) -> None:
    lines = resolved(1_500)
    lines["banka"][7] = ended("t1", 1_400, -1, "committed")
    found = judged(tmp_path, lines)
    assert rules(found) == {"torn": 1, "sum": 1}
    assert [evidence.text for evidence in found.violations] == [
        "t1: committed at banka by c1, aborted at bankb by c1",
        f"{CENTS} cents missing of 20000, with nothing open",
    ]


def test_between_two_commits_nothing_is_missing_yet(tmp_path: Path) -> None:
    lines = resolved(1_500)
    lines["banka"][7:12] = [ended(txn, 1_400, -1, "committed") for txn in OPEN]
    lines["bankb"][7:12] = [ended(txn, 1_600, 1, "committed") for txn in OPEN]
    assert rules(judged(tmp_path, lines, {"t1": "ok"})) == {}


@pytest.mark.parametrize(
    ("told", "broken"), [({"t1": "ok"}, 1), ({"t1": "fail"}, 0), ({"t1": "info"}, 0), ({"t6": "fail"}, 1), ({"t6": "ok"}, 0)]
)
def test_a_customer_is_told_what_happened(tmp_path: Path, told: dict[str, str], broken: int) -> None:
    assert rules(judged(tmp_path, resolved(1_500), told)).get("word", 0) == broken


@pytest.mark.parametrize(
    ("bank", "line"),
    [
        ("banka", ended("t6", 9_502, -1, "committed")),  # twice
        ("banka", ended("t99", 9_502, -1, "committed")),  # nobody asked
        ("banka", {**ended("t9", 9_502, -1, "committed"), "account": "A2"}),  # another account
        ("banka", {**ended("t9", 9_502, -1, "committed"), "cents": -CENTS - 1}),  # another sum
    ],
)
def test_what_nobody_asked_for_is_strange(tmp_path: Path, bank: str, line: dict[str, Any]) -> None:
    lines = resolved(1_500)
    lines[bank].append(line)
    assert rules(judged(tmp_path, lines))["strange"] == 1


def test_without_transfers_before_it_is_no_trial(tmp_path: Path) -> None:
    lines = {bank: [line for line in ledger if line["txn"] != "t8"] for bank, ledger in resolved(9_000).items()}
    assert not judged(tmp_path, lines).coverage["transfers went well before"]


def test_a_saga_may_be_half_done_for_a_while_and_no_longer(tmp_path: Path) -> None:
    taken = {"banka": [stepped(txn, 900, -1, "take") for txn in OPEN], "bankb": [stepped(txn, 9_100, 1, "give") for txn in OPEN]}
    taken["bankb"].append(refused("t7", 9_600, 1))
    whole = judged(tmp_path / "whole", taken)
    assert rules(whole) == {}
    assert all(whole.coverage.values())
    lacking = judged(tmp_path / "half", {"banka": taken["banka"], "bankb": taken["bankb"][1:]})
    assert rules(lacking) == {"sum": 1}
    assert lacking.violations[0].text.endswith("at the end")


def test_a_debit_that_is_given_back_leaves_nothing(tmp_path: Path) -> None:
    lines = resolved(1_500)
    lines["banka"] += [stepped("t9", 9_700, -1, "take"), stepped("t9", 9_800, 1, "give_back")]
    lines["bankb"].append(refused("t9", 9_750, 1))
    assert rules(judged(tmp_path, lines, {"t9": "fail"})) == {}
    assert rules(judged(tmp_path, lines, {"t9": "ok"})) == {"word": 1}


def test_four_in_doubt_are_no_trial(tmp_path: Path) -> None:
    lines = resolved(9_000)
    for bank in lines:
        lines[bank] = [line for line in lines[bank] if line["txn"] != "t1"]
    assert not judged(tmp_path / "five", lines).coverage["5 or more were open when the coordinator died"]
    assert judged(tmp_path / "one", lines, kill_point="one_in_doubt").coverage["1 or more were open when the coordinator died"]


def test_without_transfers_after_it_was_back_it_is_no_trial(tmp_path: Path) -> None:
    lines = {bank: [line for line in ledger if line["txn"] != "t6"] for bank, ledger in resolved(9_000).items()}
    assert not judged(tmp_path, lines).coverage["it came back, and transfers went on"]


def test_nothing_at_all_is_no_trial(tmp_path: Path) -> None:
    judgement = judged(tmp_path, both(prepared, "t1", BACK + 1))
    assert not any(judgement.coverage.values())
