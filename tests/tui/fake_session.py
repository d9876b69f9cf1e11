"""Sessions for tests of the dashboard: they record what is asked, and tell what the test puts in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable

from cluster.commands import parse
from cluster.core.errors import UsageError
from cluster.telemetry.events import Event
from cluster.telemetry.fold import fold, fold_all
from cluster.telemetry.view import EMPTY, ClusterView


class FakeSession:
    """Records submitted lines; `tell` puts events on the way. Refuses as a live session does."""

    def __init__(self, *, observer: bool = False, name: str = "me") -> None:
        self.asked: list[str] = []
        self.name = name
        self.observer = observer
        self._events: asyncio.Queue[tuple[Event, ...] | Exception | None] = asyncio.Queue()

    async def submit(self, text: str) -> int:
        if self.observer:
            raise UsageError("this seat observes: it gives no commands")
        parse(text)
        self.asked.append(text)
        return len(self.asked)

    def tell(self, *events: Event) -> None:
        self._events.put_nowait(events)

    def end(self, error: Exception | None = None) -> None:
        """The lab is over, or is lost."""
        self._events.put_nowait(error)

    async def events(self) -> AsyncIterator[tuple[Event, ...]]:
        while True:
            batch = await self._events.get()
            if batch is None:
                return
            if isinstance(batch, Exception):
                raise batch
            yield batch

    async def close(self) -> None:
        self.end()


class FakeTape(FakeSession):
    """A recording of `events`, one per second, that stands still unless told to run."""

    def __init__(self, events: Iterable[Event]) -> None:
        super().__init__(observer=True)
        self._tape = list(events)
        self.place = 1
        self.playing = False
        self.speed = 1.0

    @property
    def initial(self) -> ClusterView:
        return fold(EMPTY, self._tape[0])

    @property
    def position_us(self) -> int:
        return (self.place - 1) * 1_000_000

    @property
    def length_us(self) -> int:
        return (len(self._tape) - 1) * 1_000_000

    def pause(self) -> None:
        self.playing = False

    def resume(self) -> None:
        self.playing = True

    def set_speed(self, speed: float) -> None:
        self.speed = speed

    def seek(self, position_us: int) -> ClusterView:
        return self._go(position_us // 1_000_000 + 1)

    def step(self, events: int = 1) -> ClusterView:
        self.playing = False
        return self._go(self.place + events)

    def step_line(self, lines: int = 1) -> ClusterView:
        return self.step(lines)

    @property
    def told(self) -> str:
        return f"event {self.place} of {len(self._tape)}"

    def _go(self, place: int) -> ClusterView:
        self.place = min(max(1, place), len(self._tape))
        return fold_all(EMPTY, self._tape[: self.place])
