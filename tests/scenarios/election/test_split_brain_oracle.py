"""The oracle of the split brain, over records written by hand: each kind of violation, each way of proving nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from scenarios.catalog import load
from scenarios.judging import Outcome, judge
from tests.scenarios.run_dirs import write_ending, write_ledger, write_lines

S = 1_000_000_000
CANONICAL = {
    "lock": "raft", "detector": "phi", "replication": "async", "fencing": "on", "fence_on_acquire": "on", "ttl_ms": "3000",
    "stop": "before_execute",
}  # fmt: skip
BROKEN = {
    "lock": "redis", "detector": "fixed", "replication": "async", "fencing": "off", "fence_on_acquire": "off", "ttl_ms": "3000",
    "stop": "before_execute",
}  # fmt: skip
JOBS = [
    {"job": "tick", "slot": 1, "batches": 1, "recipients": 1},
    {"job": "tick", "slot": 2, "batches": 1, "recipients": 1},
    {"job": "letter", "slot": 2, "batches": 2, "recipients": 10},
]


def mail(at_ns: int, caller: str, job: str, slot: int, batch: int = 0, *, token: int = 1, kind: str = "delivered") -> dict[str, Any]:
    size = 1 if job == "tick" else 10
    first = batch * size + 1
    line = {"mono_ns": at_ns, "kind": kind, "job": job, "slot": slot, "batch": batch, "first": first, "last": first + size - 1}
    return {**line, "token": token, "caller": caller}


BY_S1 = [mail(1 * S, "s1", "tick", 1)]
BY_S3 = [mail(8 * S, "s3", "tick", 2, token=7), *(mail((9 + i) * S, "s3", "letter", 2, i, token=7) for i in range(2))]
LATE = mail(11 * S, "s1", "tick", 2, kind="rejected")
GOOD = [*BY_S1, *BY_S3, LATE]


def brain_run(
    root: Path, ledger: list[dict[str, Any]] = GOOD, *, toggles: dict[str, str] = CANONICAL, until_ns: int = 10 * S, cut: bool = True,
    sent_ns: int = 11 * S, done: bool = True,
) -> Path:  # fmt: skip
    """s1 stands still from the fourth second on, and sends what it has in its hand when it wakes."""
    params = {"slug": "split-brain-scheduler", "variant": "canonical", "toggles": toggles, "seed": 1, "scale": 1.0}
    root.mkdir(parents=True, exist_ok=True)
    (root / "params.json").write_bytes(msgspec.json.encode(params))
    (root / "truth.json").write_bytes(msgspec.json.encode({"workload": JOBS}))
    stops = [("stopped", 4 * S), ("continued", until_ns)]
    write_lines(root / "supervisor.jsonl", [{"mono_ns": at, "event": event, "process": "s1"} for event, at in stops])
    landed = {"mono_ns": 4 * S, "do": "cut", "target": "s1 | s3", "on": "trace:x@s1", "phase": "landed"}
    write_lines(root / "faults.jsonl", [landed] if cut else [])
    write_lines(root / "history" / "s1.jsonl", [{"index": 1, "time": sent_ns, "type": "invoke", "f": "execute", "value": {}}])
    write_ledger(root / "ledger" / "mailer.jsonl", ledger)
    write_ending(root, done=done)
    return root


def judged(run_dir: Path) -> Outcome:
    return judge(load("split-brain-scheduler"), run_dir, 1.0)


def test_one_leader_after_the_other_passes(tmp_path: Path) -> None:
    outcome = judged(brain_run(tmp_path))
    assert (outcome.verdict, outcome.violations.count) == ("PASS", 0)
    assert (outcome.metrics["mails"], outcome.metrics["rejections"], outcome.metrics["callers"]) == (22, 1, 2)


def test_every_mail_beyond_the_first_is_a_violation_with_both_lines(tmp_path: Path) -> None:
    both = [*BY_S1, *BY_S3, mail(8 * S, "s2", "tick", 2, token=7), mail(10 * S, "s2", "letter", 2, 1, token=7), BY_S3[0], LATE]
    outcome = judged(brain_run(tmp_path, both, toggles=BROKEN))
    assert (outcome.verdict, outcome.violations.by_rule) == ("FAIL", {"mailed_twice": 1 + 10 + 1})
    assert outcome.violations.evidence[0].records == ("ledger/mailer.jsonl:2", "ledger/mailer.jsonl:5")


def test_with_a_lock_that_is_nobodys_the_late_one_alone_is_a_trial(tmp_path: Path) -> None:
    late = [*BY_S1, mail(11 * S, "s1", "tick", 2), *({**line, "mono_ns": line["mono_ns"] + 10 * S} for line in BY_S3)]
    outcome = judged(brain_run(tmp_path, late, toggles={**BROKEN, "replication": "wait1"}))
    assert (outcome.verdict, outcome.violations.by_rule) == ("FAIL", {"mailed_twice": 1})


def test_what_was_never_sent_and_what_nobody_wanted_are_violations_too(tmp_path: Path) -> None:
    outcome = judged(brain_run(tmp_path, [*BY_S1, *BY_S3[:2], mail(9 * S, "s3", "tick", 9, token=7), LATE]))
    assert outcome.violations.by_rule == {"never_mailed": 10, "strange_mail": 1}


def test_what_is_not_sent_yet_is_not_missed_and_proves_nothing(tmp_path: Path) -> None:
    outcome = judged(brain_run(tmp_path / "late", [*BY_S1, *BY_S3[:2], LATE], done=False))
    assert (outcome.verdict, outcome.violations.count, outcome.coverage["the schedulers' day was over"]) == ("VACUOUS", 0, False)
    assert judged(brain_run(tmp_path / "whole", done=False)).verdict == "VACUOUS"
    assert judged(brain_run(tmp_path / "twice", [*GOOD, BY_S3[0]], done=False)).violations.by_rule == {"mailed_twice": 1}


@pytest.mark.parametrize(
    "changed",
    [
        {"until_ns": 6 * S},
        {"cut": False},
        {"ledger": [{**line, "caller": "s1"} for line in GOOD]},
        {"sent_ns": 3 * S},
        {"ledger": GOOD[:-1]},
        {"toggles": BROKEN},  # nobody was interleaved with anybody
        {"toggles": BROKEN, "ledger": [*BY_S1, mail(8 * S, "s2", "tick", 2), LATE, mail(12 * S, "s2", "tick", 5)]},  # but s1, once
    ],
    ids=["short pause", "no cut", "nobody else", "nothing late", "nothing turned away", "one at a time", "a stale holder alone"],
)
def test_what_was_no_trial_is_vacuous(tmp_path: Path, changed: dict[str, Any]) -> None:
    assert judged(brain_run(tmp_path, **changed)).verdict == "VACUOUS"
