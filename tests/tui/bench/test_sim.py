"""The simulator's bench: it counts what it says, and refuses to count runs that are no good."""

from __future__ import annotations

import json

import msgspec
import pytest

from cluster.core.errors import FaultlineError
from cluster.sim.run import run
from cluster.sim.setup import Setup
from tui.bench.kinds import sim

SMALL = {what: msgspec.structs.replace(setup, steps=2_000) for what, setup in sim.LOADS.items()}


def test_the_report_has_every_load_and_target(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sim, "LOADS", SMALL)
    monkeypatch.setattr(sim, "MILLION", 1_000)
    report = sim.measure(lambda line: None, seeds=2, rounds=2, millions=3)
    assert json.loads(json.dumps(report.document)) == report.document
    assert set(report.document["loads"]) == set(sim.LOADS)
    assert len(report.document["memory_mb"]) == 3
    assert len(report.targets) == 3


def test_heartbeats_gossip_and_what_never_arrived_are_no_messages() -> None:
    alone = run(Setup(seed=1, steps=3_000, faults=(), calm=True, clients=1, think_us=3_000_000))
    assert alone.messages < alone.heartbeats // 4
    assert 0 < alone.client_messages < alone.messages
    cut = run(Setup(seed=1, steps=3_000, schedule=("at 0.001 cut n1 | n2 | n3 | n4 | n5 for 1000s",), clients=1))
    assert cut.heartbeats < 100


def test_a_run_with_a_violation_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = Setup(seed=0, steps=3_000, mistakes=("apply_before_commit",))
    monkeypatch.setattr(sim, "LOADS", {"as drawn": broken, "busy": broken})
    with pytest.raises(FaultlineError, match="no good run"):
        sim.measure(lambda line: None, seeds=1, rounds=1, millions=0)
