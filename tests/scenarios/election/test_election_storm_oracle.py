"""The oracle of the election storm, over records written by hand: every kind of violation, every way of proving nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from scenarios.catalog import load
from scenarios.judging import Outcome, judge
from tests.scenarios.run_dirs import write_lines

MS = 1_000_000
BEGIN, END = 3_000, 13_000  # of the flap, ms
TOGGLES = {
    "election_ms": "100", "spread": "narrow", "heartbeat": "80", "prevote": "off", "check_quorum": "off", "flap": "30to50",
    "kill_leader": "off",
}  # fmt: skip
STEADY = [*range(1_000, 14_000, 100)]


def call(writer: str, number: int, at_ms: float, f: str = "put", value: str | None = None, end: str = "ok") -> list[dict[str, Any]]:
    """One call and what came of it, 40 ms later."""
    asked = {"key": f"{writer}.k", **({"value": value or f"{writer}-{number}"} if f == "put" else {})}
    told = {**asked, "value": value or f"{writer}-{number}"} if end != "info" else {"error": "timeout"}
    head = {"index": number, "process": writer, "f": f}
    return [
        {**head, "time": int(at_ms * MS), "type": "invoke", "value": asked},
        {**head, "time": int((at_ms + 40) * MS), "type": end, "value": told},
    ]


def storm_run(
    root: Path, answered: list[int] = STEADY, *, asked: list[int] = STEADY, end_ms: int = END, led: bool = True, sent: int = 1_000,
    slow: bool = True, more: list[dict[str, Any]] | None = None,
) -> Path:  # fmt: skip
    """Every writer asks at `asked`; what is also in `answered` is answered. `more`: lines of w1's history besides."""
    root.mkdir(parents=True, exist_ok=True)
    params = {"slug": "election-storm", "variant": "broken", "toggles": TOGGLES, "seed": 1, "scale": 1.0}
    (root / "params.json").write_bytes(msgspec.json.encode(params))
    (root / "truth.json").write_bytes(msgspec.json.encode({"workload": []}))
    flap = {"on": "time", "do": "slow", "ms": 10_000.0}
    faults = [{**flap, "phase": phase, "mono_ns": at * MS} for phase, at in (("landed", BEGIN), ("ended", end_ms))]
    write_lines(root / "faults.jsonl", faults if slow else [])
    write_lines(root / "supervisor.jsonl", [])
    role = {"mono_ns": 900 * MS, "event": "raft.role", "role": "leader" if led else "follower", "term": 2}
    counts = ((1, 50), (9_000, 50 + sent))
    states = [{"mono_ns": (BEGIN + at) * MS, "event": "raft.state", "sent": count, "term": 2} for at, count in counts]
    write_lines(root / "trace" / "kv1.jsonl", [role, *states])
    for writer in ("w1", "w2", "w3"):
        lines = [line for number, at in enumerate(asked) for line in call(writer, number, at, end="ok" if at in answered else "info")]
        extra = more if more and writer == "w1" else []
        write_lines(root / "history" / f"{writer}.jsonl", sorted([*lines, *extra], key=lambda line: int(line["time"])))
    return root


def judged(run_dir: Path) -> Outcome:
    return judge(load("election-storm"), run_dir, 0.0)


def but(first: int, last: int) -> list[int]:
    return [at for at in STEADY if not first <= at < last]


def test_writes_that_are_answered_all_the_time_pass(tmp_path: Path) -> None:
    outcome = judged(storm_run(tmp_path))
    assert (outcome.verdict, outcome.violations.count) == ("PASS", 0)
    assert all(outcome.coverage.values())
    assert outcome.metrics["no_write_s"] == 0


def test_ten_seconds_without_an_answer_are_twenty_half_seconds(tmp_path: Path) -> None:
    outcome = judged(storm_run(tmp_path, but(BEGIN - 100, END + 100)))
    assert (outcome.verdict, outcome.violations.by_rule) == ("FAIL", {"no_write": 20})
    assert outcome.metrics["longest_gap_ms"] == 10_000
    assert outcome.violations.evidence[0].records == ("faults.jsonl:1", "faults.jsonl:2")


