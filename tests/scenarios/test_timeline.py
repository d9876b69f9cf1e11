"""Faults are armed or begun when their event or time comes, logged when they have landed, and undone at their time."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cluster.core.errors import UsageError
from scenarios.control import Arm
from scenarios.fault_log import told
from scenarios.faults import Fault
from scenarios.lines import LineFile
from scenarios.links import Pair, Rule
from scenarios.records import Records
from scenarios.timeline import Hands, Timeline

AT_LINE = Fault(on="failpoint:pay.before@w1", do="pause", target="w1", ms="ttl_ms * 2", nth=3, hold=True)
ON_HEARING = Fault(on="trace:lock.acquired@w2", do="pause", target="w1", ms="ttl_ms", nth=2)
KILLS = tuple(Fault(on="failpoint:refund.committed@r", do="kill", target="r", ms="1", nth=nth) for nth in (2, 4))
TWO_PAUSES = tuple(Fault(on=f"trace:{event}@w2", do="pause", target="w1", ms=ms) for event, ms in (("first", 1), ("second", 60_000)))
CUT = Fault(on="trace:lock.acquired@w2", do="cut", target="w1 | redis", ms="ttl_ms")


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

    def restart(self, process: str) -> bool:
        self.restarts.append(process)
        self.undoing.set()
        return True


class Edge:
    """Between w1 and redis. What it was told, and a bell for when it is told that all is well."""

    name = "x1"
    pairs = frozenset({("w1", "redis"), ("redis", "w1")})

    def __init__(self) -> None:
        self.told: list[tuple[int, dict[Pair, Rule]]] = []
        self.healed = asyncio.Event()

    def apply(self, version: int, rules: Mapping[Pair, Rule]) -> None:
        self.told.append((version, dict(rules)))
        if not rules:
            self.healed.set()


def timeline_of(stage: Stage, tmp_path: Path, *faults: Fault, edge: Edge | None = None) -> Timeline:
    hands = Hands(stage.signal, stage.restart, (edge,) if edge else ())
    return Timeline(faults, {"ttl_ms": "5", "crash": "off"}, 1.0, LineFile(tmp_path / "faults.jsonl"), hands)


async def passed(ms: float) -> None:
    """Behind every timer of the loop that was due by then: timers run in the order of their times."""
    bell = asyncio.Event()
    asyncio.get_running_loop().call_later(ms / 1_000, bell.set)
    await bell.wait()


def phases(tmp_path: Path) -> list[tuple[int, str]]:
    return [(line["step"], line["phase"]) for line in Records(tmp_path).faults()]


async def test_a_step_at_a_failpoint_is_armed_and_undone(tmp_path: Path) -> None:
    stage = Stage()
    timeline = timeline_of(stage, tmp_path, AT_LINE)
    assert timeline.arms("w1") == [Arm("pay.before", "pause", nth=3, hold=True, ms=10.0)]
    assert timeline.arms("w2") == []
    for _ in range(3):
        timeline.heard("pay.before", "w1")
    timeline.acting("w1", 0, "")
    timeline.stopped("w1", 7)
    await stage.undoing.wait()
    timeline.continued("w1", 9)
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
    timeline.acting("r", 0, "")
    assert timeline.exited("r", -signal.SIGKILL, 7)
    await stage.undoing.wait()
    assert stage.restarts == ["r"]
    timeline.started("r", 8)
    assert [(arm.step, arm.nth) for arm in timeline.arms("r")] == [(1, 2)]  # two of the four were hit in its first life
    assert phases(tmp_path) == [(0, "landed"), (0, "ended")]


def test_values_that_were_hit_are_not_armed_again(tmp_path: Path) -> None:
    slow = Fault(on="failpoint:pay.in_flight@r", do="delay", target="r", ms=900, where={"payment": ("p-1", "p-2")})
    timeline = timeline_of(Stage(), tmp_path, slow)
    assert timeline.arms("r") == [Arm("pay.in_flight", "delay", ms=900.0, field="payment", left={"p-1": 1, "p-2": 1})]
    timeline.acting("r", 0, "p-2")
    assert timeline.arms("r")[0].left == {"p-1": 1}
    timeline.acting("r", 0, "p-1")
    assert timeline.arms("r") == []
    assert [(line["phase"], line["value"]) for line in Records(tmp_path).faults()] == [("hit", "p-2"), ("hit", "p-1")]
    assert [line["value"] for line in told(Records(tmp_path))] == ["p-1", "p-2"]


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
    timeline.continued("w1", 9)
    assert stage.signals == []
    assert Records(tmp_path).faults() == []


async def test_a_process_that_two_steps_hold_goes_on_after_the_last_of_them(tmp_path: Path) -> None:
    stage = Stage()
    timeline = timeline_of(stage, tmp_path, *reversed(TWO_PAUSES))
    timeline.heard("second", "w2")
    timeline.stopped("w1", 1)
    timeline.heard("first", "w2")  # it stands still already: the kernel will say nothing
    await passed(5)
    assert stage.signals == [("w1", signal.SIGSTOP)]
    timeline.close()
    assert phases(tmp_path) == [(0, "landed"), (1, "landed"), (1, "ended"), (0, "ended")]


async def test_the_dead_are_not_held_any_more(tmp_path: Path) -> None:
    stage = Stage()
    timeline = timeline_of(stage, tmp_path, TWO_PAUSES[1], Fault(on="trace:second@w2", do="kill", target="w1"))
    timeline.heard("second", "w2")
    timeline.stopped("w1", 1)
    assert timeline.exited("w1", -signal.SIGKILL, 2)
    assert phases(tmp_path) == [(0, "landed"), (1, "landed"), (0, "ended")]
    timeline.close()
    assert len(phases(tmp_path)) == 3  # a kill that is not undone has no end


async def test_what_a_step_ended_another_starts_again(tmp_path: Path) -> None:
    stage = Stage()
    ends = (Fault(on="trace:a@w2", do="term", target="w1"), Fault(on="trace:b@w2", do="restart", target="w1"))
    timeline = timeline_of(stage, tmp_path, *ends)
    timeline.heard("a", "w2")
    assert stage.signals == [("w1", signal.SIGTERM)]
    assert timeline.exited("w1", 0, 1)
    timeline.heard("b", "w2")
    timeline.started("w1", 2)
    assert stage.restarts == ["w1"]
    assert phases(tmp_path) == [(0, "landed"), (1, "landed")]


async def test_times_count_from_the_start_and_nought_comes_before_it(tmp_path: Path) -> None:
    stage = Stage()
    early, late = (Fault(at_ms=at, do="pause", target=target, ms=60_000) for at, target in ((0, "w1"), (1, "w2")))
    timeline = timeline_of(stage, tmp_path, early, late)
    timeline.set_up()
    assert stage.signals == [("w1", signal.SIGSTOP)]
    assert timeline.not_in_force == {"fault[0]"}
    timeline.stopped("w1", 1)
    assert timeline.not_in_force == set()
    assert timeline.coming == {"fault[1]"}
    timeline.go()
    await passed(5)
    assert stage.signals[1:] == [("w2", signal.SIGSTOP)]
    timeline.stopped("w2", 2)
    assert timeline.coming == set()
    timeline.close()


async def test_nothing_begins_after_the_end(tmp_path: Path) -> None:
    stage = Stage()
    upon_event = Fault(on="trace:a@w2", after_ms=1, do="kill", target="w1")
    timeline = timeline_of(stage, tmp_path, Fault(at_ms=1, do="kill", target="w1"), upon_event)
    timeline.go()
    timeline.close()
    timeline.heard("a", "w2")
    await passed(5)
    assert stage.signals == []


async def test_a_step_of_other_toggles_does_not_happen_and_the_others_keep_their_numbers(tmp_path: Path) -> None:
    stage = Stage()
    timeline = timeline_of(stage, tmp_path, Fault(on="trace:a@w2", do="kill", target="w1", when="crash=on"), TWO_PAUSES[0])
    timeline.heard("a", "w2")
    assert stage.signals == []
    timeline.heard("first", "w2")
    timeline.stopped("w1", 1)
    timeline.close()
    assert phases(tmp_path) == [(1, "landed"), (1, "ended")]


async def test_a_cut_lands_and_ends_when_its_edge_says_so(tmp_path: Path) -> None:
    edge = Edge()
    timeline = timeline_of(Stage(), tmp_path, CUT, edge=edge)
    timeline.heard("lock.acquired", "w2")
    assert phases(tmp_path) == []
    [(version, rules)] = edge.told
    assert set(rules) == edge.pairs
    assert all(rule.fault.cut for rule in rules.values())
    timeline.applied("x1", version)
    assert phases(tmp_path) == [(0, "landed")]
    await edge.healed.wait()
    timeline.applied("x1", edge.told[-1][0])
    assert phases(tmp_path) == [(0, "landed"), (0, "ended")]
    assert Records(tmp_path).faults()[0]["who"] == ["x1"]


async def test_of_two_cuts_the_link_stays_cut_until_the_last_is_over(tmp_path: Path) -> None:
    edge = Edge()
    timeline = timeline_of(Stage(), tmp_path, CUT, Fault(on="trace:lock.acquired@w2", do="cut", target="w1 > redis"), edge=edge)
    timeline.heard("lock.acquired", "w2")
    timeline.applied("x1", edge.told[-1][0])  # the last version counts for both
    assert phases(tmp_path) == [(0, "landed"), (1, "landed")]
    await passed(10)
    assert {pair for pair, rule in edge.told[-1][1].items() if rule.fault.cut} == {("w1", "redis")}
    timeline.applied("x1", edge.told[-1][0])
    timeline.close()
    assert phases(tmp_path) == [(0, "landed"), (1, "landed"), (0, "ended"), (1, "ended")]


async def test_a_cut_between_those_who_do_not_talk_in_this_variant_is_a_fault_of_it_all_the_same(tmp_path: Path) -> None:
    timeline = timeline_of(Stage(), tmp_path, CUT)  # no edge at all
    timeline.heard("lock.acquired", "w2")
    assert phases(tmp_path) == [(0, "landed")]
    await passed(10)
    assert phases(tmp_path) == [(0, "landed"), (0, "ended")]


def test_a_reset_is_done_in_an_instant(tmp_path: Path) -> None:
    edge = Edge()
    timeline = timeline_of(Stage(), tmp_path, Fault(on="trace:a@w2", do="reset", target="w1 > redis"), edge=edge)
    timeline.heard("a", "w2")
    [(version, rules)] = edge.told
    assert {pair: rule.resets for pair, rule in rules.items()} == {("w1", "redis"): 1}
    timeline.applied("x1", version)
    timeline.close()
    assert phases(tmp_path) == [(0, "landed")]


def test_roles_are_computed_when_the_step_begins(tmp_path: Path) -> None:
    stage = Stage()
    leader = ["kv1"]
    members: Any = lambda word: tuple(leader) if word == "kv.leader" else (word,)  # noqa: E731
    faults = (Fault(on="trace:a@w2", do="pause", target="kv.leader", ms=60_000),)
    timeline = Timeline(faults, {}, 1.0, LineFile(tmp_path / "faults.jsonl"), Hands(stage.signal, stage.restart, (), members))
    leader[0] = "kv3"
    timeline.heard("a", "w2")
    assert stage.signals == [("kv3", signal.SIGSTOP)]


def line(step: int, phase: str, **more: Any) -> dict[str, Any]:
    return {"step": step, "phase": phase, "do": "cut", "target": "a | b", "on": "time", "ms": 1.0, **more}


def test_logs_are_compared_without_times_and_in_the_order_of_steps(tmp_path: Path) -> None:
    """Steps that overlap may change places from run to run; what was done is the same."""
    for name, order in (("one", (0, 1, 2, 3)), ("other", (2, 0, 3, 1))):
        lines = [line(0, "landed"), line(0, "ended"), line(1, "landed"), line(1, "hit", value="p-1")]
        file = LineFile(tmp_path / name / "faults.jsonl")
        for at in order:
            file.write({**lines[at], "mono_ns": at, "who": [name]})
    assert told(Records(tmp_path / "one")) == told(Records(tmp_path / "other"))


@pytest.mark.parametrize("change", [{"target": "a | c"}, {"ms": 2.0}, {"phase": "hit"}])
def test_logs_of_different_faults_differ(tmp_path: Path, change: dict[str, Any]) -> None:
    for name, more in (("one", {}), ("other", change)):
        LineFile(tmp_path / name / "faults.jsonl").write({**line(0, "landed"), **more, "mono_ns": 1})
    assert told(Records(tmp_path / "one")) != told(Records(tmp_path / "other"))


async def test_a_step_at_a_role_that_nobody_has_waits_for_somebody(tmp_path: Path) -> None:
    stage, answers = Stage(), iter([UsageError("no leader is known now"), UsageError("no leader is known now"), ("kv2",)])
    asked: list[str] = []

    def members(word: str) -> tuple[str, ...]:
        asked.append(word)
        found = next(answers)
        if isinstance(found, UsageError):
            raise found
        stage.undoing.set()
        return found

    kill = Fault(at_ms=1, do="kill", target="kv.leader")
    timeline = Timeline((kill,), {}, 1.0, LineFile(tmp_path / "faults.jsonl"), Hands(stage.signal, stage.restart, (), members))
    timeline.go()
    assert stage.signals == []
    await stage.undoing.wait()
    await passed(1)
    assert asked == ["kv.leader"] * 3
    assert stage.signals == [("kv2", signal.SIGKILL)]
    timeline.close()


async def test_a_step_at_a_role_that_nobody_ever_has_never_begins(tmp_path: Path) -> None:
    def nobody(word: str) -> tuple[str, ...]:
        raise UsageError(f"{word}: no leader is known now")

    stage = Stage()
    kill = Fault(at_ms=1, do="kill", target="kv.leader")
    timeline = Timeline((kill,), {}, 1.0, LineFile(tmp_path / "faults.jsonl"), Hands(stage.signal, stage.restart, (), nobody))
    timeline.go()
    await passed(30)
    timeline.close()
    await passed(30)
    assert stage.signals == []
    assert timeline.coming == {"fault[0]"}
