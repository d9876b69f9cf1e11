"""Faults are armed or sent when their event comes, logged when the kernel confirms them, and undone at their time."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

from scenarios.control import Arm
from scenarios.lines import LineFile
from scenarios.model import Fault
from scenarios.records import Records
from scenarios.timeline import Timeline, told

AT_LINE = Fault(on="failpoint:pay.before@w1", do="pause", target="w1", ms="ttl_ms * 2", nth=3, hold=True)
ON_HEARING = Fault(on="trace:lock.acquired@w2", do="pause", target="w1", ms="ttl_ms", nth=2)


class Sent:
    """What the timeline asked the stage to do, and a bell for the second of it."""

    def __init__(self) -> None:
        self.signals: list[tuple[str, signal.Signals]] = []
        self.continued = asyncio.Event()

    def __call__(self, process: str, signum: signal.Signals) -> None:
        self.signals.append((process, signum))
        if signum == signal.SIGCONT:
            self.continued.set()


async def test_a_step_at_a_failpoint_is_armed_and_undone(tmp_path: Path) -> None:
    sent = Sent()
    timeline = Timeline((AT_LINE,), {"ttl_ms": "5"}, 1.0, LineFile(tmp_path / "faults.jsonl"), sent)
    assert timeline.arms() == [("w1", Arm("pay.before", "pause", nth=3, hold=True))]
    timeline.stopped("w1", 7)
    await sent.continued.wait()
    timeline.continued("w1", 9)
    assert sent.signals == [("w1", signal.SIGCONT)]
    assert [(line["phase"], line["mono_ns"]) for line in Records(tmp_path).faults()] == [("landed", 7_000), ("ended", 9_000)]
    assert told(Records(tmp_path))[0] == {
        "step": 0, "phase": "landed", "do": "pause", "target": "w1", "on": "failpoint:pay.before@w1", "ms": 10.0,
    }  # fmt: skip


def test_a_step_on_hearing_waits_for_its_turn(tmp_path: Path) -> None:
    sent = Sent()
    timeline = Timeline((ON_HEARING,), {"ttl_ms": "5"}, 1.0, LineFile(tmp_path / "faults.jsonl"), sent)
    assert timeline.arms() == []
    for event, process in (("lock.acquired", "w1"), ("lock.acquired", "w2"), ("lock.released", "w2")):
        timeline.heard(event, process)
    assert sent.signals == []
    timeline.heard("lock.acquired", "w2")
    timeline.heard("lock.acquired", "w2")
    assert sent.signals == [("w1", signal.SIGSTOP)]


def test_somebody_elses_stop_is_neither_logged_nor_undone(tmp_path: Path) -> None:
    sent = Sent()
    timeline = Timeline((ON_HEARING,), {"ttl_ms": "5"}, 1.0, LineFile(tmp_path / "faults.jsonl"), sent)
    timeline.stopped("w1", 7)
    timeline.continued("w1", 9)
    assert sent.signals == []
    assert Records(tmp_path).faults() == []
