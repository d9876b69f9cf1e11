"""Planted faults: each turns its own monitor red, and a correct stream turns none."""

from __future__ import annotations

import pytest

from cluster.check.invariants import MONITORS, Monitors
from cluster.check.invariants.monitor import TERMS_MAX
from cluster.check.invariants.state_machine_safety import MARKS_MAX
from cluster.telemetry.control import HistoryLine
from cluster.telemetry.events import Event, TelemetryLost
from tests.cluster.check.invariants.stream import (
    commit,
    correct,
    cut,
    group,
    line,
    mark,
    ready,
    role,
    state,
    vote,
    wiped,
)

# What is planted after the correct stream -> the monitor that must see it, and a word of its evidence.
PLANTED: dict[str, tuple[list[Event | HistoryLine], str, str]] = {
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
    "overwriting, after a restart, what was applied before it and was on the disk": (
        [ready("n1", 100, 2, 2), state("n1", 101, 2, 20, 40, epoch=2, runs=((1, 1), (17, 2))), cut("n1", 102, 30, 40, 3)],
        "committed entries stay",
        "entry 32 of term 2",
    ),
    "overwriting, after a restart, what the process before knew committed, between two marks": (
        [
            state("n4", 99, 2, 40, 41, runs=((1, 1), (17, 2))),
            ready("n4", 100, 2, 2),
            state("n4", 101, 2, 20, 41, epoch=2, runs=((1, 1), (17, 2))),
            cut("n4", 102, 33, 41, 3),
        ],
        "committed entries stay",
        "entry 33 of term 2, committed up to 40 before it was restarted",
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
    "a term that falls": ([state("n1", 100, 1, 32, 33, vote="n1")], "term never falls", "from term 2 to 1"),
    "a leader that recovers a lower term": ([ready("n2", 100, 2, 1)], "term never falls", "from term 2 to 1"),
    "a commit index that falls": ([state("n1", 100, 2, 31, 33)], "commit never falls", "from 32 to 31"),
    "a leader that takes a commit back": ([commit("n2", 100, 31, 2)], "commit never falls", "from 32 to 31"),
    "applied before committed": ([state("n1", 100, 2, 32, 40, applied=33)], "applied ≤ commit ≤ last", "applied 33"),
    "a leader that overwrites its own entries": (
        [role("n3", 99, "leader", 3), cut("n3", 100, 33, 33, 3)],
        "leader append-only",
        "n3 leads term 3 and overwrites its own entries 33–33",
    ),
    "a leader whose log shrinks": (
        [state("n2", 100 + less, 2, 32, 40 - less, role="leader", vote="n2") for less in (0, 1)],
        "leader append-only",
        "shrinks from 40 to 39",
    ),
    "a leader that holds another entry where one was committed": (
        [state("n3", 100, 9, 32, 40, role="leader", epoch=2, runs=((1, 1), (17, 2), (30, 8)))],
        "leader completeness",
        "without entry 32, committed in term 2",
    ),
    "a term that begins at two places": (
        [state("n3", 100, 2, 32, 33, epoch=2, runs=((1, 1), (18, 2)))],
        "log matching",
        "both hold entries of term 2",
    ),
    "a term that follows two others": (
        [state("n4", 100, 3, 0, 20, runs=((1, 1), (17, 2), (19, 3))), state("n5", 101, 3, 0, 20, runs=((1, 1), (19, 3)))],
        "log matching",
        "both hold entries of term 3",
    ),
    "a term that was there before it began": (
        [state("n4", 100, 2, 16, 20, runs=((9, 2),))],
        "log matching",
        "both hold entries of term 2",
    ),
    "a leader that nobody answers": (
        [state("n2", at_us, 2, 32, 33, role="leader", vote="n2", quorum_age_us=at_us - 70) for at_us in (96, 101)],
        "leaders are heard",
        "n2 still leads term 2",
    ),
    "a term begun alone": (
        [role("n3", 100, "candidate", 7), state("n1", 120, 2, 32, 33, runs=((1, 1), (17, 2)))],
        "terms begin with leave",
        "n3 began term 7 with the leave of 0 others",
    ),
    "leave that came too late": (
        [
            role("n3", 100, "candidate", 7),
            vote("n1", 101, "n3", 7, pre=True),
            state("n1", 120, 2, 32, 33, runs=((1, 1), (17, 2))),
        ],
        "terms begin with leave",
        "n3 began term 7 with the leave of 0 others",
    ),
    "a read of what was replaced": (
        [line(3, 100, "invoke", "read"), line(3, 101, "ok", "read", "old")],
        "reads are fresh",
        "k: n2 answered 'old', which 'new' had replaced before the read began",
    ),
    "a read of nothing where something was written": (
        [line(3, 100, "invoke", "read"), line(3, 101, "ok", "read", None)],
        "reads are fresh",
        "answered None",
    ),
    "a durable vote that the next process does not know": (
        [
            vote("n3", 100, "n2", 3),
            state("n3", 110, 3, 32, 33, vote="n2", epoch=2),
            ready("n3", 120, 3, 3),
            state("n3", 121, 3, 0, 33, epoch=3),
        ],
        "one vote per term",
        "n3 has forgotten its vote for n2 in term 3",
    ),
    "a group replaced by another at once": (
        [group("n2", 100, 40, 2, "n4 n5 n6", committed=False)],
        "quorums overlap",
        "need not share a node",
    ),
    "two voters more at once": (
        [group("n2", 100, 40, 2, "n1 n2 n3 n4 n5", committed=False)],
        "quorums overlap",
        "need not share a node",
    ),
    "two changes at once": (
        [group("n2", 99, 40, 2, "n1 n2 n3 n4", committed=False), group("n2", 100, 41, 2, "n1 n2 n3 n4 n5", committed=False)],
        "quorums overlap",
        "although the one before is not committed",
    ),
    "committed but not held": ([state("n1", 100, 2, 41, 40)], "applied ≤ commit ≤ last", "last 40"),
}

HARMLESS: dict[str, list[Event | HistoryLine]] = {
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
    "a change of one voter": [group("n2", 100, 40, 2, "n1 n2", committed=False), group("n2", 101, 40, 2, "n1 n2")],
    "a change of all, in two steps": [
        group("n2", 100, 40, 2, "n4 n5 n6", "n1 n2 n3"),
        group("n2", 101, 41, 2, "n4 n5 n6", committed=False),
    ],
    "a new leader that knows another group": [group("n3", 100, 40, 3, "n4 n5 n6", committed=False)],
    "a leader that cuts its log after it gave way": [
        role("n3", 99, "leader", 3),
        role("n3", 100, "follower", 4),
        cut("n3", 100, 33, 33, 4),
    ],
    "a candidate to which the leader handed over": [
        role("n3", 100, "candidate", 7, "n2 hands over"),
        state("n1", 130, 2, 32, 33, runs=((1, 1), (17, 2))),
    ],
    "a candidate whose question arrived twice": [
        vote("n1", 100, "n3", 7, pre=True),
        role("n3", 101, "candidate", 7),
        vote("n1", 102, "n3", 7, pre=True),
        state("n1", 130, 2, 32, 33, runs=((1, 1), (17, 2))),
    ],
    "the oldest run shown, cut off where the view begins": [state("n4", 100, 2, 32, 40, runs=((25, 2),))],
    "a frozen leader that tells one old age and then looks at its clock": [
        state("n2", at_us, 2, 32, 33, role="leader", vote="n2", quorum_age_us=age_us) for at_us, age_us in ((96, 90), (101, 0), (120, 90))
    ],
    "a write without an answer that took effect after all": [
        line(4, 100, "invoke", "write", "maybe"),
        line(4, 101, "info", "write", "maybe"),
        line(5, 102, "invoke", "read"),
        line(5, 103, "ok", "read", "maybe"),
    ],
    "leftovers below the commit index of others": [
        state("n4", 100, 2, 16, 40, runs=((1, 1),)),
        cut("n4", 101, 17, 40, 3),
    ],
    "leftovers that came back from the disk, under entries that a former process had applied": [
        ready("n1", 100, 2, 2),
        state("n1", 101, 2, 16, 20, epoch=2, runs=((1, 1),)),
        cut("n1", 102, 17, 20, 3),
    ],
    "a stale leader that has not heard of its successor": [
        state("n2", 100, 2, 32, 33, role="leader", vote="n2", runs=((1, 1), (17, 2))),
        commit("n3", 101, 99, 3),
    ],
}


def fed(events: list[Event | HistoryLine]) -> Monitors:
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
    sampled = {"term never falls", "commit never falls", "applied ≤ commit ≤ last", "log matching", "reads are fresh", "leaders are heard"}
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
