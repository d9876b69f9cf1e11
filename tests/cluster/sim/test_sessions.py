"""Simulated clients that ask again in sessions: each write happens once, whatever was lost, and the checker would see if it did not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cluster.core.kv.ops import InSession, Reply, Write
from cluster.core.kv.sessions import Sessions
from cluster.core.types import Micros
from cluster.sim.run import run
from cluster.sim.setup import Setup
from cluster.telemetry.control import HistoryLine
from tests.marks import interpreted

LOSSY = Setup(seed=23)


def test_writes_are_asked_again_and_happen_once() -> None:
    outcome = run(LOSSY)
    assert outcome.violation is None
    assert outcome.exercised.retried > 10


@interpreted
def test_a_store_that_performs_a_repeated_write_again_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def every_time(self: Sessions, asked: InSession, now_us: Micros, index: int, perform: Callable[[Write], Reply]) -> Reply:
        return perform(asked.write)

    monkeypatch.setattr(Sessions, "once", every_time)
    violation = run(LOSSY).violation
    assert violation is not None
    assert violation.light == "linearizable"


def test_to_the_history_an_operation_is_one_however_often_it_is_asked() -> None:
    lines: list[HistoryLine] = []

    def look_on(told: Any) -> None:
        if isinstance(told, HistoryLine):
            lines.append(told)

    outcome = run(LOSSY, look_on)
    assert outcome.exercised.retried > 10
    open_by_process: dict[int, HistoryLine] = {}
    for line in lines:
        if line.kind == "invoke":
            assert line.process not in open_by_process
            open_by_process[line.process] = line
        else:
            asked = open_by_process.pop(line.process)
            assert (asked.f, asked.key) == (line.f, line.key)
    writes = [(line.key, line.value) for line in lines if line.kind == "invoke" and line.f == "write"]
    assert len(writes) == len(set(writes))
