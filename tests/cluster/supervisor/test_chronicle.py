"""One order for everything: events caused by an event come after it, and whoever waits is woken by what they wait for."""

from __future__ import annotations

import asyncio

import pytest

from cluster.supervisor.chronicle import Chronicle
from cluster.telemetry.events import Event, Heartbeat
from tests.cluster.telemetry.happened import opened, process


def test_what_a_listener_tells_comes_after_what_it_heard_for_everyone() -> None:
    chronicle = Chronicle()
    first: list[int] = []
    second: list[int] = []

    def answering(event: Event) -> None:
        first.append(event.at_us)
        if event.at_us < 3:
            chronicle.tell(Heartbeat(event.at_us + 10, 0))

    chronicle.listen(answering)
    chronicle.listen(lambda event: second.append(event.at_us))
    chronicle.tell(Heartbeat(1, 0), Heartbeat(2, 0))
    assert first == second == [1, 2, 11, 12]
    assert chronicle.view.now_us == 12


def test_the_view_is_folded_before_anybody_is_told() -> None:
    chronicle = Chronicle()
    seen: list[str] = []
    chronicle.tell(opened())
    chronicle.listen(lambda _: seen.append(chronicle.view.nodes["n1"].process))
    chronicle.tell(process("n1", "up", 1), process("n1", "down", 2))
    assert seen == ["up", "down"]


def test_a_listener_that_fails_does_not_silence_the_chronicle() -> None:
    chronicle = Chronicle()

    def failing(event: Event) -> None:
        if event.at_us == 1:
            raise ValueError("a defect")

    told: list[int] = []
    chronicle.listen(failing)
    chronicle.listen(lambda event: told.append(event.at_us))
    with pytest.raises(ValueError, match="a defect"):
        chronicle.tell(Heartbeat(1, 0), Heartbeat(2, 0))
    chronicle.tell(Heartbeat(3, 0))
    assert told == [2, 3]


async def test_waiting_ends_when_it_holds() -> None:
    chronicle = Chronicle()
    chronicle.tell(opened())
    assert await chronicle.until(lambda view: view.lab is not None, 1)  # at once
    waiting = asyncio.create_task(chronicle.until(lambda view: view.now_us >= 5, 60_000_000))
    await asyncio.sleep(0)
    chronicle.tell(Heartbeat(4, 0))
    assert not waiting.done()
    chronicle.tell(Heartbeat(5, 0))
    assert await waiting


async def test_waiting_ends_when_it_does_not_hold_in_time_and_is_forgotten() -> None:
    chronicle = Chronicle()
    assert not await chronicle.until(lambda view: view.lab is not None, 1)
    assert chronicle._waiting == []
