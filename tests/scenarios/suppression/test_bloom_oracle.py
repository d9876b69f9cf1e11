"""The oracle of the skipped pages, over records written by hand: each kind of violation, each way of proving nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from scenarios.catalog import load
from scenarios.judging import Outcome, judge
from tests.scenarios.run_dirs import write_ledger, write_lines

OLD, DEAR = "https://site.example/00001", "https://site.example/00203"
NEW = [f"https://site.example/{i:05}" for i in range(200, 400)]  # so the budget of one in a hundred is 2
CANONICAL = {"expected_n": "12000", "fpr_monitor": "on", "exact_fallback": "high_value", "autoscale": "off"}


def served(url: str, *, hub: bool = False) -> dict[str, Any]:
    return {"kind": "served", "url": url, "caller": "c1", "status": 200, "hub": hub}


def bloom_run(
    root: Path, skipped: list[str], *, log: list[dict[str, Any]] | None = None, said_fresh: tuple[str, ...] = (), loaded: int = 5_800,
    offered: list[str] = NEW, errors: tuple[float, ...] = (0.001,), alarms: tuple[int, ...] = (), toggles: dict[str, str] = CANONICAL,
) -> Path:  # fmt: skip
    """One crawler was given all addresses; the filter took `skipped` for seen."""
    params = {"slug": "bloom-skips-urls", "variant": "canonical", "toggles": toggles, "seed": 1, "scale": 1.0}
    root.mkdir(parents=True, exist_ok=True)
    (root / "params.json").write_bytes(msgspec.json.encode(params))
    (root / "truth.json").write_bytes(msgspec.json.encode({"workload": [{"url": url, "high_value": url == DEAR} for url in NEW]}))
    fresh = [url for url in offered if url not in skipped or url in said_fresh]
    answer = {"fresh": fresh, "seen": [OLD, *(url for url in skipped if url not in said_fresh)]}
    asked = {"index": 1, "time": 10, "type": "invoke", "f": "offer", "value": {"urls": [*offered, OLD]}}
    write_lines(root / "history" / "c1.jsonl", [asked, {"index": 1, "time": 11, "type": "ok", "f": "offer", "value": answer}])
    trace = [{"mono_ns": 5, "event": "filter.loaded", "entries": loaded, "offered": loaded, "bits": 1, "error": 0.0}]
    trace += [
        {"mono_ns": 6 + i, "event": "filter.level", "entries": 50 * i, "error": e, "fill": 0.1, "bits": 1} for i, e in enumerate(errors)
    ]
    trace += [{"mono_ns": 20, "event": "filter.alarm", "entries": entries, "error": 0.021} for entries in alarms]
    write_lines(root / "trace" / "filter.jsonl", trace)
    write_ledger(root / "ledger" / "site.jsonl", [served(url) for url in fresh] if log is None else log)
    return root


def judged(run_dir: Path) -> Outcome:
    return judge(load("bloom-skips-urls"), run_dir, 1.0)


def test_all_fetched_passes_and_hubs_may_be_asked_for_again(tmp_path: Path) -> None:
    log = [served("https://site.example/new/00", hub=True)] * 2 + [served(url) for url in NEW]
    outcome = judged(bloom_run(tmp_path, [], log=log))
    assert (outcome.verdict, outcome.metrics["skipped"]) == ("PASS", 0)


def test_what_the_budget_allows_passes_and_what_is_beyond_does_not(tmp_path: Path) -> None:
    assert judged(bloom_run(tmp_path / "within", NEW[10:12])).verdict == "PASS"
    outcome = judged(bloom_run(tmp_path / "beyond", NEW[10:15]))
    assert outcome.violations.by_rule == {"skipped_beyond_budget": 3}
    assert outcome.violations.evidence[0].records == ("truth.json", "history/c1.jsonl:2")


def test_one_page_of_high_value_is_one_too_many(tmp_path: Path) -> None:
    outcome = judged(bloom_run(tmp_path, [DEAR]))
    assert (outcome.verdict, outcome.violations.by_rule) == ("FAIL", {"high_value_missed": 1})


@pytest.mark.parametrize("again", [NEW[0], OLD], ids=["a new page twice", "an old page at all"])
def test_what_was_known_must_be_left_alone(tmp_path: Path, again: str) -> None:
    outcome = judged(bloom_run(tmp_path, [], log=[served(url) for url in [*NEW, again]]))
    assert outcome.violations.by_rule == {"fetched_again": 1}
    assert outcome.violations.evidence[0].records == ("ledger/site.jsonl:201",)


def test_a_page_that_was_not_taken_for_seen_is_not_skipped_for_certain(tmp_path: Path) -> None:
    outcome = judged(bloom_run(tmp_path, [], log=[served(url) for url in NEW if url != DEAR]))
    assert outcome.verdict == "VACUOUS"  # nobody took it for seen: it may still come, or something else than the filter is at work
    assert outcome.violations.by_rule == {}


@pytest.mark.parametrize(
    "changed",
    [
        {"loaded": 5_799},
        {"offered": NEW[:-1]},
        {"said_fresh": (NEW[10],), "log": [served(url) for url in NEW if url != NEW[10]]},
        {"errors": (0.001, 0.021)},  # the monitor slept
        {"errors": (0.001, 0.021), "alarms": (51,)},  # it was late
        {"alarms": (40,)},  # there was no cause
    ],
    ids=["not full", "not all offered", "skipped though fresh", "no alarm", "late alarm", "false alarm"],
)
def test_what_was_no_trial_is_vacuous(tmp_path: Path, changed: dict[str, Any]) -> None:
    assert judged(bloom_run(tmp_path, [NEW[10]], **changed)).verdict == "VACUOUS"


def test_an_alarm_in_time_is_part_of_a_trial(tmp_path: Path) -> None:
    assert judged(bloom_run(tmp_path, [], errors=(0.001, 0.021), alarms=(50,))).verdict == "PASS"
