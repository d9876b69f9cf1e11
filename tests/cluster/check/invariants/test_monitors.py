"""Planted faults: each turns its own monitor red, and a correct stream turns none."""

from __future__ import annotations

import pytest

from cluster.check.invariants import MONITORS, Monitors
from cluster.check.invariants.monitor import TERMS_MAX
from cluster.check.invariants.state_machine_safety import MARKS_MAX
from cluster.telemetry.events import Event, TelemetryLost
from tests.cluster.check.invariants.stream import (
    commit,
    correct,
    cut,
    mark,
    ready,
    role,
    state,
    vote,
    wiped,
)

# What is planted after the correct stream -> the monitor that must see it, and a word of its evidence.
PLANTED: dict[str, tuple[list[Event], str, str]] = {
    "two leaders of one term": ([role("n3", 100, "leader", 2)], "election safety", "n2 and n3 both lead term 2"),
    "a second leader known only by its state": (
        [state("n3", 100, 2, 32, 33, role="leader", epoch=2)],
        "election safety",
        "n2 and n3 both lead term 2",
    ),
    "a leader without a committed entry": (
        [role("n3", 100, "leader", 3), state("n3", 101, 3, 16, 17, role="leader", epoch=2)],
        "leader completeness",
        "without entry 32, committed in term 2",
    ),
    "different entries applied": ([mark("n3", 100, 32, 2, 0xBAD)], "state-machine safety", "up to 32"),
    "an entry of another term applied": ([mark("n3", 100, 32, 1, 0xDEF)], "state-machine safety", "up to 32"),
    "overwriting what the node had applied": (
        [cut("n1", 100, 30, 33, 3)],
        "committed entries stay",
        "having applied up to 32",
    ),
    "overwriting what the node knew committed": (
        [state("n4", 100, 2, 40, 41), cut("n4", 101, 40, 41, 3)],
        "committed entries stay",
        "committed up to 40",
    ),
    "overwriting what others have applied": (
        [state("n4", 100, 2, 20, 40, runs=((1, 1), (17, 2))), cut("n4", 101, 30, 40, 3)],
        "committed entries stay",
        "entry 32 of term 2",
    ),
    "two votes in one term": ([vote("n3", 100, "n1", 2)], "one vote per term", "n3 voted for n2 and for n1 in term 2"),
    "a vote for another beside its own": (
        [role("n1", 100, "candidate", 3), vote("n1", 101, "n3", 3)],
        "one vote per term",
        "n1 voted for n1 and for n3",
    ),
    "a vote forgotten over a restart": (
        [
            vote("n3", 100, "n2", 3),
            state("n3", 110, 3, 32, 33, vote="n2", epoch=2),
            ready("n3", 120, 3, 3),
            vote("n3", 121, "n1", 3),
        ],
        "one vote per term",
        "in term 3",
    ),
    "a vote lost with its term by a disk that lied": (
        [
            vote("n3", 100, "n2", 3),
            state("n3", 110, 3, 32, 33, vote="n2", epoch=2),
            ready("n3", 120, 3, 2),
            vote("n3", 121, "n1", 3),
        ],
        "one vote per term",
        "in term 3",
    ),
    "a restart that nobody reported": (
        [vote("n3", 100, "n2", 3), vote("n3", 121, "n1", 3)],
        "one vote per term",
        "in term 3",
    ),
    "a term that falls": ([state("n1", 100, 1, 32, 33)], "term never falls", "from term 2 to 1"),
    "a leader that recovers a lower term": ([ready("n2", 100, 2, 1)], "term never falls", "from term 2 to 1"),
    "a commit index that falls": ([state("n1", 100, 2, 31, 33)], "commit never falls", "from 32 to 31"),
    "a leader that takes a commit back": ([commit("n2", 100, 31, 2)], "commit never falls", "from 32 to 31"),
    "applied before committed": ([state("n1", 100, 2, 32, 40, applied=33)], "applied ≤ commit ≤ last", "applied 33"),
    "committed but not held": ([state("n1", 100, 2, 41, 40)], "applied ≤ commit ≤ last", "last 40"),
}

