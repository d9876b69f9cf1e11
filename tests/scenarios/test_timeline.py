"""Faults are armed or sent when their event comes, logged when the kernel confirms them, and undone at their time."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from scenarios.control import Arm
from scenarios.lines import LineFile
from scenarios.model import Fault
from scenarios.records import Records
from scenarios.timeline import Timeline, told

AT_LINE = Fault(on="failpoint:pay.before@w1", do="pause", target="w1", ms="ttl_ms * 2", nth=3, hold=True)
ON_HEARING = Fault(on="trace:lock.acquired@w2", do="pause", target="w1", ms="ttl_ms", nth=2)
KILLS = tuple(Fault(on="failpoint:refund.committed@r", do="kill", target="r", ms="1", nth=nth) for nth in (2, 4))


class Stage:
    """What the timeline asked of it, and a bell for each undoing."""

    def __init__(self) -> None:
        self.signals: list[tuple[str, signal.Signals]] = []
        self.restarts: list[str] = []
        self.undoing = asyncio.Event()

    def signal(self, process: str, signum: signal.Signals) -> None:
        self.signals.append((process, signum))
        if signum == signal.SIGCONT:
            self.undoing.set()

    def restart(self, process: str) -> None:
        self.restarts.append(process)
        self.undoing.set()


def timeline_of(stage: Stage, tmp_path: Path, *faults: Fault) -> Timeline:
    return Timeline(faults, {"ttl_ms": "5"}, 1.0, LineFile(tmp_path / "faults.jsonl"), stage.signal, stage.restart)


async def test_a_step_at_a_failpoint_is_armed_and_undone(tmp_path: Path) -> None:
    stage = Stage()
    timeline = timeline_of(stage, tmp_path, AT_LINE)
    assert timeline.arms("w1") == [Arm("pay.before", "pause", nth=3, hold=True)]
    assert timeline.arms("w2") == []
    for _ in range(3):
        timeline.heard("pay.before", "w1")
    timeline.stopped("w1", 7)
    await stage.undoing.wait()
    timeline.undone("w1", 9)
    assert stage.signals == [("w1", signal.SIGCONT)]
    assert [(line["phase"], line["mono_ns"]) for line in Records(tmp_path).faults()] == [("landed", 7_000), ("ended", 9_000)]
    assert told(Records(tmp_path))[0] == {
        "step": 0, "phase": "landed", "do": "pause", "target": "w1", "on": "failpoint:pay.before@w1", "ms": 10.0,
    }  # fmt: skip


async def test_kills_count_their_hits_over_the_lives_of_the_process(tmp_path: Path) -> None:
    stage = Stage()
    timeline = timeline_of(stage, tmp_path, *KILLS)
    assert [arm.nth for arm in timeline.arms("r")] == [2, 4]
    for _ in range(2):
        timeline.heard("refund.committed", "r")
    assert timeline.exited("r", -signal.SIGKILL, 7)
    await stage.undoing.wait()
    assert stage.restarts == ["r"]
    timeline.undone("r", 8)
    assert [arm.nth for arm in timeline.arms("r")] == [2]  # two of the four were hit in its first life
    assert [(line["step"], line["phase"]) for line in Records(tmp_path).faults()] == [(0, "landed"), (0, "ended")]


@pytest.mark.parametrize("status", [0, 70, -signal.SIGTERM, -signal.SIGKILL])
def test_an_end_that_no_step_is_due_for_is_nobodys_fault(tmp_path: Path, status: int) -> None:
    timeline = timeline_of(Stage(), tmp_path, *KILLS)
    timeline.heard("refund.committed", "r")
    assert not timeline.exited("r", status, 7)


def test_a_step_on_hearing_waits_for_its_turn(tmp_path: Path) -> None:
    stage = Stage()
    timeline = timeline_of(stage, tmp_path, ON_HEARING)
    assert timeline.arms("w2") == []
    for event, process in (("lock.acquired", "w1"), ("lock.acquired", "w2"), ("lock.released", "w2")):
        timeline.heard(event, process)
    assert stage.signals == []
    timeline.heard("lock.acquired", "w2")
    timeline.heard("lock.acquired", "w2")
    assert stage.signals == [("w1", signal.SIGSTOP)]


def test_somebody_elses_stop_is_neither_logged_nor_undone(tmp_path: Path) -> None:
    stage = Stage()
    timeline = timeline_of(stage, tmp_path, AT_LINE)
    timeline.stopped("w1", 7)
    timeline.undone("w1", 9)
    assert stage.signals == []
    assert Records(tmp_path).faults() == []
