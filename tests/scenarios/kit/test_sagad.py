"""The orchestrator over services that are really called: it asks until it is answered, gives up when told to, goes on from the log."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from scenarios.kit import journey
from scenarios.kit.calls import OK, serve
from scenarios.kit.process import Process
from scenarios.kit.saga import OVER, Saga
from scenarios.kit.saga_log import SagaLog
from scenarios.kit.sagad import Orchestrator

TOGGLES = {"compensation": "on", "retry_until_confirmed": "on"}
BOOKING = {"id": "b1", "cents": 1}


class Over(Exception):
    pass


class Log:
    """In memory; `over` rings when a saga is."""

    def __init__(self, *sagas: Saga) -> None:
        self.sagas = {saga.id: saga for saga in sagas}
        self.over = asyncio.Event()

    async def begin(self, saga: Saga) -> bool:
        return self.sagas.setdefault(saga.id, saga) is saga

    async def write(self, saga: Saga) -> None:
        assert self.sagas[saga.id].version == saga.version - 1
        self.sagas[saga.id] = saga
        if saga.phase in OVER:
            self.over.set()

    async def unfinished(self) -> list[Saga]:
        return [saga for saga in self.sagas.values() if saga.phase not in OVER]


class World:
    """Services that note what they are asked; `rooms` is what the hotel says, `comp_comes_at` the try at which the compensator listens."""

    def __init__(self, folder: Path, tasks: asyncio.TaskGroup, *, rooms: int = OK, comp_comes_at: int = 1, **toggles: str) -> None:
        self.asked: list[str] = []
        self.traced: list[str] = []
        self._folder = folder
        self._tasks = tasks
        self._comp_comes_at = comp_comes_at
        self._rooms = rooms
        process: Any = SimpleNamespace(
            tasks=tasks, socket_of=lambda name: str(folder / f"{name}.sock"), toggle=(TOGGLES | toggles).__getitem__,
            trace=self._trace, failpoint=self._failpoint, args={"patience_ms": 20_000, "retry_ms": 1},
        )  # fmt: skip
        self.process = cast(Process, process)

    async def open(self) -> None:
        await self._serve("flight", "book", OK)
        await self._serve("hotel", "book", self._rooms)

    async def _serve(self, name: str, method: str, status: int) -> None:
        async def answer(_args: dict[str, Any]) -> tuple[int, dict[str, Any]]:
            self.asked.append(name)
            return status, {}

        await serve(str(self._folder / f"{name}.sock"), {method: answer}, self._tasks)

    def _trace(self, event: str, **fields: Any) -> None:
        self.traced.append(event)
        if fields.get("tries") == self._comp_comes_at:
            self._tasks.create_task(self._serve("comp", "undo", OK))

    async def _failpoint(self, name: str, **_fields: Any) -> None:
        self.traced.append(name)


async def played(folder: Path, *sagas: Saga, **world: Any) -> tuple[World, Log]:
    """Until the saga is over: one that is asked for now, or the one that is in the log."""
    log = Log(*sagas)
    found: list[World] = []
    with pytest.RaisesGroup(Over):
        async with asyncio.TaskGroup() as tasks, asyncio.timeout(30):
            found.append(World(folder, tasks, **world))
            await found[0].open()
            orchestrator = Orchestrator(found[0].process, cast(SagaLog, log))
            await (orchestrator.go_on() if sagas else orchestrator.begin(BOOKING))
            await log.over.wait()
            raise Over
    return found[0], log


async def test_a_saga_that_goes_well_is_done(tmp_path: Path) -> None:
    world, log = await played(tmp_path)
    assert world.asked == ["flight", "hotel"]
    assert log.sagas["b1"].phase == "done"
    assert "saga.after_fail_before_compensate" not in world.traced


async def test_an_undoing_is_asked_for_until_it_is_confirmed(tmp_path: Path) -> None:
    world, log = await played(tmp_path, rooms=journey.FULL, comp_comes_at=3)
    assert world.asked == ["flight", "hotel", "comp"]
    assert world.traced.count("saga.compensating") >= 3  # nobody was there
    assert world.traced.index("saga.after_fail_before_compensate") < world.traced.index("saga.compensating")
    assert log.sagas["b1"].phase == "undone"


async def test_who_asks_once_is_stuck(tmp_path: Path) -> None:
    world, log = await played(tmp_path, rooms=journey.FULL, comp_comes_at=0, retry_until_confirmed="off")
    assert (world.asked, log.sagas["b1"].phase) == (["flight", "hotel"], "stuck")


async def test_without_compensation_there_is_nothing_to_undo(tmp_path: Path) -> None:
    world, log = await played(tmp_path, rooms=journey.FULL, compensation="off")
    assert (world.asked, log.sagas["b1"].phase) == (["flight", "hotel"], "undone")


@pytest.mark.parametrize(
    ("saga", "asked", "phase"),
    [
        (Saga("b1", BOOKING, at=1, version=1), ["hotel"], "done"),
        (Saga("b1", BOOKING, at=1, phase="undoing", version=2), ["comp"], "undone"),
    ],
)
async def test_a_new_life_goes_on_where_the_log_is(tmp_path: Path, saga: Saga, asked: list[str], phase: str) -> None:
    world, log = await played(tmp_path, saga)
    assert (world.asked, log.sagas["b1"].phase) == (asked, phase)