HARMLESS: dict[str, list[Event]] = {
    "a former process's last words, read late": [
        ready("n1", 100, 2, 2),
        state("n1", 101, 3, 0, 33, epoch=2),
        state("n1", 99, 2, 32, 33, epoch=1, vote=None),
    ],
    "a term that was never durable": [state("n1", 100, 9, 32, 33), ready("n1", 110, 2, 2), state("n1", 111, 2, 0, 33, epoch=2)],
    "a vote that was never durable": [
        vote("n3", 100, "n2", 7),
        state("n3", 101, 7, 32, 33, vote="n2", epoch=2, disk_busy_us=900),
        ready("n3", 120, 3, 6),
        vote("n3", 121, "n1", 7),
    ],
    "a vote that was never durable, in a term that was": [
        vote("n3", 100, "n2", 7),
        state("n3", 101, 7, 32, 33, vote="n2", epoch=2, disk_busy_us=900),
        ready("n3", 120, 3, 7),
        vote("n3", 121, "n1", 7),
    ],
    "a node whose disk was emptied on purpose": [
        wiped("n2", 100),
        ready("n2", 101, 2, 0),
        state("n2", 102, 0, 0, 0, epoch=2),
        vote("n2", 103, "n3", 2),
        state("n2", 104, 2, 0, 9, epoch=2),
        cut("n2", 105, 5, 9, 2),
    ],
    "leftovers below the commit index of others": [
        state("n4", 100, 2, 16, 40, runs=((1, 1), (17, 1))),
        cut("n4", 101, 17, 40, 3),
    ],
    "a stale leader that has not heard of its successor": [state("n2", 100, 2, 32, 33, role="leader"), commit("n3", 101, 99, 3)],
}


def fed(events: list[Event]) -> Monitors:
    monitors = Monitors()
    for event in events:
        monitors.feed(event)
    return monitors


def test_a_correct_stream_is_green_and_every_monitor_judged_something() -> None:
    monitors = Monitors()
    assert [monitors.feed(event) for event in correct()] == [[] for _ in correct()]
    for name, light in monitors.lights().items():
        assert light.state == "ok", name
        assert light.checked > 0, f"{name} judged nothing"
        assert light.evidence == ""


@pytest.mark.parametrize("fault", PLANTED)
def test_a_planted_fault_turns_exactly_its_monitor_red(fault: str) -> None:
    planted, name, words = PLANTED[fault]
    monitors = fed(correct())
    found = [violation for event in planted for violation in monitors.feed(event)]
    assert {violation.light for violation in found} == {name}
    assert words in found[0].evidence
    assert found[0].witness
    assert found[0].at_us == planted[-1].at_us
    lights = monitors.lights()
    assert lights[name][0] == "violated"
    assert lights[name][2] == found[0].evidence
    assert {other for other, light in lights.items() if light.state != "ok"} == {name}


@pytest.mark.parametrize("case", HARMLESS)
def test_what_a_correct_cluster_may_report_is_green(case: str) -> None:
    lights = fed([*correct(), *HARMLESS[case]]).lights()
    assert [name for name, light in lights.items() if light.state != "ok"] == []


def test_every_monitor_has_a_planted_fault() -> None:
    assert {name for _, name, _ in PLANTED.values()} == {monitor.name for monitor in MONITORS}


def test_lost_safety_events_are_unknown_not_green() -> None:
    monitors = fed([*correct(), TelemetryLost("n3", 2_000_000, 5)])
    states = {name: light.state for name, light in monitors.lights().items()}
    sampled = {"term never falls", "commit never falls", "applied ≤ commit ≤ last"}
    assert {name for name, shown in states.items() if shown == "unknown"} == set(states) - sampled
    assert monitors.lights()["election safety"].evidence == "5 safety events of n3 were lost at 2.000 s"
    monitors.feed(role("n3", 100, "leader", 2))
    assert monitors.lights()["election safety"].state == "violated", "red outranks unknown"


def test_red_stays_red_with_the_first_evidence() -> None:
    monitors = fed([*correct(), role("n3", 100, "leader", 2), role("n1", 101, "leader", 2)])
    for event in correct():
        monitors.feed(event)
    monitors.feed(TelemetryLost("n1", 200, 1))
    assert monitors.lights()["election safety"].evidence == "n2 and n3 both lead term 2"
    assert monitors.lights()["election safety"].state == "violated"


def test_records_are_bounded_and_what_was_forgotten_is_not_judged() -> None:
    monitors = Monitors()
    for number in range(1, MARKS_MAX + 100):
        monitors.feed(mark("n1", number, number, 1, number))
    for term in range(1, TERMS_MAX + 100):
        monitors.feed(role("n1", term, "leader", term))
        monitors.feed(vote("n1", term, "n1", term))
        monitors.feed(commit("n1", term, term, term))
    assert monitors.feed(role("n2", 1, "leader", 5)) == []
    assert monitors.feed(role("n2", 1, "leader", TERMS_MAX)) != []
    sizes = {
        field: len(value) for monitor in monitors.monitors for field, value in vars(monitor).items() if isinstance(value, (dict, list))
    }
    assert max(sizes.values()) <= MARKS_MAX
