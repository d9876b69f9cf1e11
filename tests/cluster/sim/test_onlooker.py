"""Whoever looks on hears a whole lab, and changes nothing."""

from __future__ import annotations

from collections import Counter

import msgspec
import pytest

from cluster.sim.run import run
from cluster.sim.setup import Setup
from cluster.telemetry.control import HistoryLine
from cluster.telemetry.events import Event, LabClosed, LabOpened
from cluster.telemetry.fold import fold
from cluster.telemetry.view import EMPTY, ClusterView

STORY = (
    "at 0.9 crash leader for 300ms",
    "at 1.0 pause followers.1 for 200ms",
    "at 1.5 isolate leader for 700ms",
    "at 1.6 skew n2 +30ms for 99s",
)
QUIET = Setup(seed=4, schedule=STORY, steps=6_000, calm=True, clients=3, think_us=10_000)
FAILING = msgspec.structs.replace(QUIET, mistakes=("apply_before_commit",))


def heard(setup: Setup) -> list[Event | HistoryLine]:
    told: list[Event | HistoryLine] = []
    run(setup, told.append)
    return told


def view_after(told: list[Event | HistoryLine]) -> ClusterView:
    view = EMPTY
    for event in told:
        if not isinstance(event, HistoryLine):
            view = fold(view, event)
    return view


@pytest.mark.parametrize("setup", [QUIET, FAILING, *(Setup(seed=seed, steps=4_000) for seed in range(6))])
def test_looking_on_changes_nothing(setup: Setup) -> None:
    assert run(setup, [].append) == run(setup)


def test_a_run_is_told_from_the_opening_of_the_lab_to_its_end_in_order_of_time() -> None:
    told = heard(QUIET)
    assert isinstance(told[0], LabOpened)
    assert isinstance(told[-1], LabClosed)
    times = [event.at_us for event in told]
    assert times == sorted(times)


def test_every_fault_that_was_told_has_an_end_and_every_process_comes_back() -> None:
    told = heard(QUIET)
    kinds = Counter(type(event).__name__ for event in told)
    assert kinds["FaultBegan"] == kinds["FaultEnded"] == len(STORY)
    states = Counter(getattr(event, "state", "") for event in told if type(event).__name__ == "ProcessChanged")
    assert states == {"up": 5 + 2, "down": 1, "paused": 1}
    assert {node.process for node in view_after(told).nodes.values()} == {"up"}


def test_a_cut_makes_sides_while_it_lasts() -> None:
    told = heard(QUIET)
    until_cut_ends = [event for event in told if event.at_us < 2_000_000]
    assert sorted(map(len, view_after(until_cut_ends).sides)) == [1, 4]
    assert list(map(len, view_after(told).sides)) == [5]


def test_the_violation_is_the_last_light() -> None:
    found = run(FAILING).violation
    assert found is not None
    light = view_after(heard(FAILING)).lights[found.light]
    assert (light.state, light.evidence) == ("violated", found.evidence)
