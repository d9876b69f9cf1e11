"""Failpoints: named lines of the code under trial, at which the process does something to itself.

Law 1: the action happens synchronously on that line and is the kernel's own (SIGSTOP, SIGKILL): no `except`, no `finally`, no other task of
the process runs in between. So a fault lands inside its window on any machine, however slow.
Law 2: unarmed, a failpoint costs one look-up. Waiting at one is bounded, and giving up is told.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable

from scenarios.control import Arm

HOLD_MAX_S = 20.0
_SIGNALS = {"pause": signal.SIGSTOP, "kill": signal.SIGKILL}


class Failpoints:
    """Of one process. `tell(event)` is its trace; `act` is what an action does, for tests."""

    def __init__(self, tell: Callable[[str], None], act: Callable[[signal.Signals], None] = signal.raise_signal) -> None:
        self._armed: dict[str, list[_Armed]] = {}
        self._tell = tell
        self._act = act

    def arm(self, order: Arm) -> None:
        """Several arms of one failpoint count each for itself."""
        self._armed.setdefault(order.failpoint, []).append(_Armed(order, self._tell, self._act))

    async def hit(self, name: str) -> None:
        for armed in self._armed.get(name, ()):
            await armed.hit()


class _Armed:
    def __init__(self, order: Arm, tell: Callable[[str], None], act: Callable[[signal.Signals], None]) -> None:
        self._order = order
        self._tell = tell
        self._act = act
        self._hits = 0
        self._acted = asyncio.Event()

    async def hit(self) -> None:
        self._hits += 1
        if self._hits < self._order.nth and self._order.hold:
            await self._wait()
        elif self._hits == self._order.nth:
            # To this very thread: it does not run another instruction before the kernel has stopped it.
            self._act(_SIGNALS[self._order.action])
            self._acted.set()

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(HOLD_MAX_S):
                await self._acted.wait()
        except TimeoutError:
            self._tell("failpoint.gave_up")