@pytest.mark.parametrize(("until", "verdict", "count"), [(4_400, "PASS", 0), (4_500, "FAIL", 3), (5_000, "FAIL", 4)])
def test_a_second_and_a_half_is_allowed_and_no_more(tmp_path: Path, until: int, verdict: str, count: int) -> None:
    """From the beginning of the flap to the answer of the write that was asked for at `until`."""
    outcome = judged(storm_run(tmp_path, but(BEGIN - 40, until)))
    assert (outcome.verdict, outcome.violations.count) == (verdict, count)


def test_a_gap_below_half_a_second_is_none(tmp_path: Path) -> None:
    asked = [*range(1_000, 14_000, 10)]
    shorter, longer = [at for at in asked if at % 490 < 10], [at for at in asked if at % 510 < 10]
    assert judged(storm_run(tmp_path / "a", shorter, asked=asked)).metrics["no_write_s"] == 0
    assert judged(storm_run(tmp_path / "b", longer, asked=asked)).violations.count >= 18


def test_a_value_that_nobody_wrote_is_no_matter_of_time(tmp_path: Path) -> None:
    outcome = judged(storm_run(tmp_path, more=call("w1", 900, 2_050, "get", "w1-nobody")))
    assert (outcome.verdict, outcome.violations.by_rule) == ("FAIL", {"not_linearizable": 1})
    ((where,),) = (evidence.records for evidence in outcome.violations.evidence)
    file, _, number = where.partition(":")
    assert file == "history/w1.jsonl"
    assert b"w1-nobody" in b"".join((tmp_path / file).read_bytes().splitlines()[int(number) - 1 : int(number) + 2])


def test_a_read_of_the_past_is_no_matter_of_time(tmp_path: Path) -> None:
    outcome = judged(storm_run(tmp_path, more=call("w1", 900, 12_950, "get", "w1-3")))
    assert outcome.violations.by_rule == {"not_linearizable": 1}


def test_a_history_with_a_line_gone_is_told_from_one_that_is_whole(tmp_path: Path) -> None:
    """Without the write, its value comes from nowhere."""
    storm_run(tmp_path, more=call("w1", 900, 2_050, "get", "w1-10"))
    assert judged(tmp_path).verdict == "PASS"
    file = tmp_path / "history" / "w1.jsonl"
    kept = [line for line in file.read_bytes().splitlines(keepends=True) if b'"w1-10"' not in line or b'"get"' in line]
    file.write_bytes(b"".join(kept))
    assert judged(tmp_path).violations.by_rule == {"not_linearizable": 1}


def test_a_line_told_twice_is_no_history_and_the_order_in_the_file_is_no_matter(tmp_path: Path) -> None:
    file = storm_run(tmp_path) / "history" / "w1.jsonl"
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(reversed(lines)))
    assert judged(tmp_path).verdict == "PASS"
    file.write_bytes(b"".join([*lines, lines[7]]))
    outcome = judged(tmp_path)
    assert (outcome.verdict, outcome.why.partition(":")[0]) == ("ERROR", "history/w1.jsonl")


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"slow": False}, "the links were bad for ten seconds"),
        ({"end_ms": 12_000}, "the links were bad for ten seconds"),
        ({"led": False}, "somebody led, and writes were answered, before"),
        ({"answered": []}, "somebody led, and writes were answered, before"),
        ({"asked": but(BEGIN, END)}, "every writer kept asking"),
        ({"sent": 499}, "at least 500 messages were late"),
    ],
)
def test_what_was_no_trial_is_vacuous(tmp_path: Path, changed: dict[str, Any], why: str) -> None:
    outcome = judged(storm_run(tmp_path, **changed))
    assert outcome.verdict == "VACUOUS"
    assert not outcome.coverage[why]
