"""Failpoints: named lines of the code under trial, at which the process does something to itself.

Law 1: the action happens synchronously on that line and is the kernel's own (SIGSTOP, SIGKILL): no `except`, no `finally`, no other task of
the process runs in between. So a fault lands inside its window on any machine, however slow. A `delay` alone holds one task and lets
the others run.
Law 2: unarmed, a failpoint costs one look-up. Waiting at one is bounded, and giving up is told.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from scenarios.control import Arm

EMPTY: Mapping[str, Any] = MappingProxyType({})
HOLD_MAX_S = 20.0
_SIGNALS = {"pause": signal.SIGSTOP, "kill": signal.SIGKILL, "term": signal.SIGTERM}
Say = Callable[[int, str], None]


class Failpoints:
    """Of one process. `tell(event)` is its trace, `say(step, value)` goes to the runner just before an action; `act` is for tests."""

    def __init__(self, tell: Callable[[str], None], say: Say, act: Callable[[signal.Signals], None] = signal.raise_signal) -> None:
        self._armed: dict[str, list[_Armed]] = {}
        self._tell = tell
        self._say = say
        self._act = act

    def arm(self, order: Arm) -> None:
        """Several arms of one failpoint count each for itself."""
        self._armed.setdefault(order.failpoint, []).append(_Armed(order, self._tell, self._say, self._act))

    async def hit(self, name: str, fields: Mapping[str, Any] = EMPTY) -> None:
        for armed in self._armed.get(name, ()):
            await armed.hit(fields)


class _Armed:
    def __init__(self, order: Arm, tell: Callable[[str], None], say: Say, act: Callable[[signal.Signals], None]) -> None:
        self._order = order
        self._tell = tell
        self._say = say
        self._act = act
        self._hits = 0
        self._left = dict(order.left)
        self._acted = asyncio.Event()

    async def hit(self, fields: Mapping[str, Any]) -> None:
        value = ""
        if self._order.field:
            value = str(fields.get(self._order.field))
            if not self._left.get(value):
                return
            self._left[value] -= 1
        self._hits += 1
        ahead = self._order.nth - self._hits
        if ahead > 0 and (self._order.hold is True or ahead <= self._order.hold):
            await self._wait()
        elif self._hits == self._order.nth or self._order.field:
            await self._do(value)

    async def _do(self, value: str) -> None:
        self._say(self._order.step, value)
        if self._order.action == "delay":
            await asyncio.sleep(self._order.ms / 1_000)
        else:
            # To this very thread: it does not run another instruction before the kernel has stopped it.
            self._act(_SIGNALS[self._order.action])
        self._acted.set()

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(HOLD_MAX_S):
                await self._acted.wait()
        except TimeoutError:
            self._tell("failpoint.gave_up")
