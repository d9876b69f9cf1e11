"""Turns at a steady rate, in a time that the test makes."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from cluster.workload.pace import CATCH_UP_TURNS, Pace


def _waits(pace: Pace, *times_s: float) -> list[float | None]:
    return [None if (wait := pace._claim(now)) is None else round(wait, 6) for now in times_s]


def test_turns_come_at_the_interval_of_the_rate() -> None:
    pace = Pace(10.0)
    pace._claim(100.0)  # in step from here on
    due = [100.0 + (pace._claim(100.0) or 0.0) for _ in range(5)]
    assert [round(after - before, 6) for before, after in pairwise(due)] == [0.1] * 4


def test_an_operation_that_took_its_time_costs_no_turn() -> None:
    pace = Pace(10.0)
    pace._due = 100.0
    assert _waits(pace, 100.05) == [0.05]
    assert _waits(pace, 100.25) == [-0.05]  # one is late and goes at once
    assert _waits(pace, 100.25) == [0.05]


def test_after_a_stall_only_a_few_turns_are_made_up_for() -> None:
    pace = Pace(10.0)
    pace._due = 100.0
    waits = [wait for wait in _waits(pace, *[160.0] * 10) if wait is not None]
    assert sum(wait <= 0 for wait in waits) == CATCH_UP_TURNS + 1
    assert waits[CATCH_UP_TURNS + 1 :] == [round(0.1 * n, 6) for n in range(1, 10 - CATCH_UP_TURNS)]


def test_at_rate_zero_no_turn_is_due() -> None:
    assert _waits(Pace(0.0), 100.0, 200.0) == [None, None]


async def test_whoever_waits_at_rate_zero_goes_when_there_is_another() -> None:
    pace = Pace(0.0)
    waiting = asyncio.create_task(pace.turn())
    await asyncio.sleep(0)
    assert not waiting.done()
    pace.set(1_000_000.0)
    async with asyncio.timeout(10):
        await waiting


async def test_a_slow_turn_is_shortened_by_a_higher_rate_and_stopped_by_zero() -> None:
    pace = Pace(0.000_1)
    pace._due = asyncio.get_running_loop().time()
    waiting = asyncio.create_task(pace.turn())  # in ten thousand seconds
    await asyncio.sleep(0)
    pace.set(0.0)
    await asyncio.sleep(0)
    assert not waiting.done()
    pace.set(1_000_000.0)
    async with asyncio.timeout(10):
        await waiting


@pytest.mark.parametrize("rate", [5.0, 0.0])
def test_the_same_rate_again_changes_nothing(rate: float) -> None:
    pace = Pace(rate)
    pace._due = 7.0
    pace.set(rate)
    assert pace._due == 7.0
