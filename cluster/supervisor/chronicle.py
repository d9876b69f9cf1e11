"""Everything that happens in a lab passes here once, in order: into the view, the journal, the judges and the seats.

Law 1: one writer, one order. A listener may cause new events; they come after the one that caused them.
Law 2: `at_us` of truth is read here, so that what the supervisor says has one clock.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from cluster.core.types import SECOND, Micros
from cluster.telemetry.events import Event
from cluster.telemetry.fold import fold
from cluster.telemetry.view import EMPTY, ClusterView

Listener = Callable[[Event], None]


class Chronicle:
    """`tell(event)`; `view` is all that is known; `until(...)` waits for it to become something."""

    def __init__(self) -> None:
        self.view: ClusterView = EMPTY
        self._listeners: list[Listener] = []
        self._untold: deque[Event] = deque()
        self._telling = False
        self._waiting: list[tuple[Callable[[ClusterView], bool], asyncio.Future[bool]]] = []

    def listen(self, listener: Listener) -> None:
        self._listeners.append(listener)

    def tell(self, *events: Event) -> None:
        self._untold.extend(events)
        if self._telling:  # law 1: the one who tells now will come to these
            return
        self._telling = True
        try:
            while self._untold:
                event = self._untold.popleft()
                self.view = fold(self.view, event)
                for listener in self._listeners:
                    listener(event)
        finally:
            self._telling = False
        self._wake()

    def _wake(self) -> None:
        for waiting in list(self._waiting):
            holds, future = waiting
            if not future.done() and holds(self.view):
                future.set_result(True)

    async def until(self, holds: Callable[[ClusterView], bool], within_us: Micros) -> bool:
        """Wait until the view satisfies `holds`; False when it did not within the time."""
        if holds(self.view):
            return True
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        waiting = (holds, future)
        self._waiting.append(waiting)
        try:
            return await asyncio.wait_for(future, within_us / SECOND)
        except TimeoutError:
            return False
        finally:
            self._waiting.remove(waiting)
