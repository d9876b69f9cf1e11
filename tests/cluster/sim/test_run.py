"""One seed: the same run every time, and a run that does what it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import msgspec
import pytest

from cluster.core.raft.machine import MESSAGES
from cluster.core.raft.messages import Appended
from cluster.core.raft.state import RaftState
from cluster.core.types import Micros, NodeId
from cluster.sim.host import NO_FAILURE
from cluster.sim.run import run
from cluster.sim.setup import FAULTS, Setup
from tests.architecture.source import CHECKOUT

PEACEFUL = Setup(seed=1, faults=(), steps=3_000, calm=True, clients=3, think_us=5_000)
STORMY = Setup(seed=3, steps=6_000)


def test_five_replicas_elect_a_leader_and_commit() -> None:
    outcome = run(PEACEFUL)
    assert outcome.violation is None
    assert outcome.exercised.leader_changes == 1
    assert outcome.exercised.acked > 50
    assert outcome.exercised.reads > 50
    assert outcome.exercised.unknown == 0
    assert outcome.unjudged == ""


def test_a_run_stops_after_its_steps_and_makes_peace() -> None:
    outcome = run(PEACEFUL)
    assert 3_000 < outcome.steps < 6_000


def test_another_seed_is_another_run() -> None:
    assert run(PEACEFUL).trace_hash != run(msgspec.structs.replace(PEACEFUL, seed=2)).trace_hash


def test_faults_that_are_asked_for_happen() -> None:
    outcomes = [run(Setup(seed=seed, steps=12_000)).exercised for seed in range(12)]
    for field in ("crashes", "cuts", "pauses", "disk_faults", "link_faults", "clock_faults", "transfers", "torn_writes", "truncations"):
        assert sum(getattr(done, field) for done in outcomes) > 0, field


def test_each_kind_of_fault_alone_breaks_nothing() -> None:
    for kind in FAULTS:
        outcomes = [run(Setup(seed=seed, steps=4_000, faults=(kind,))) for seed in range(4)]
        assert [outcome.violation for outcome in outcomes] == [None] * 4, kind
        assert sum(outcome.exercised.faults for outcome in outcomes) > 0, kind


def test_a_machine_that_raises_is_a_violation_that_says_what_and_where(monkeypatch: pytest.MonkeyPatch) -> None:
    def divided(s: RaftState, follower: NodeId, message: Appended, now: Micros) -> None:
        raise ZeroDivisionError("by nothing")

    monkeypatch.setitem(MESSAGES, Appended, divided)
    found = run(PEACEFUL).violation
    assert found is not None
    assert found.light == NO_FAILURE
    assert re.fullmatch(r"n\d: ZeroDivisionError: by nothing \(test_run\.py:\d+, in divided\)", found.evidence)


def test_a_cluster_of_one_three_or_seven_lives_too() -> None:
    for nodes in (1, 3, 7):
        outcome = run(Setup(seed=2, nodes=nodes, steps=5_000))
        assert outcome.violation is None
        assert outcome.exercised.acked > 0


def test_the_same_seed_gives_the_same_trace_in_processes_with_other_hashes() -> None:
    here = run(STORMY).trace_hash
    code = "from cluster.sim.run import run; from cluster.sim.setup import Setup; print(run(Setup(seed=3, steps=6_000)).trace_hash)"
    for hash_seed in ("0", "4711"):
        environ = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(CHECKOUT)}
        there = subprocess.run([sys.executable, "-c", code], env=environ, cwd=CHECKOUT, capture_output=True, text=True, check=True)
        assert there.stdout.strip() == here
