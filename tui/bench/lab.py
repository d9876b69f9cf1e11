"""A lab without a screen: orders go in, and what the events come to is waited for.

Law 1: times are the supervisor's, from the events themselves: how late we hear of something changes no figure.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from cluster.core.errors import EnvironmentFailed
from cluster.supervisor.seat import LiveSession
from cluster.telemetry.control import LabSpec
from cluster.telemetry.events import Event
from cluster.telemetry.fold import fold_all
from cluster.telemetry.view import ClusterView

Hears = Callable[[Event], None]


class BenchLab:
    """`await BenchLab.open(spec, tasks)`; `view` is what is known; `close` ends it. One task hears and wakes whoever waits."""

    def __init__(self, session: LiveSession, tasks: asyncio.TaskGroup) -> None:
        self._session = session
        self.view: ClusterView = session.initial
        self._bell = asyncio.Event()
        self._hears: Hears = lambda event: None
        self._hearing = tasks.create_task(self._hear())

    @classmethod
    async def open(cls, spec: LabSpec, tasks: asyncio.TaskGroup) -> BenchLab:
        return cls(await LiveSession.open(spec, "bench"), tasks)

    async def _hear(self) -> None:
        async for batch in self._session.events():
            for event in batch:
                self._hears(event)
            self.view = fold_all(self.view, batch)
            self._bell.set()

    def listen(self, hears: Hears) -> None:
        """Every event from now on, before it is folded."""
        self._hears = hears

    async def order(self, text: str) -> None:
        await self._session.submit(text)

    async def until(self, holds: Callable[[ClusterView], bool], what: str, within_s: float) -> None:
        """Raises `EnvironmentFailed`, saying what did not come."""
        try:
            async with asyncio.timeout(within_s):
                while not holds(self.view):
                    if self._hearing.done():
                        raise EnvironmentFailed(f"the lab ended before {what}")
                    self._bell.clear()
                    await self._bell.wait()
        except TimeoutError:
            raise EnvironmentFailed(f"{what} did not come within {within_s:g} s") from None

    async def close(self) -> None:
        await self._session.close(end=True)
