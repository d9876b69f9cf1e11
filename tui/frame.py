"""One clock for the whole screen: changes ask for a frame, and frames come at most so often.

Law 1: leading edge: the first change after a quiet spell is painted at once; those that follow wait for the next slot together.
       A hand on the keyboard waits less: for what its key does to the screen, and for what its command does to the cluster.
Law 2: while nobody looks (the terminal has lost its focus) frames come less often.
Law 3: no change, no frame: an idle dashboard costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

FPS = 12.0
FPS_UNFOCUSED = 5.0
# A key is answered sooner than telemetry: a hand makes few changes, and notices how late each comes.
FPS_HAND = 60.0
# So long after a key the supervisor's word on processes and faults is taken for the answer to it.
HAND_WAITS_S = 1.0


class Cancellable(Protocol):
    def cancel(self) -> None: ...


class Timers(Protocol):
    """What the clock needs of an event loop."""

    def time(self) -> float: ...
    def call_later(self, delay: float, callback: Callable[[], None], /) -> Cancellable: ...


class FrameClock:
    """`request()` after a change; `paint()` is called in the loop, never re-entrantly."""

    def __init__(self, paint: Callable[[], None], timers: Timers) -> None:
        self._paint = paint
        self._timers = timers
        self._period_s = 1.0 / FPS
        self._last_s = self._hand_s = float("-inf")
        self._due: Cancellable | None = None
        self.frames = 0

    @property
    def due(self) -> bool:
        """A frame is coming."""
        return self._due is not None

    def focus(self, focused: bool) -> None:
        """Whether somebody looks."""
        self._period_s = 1.0 / (FPS if focused else FPS_UNFOCUSED)
        if focused:
            self.request()

    def request(self, *, by_hand: bool = False) -> None:
        """Something changed; `by_hand`: because a key was pressed."""
        if by_hand:
            self._hand_s = self._timers.time()
            self._ask(1.0 / FPS_HAND)
        elif self._due is None:
            self._ask(self._period_s)

    def answer(self) -> None:
        """Something changed of the sort that keys bring about: painted as soon as a key, if one was pressed lately."""
        if self._timers.time() - self._hand_s <= HAND_WAITS_S:
            self._ask(1.0 / FPS_HAND)
        else:
            self.request()

    def _ask(self, period_s: float) -> None:
        self.stop()
        wait_s = max(0.0, self._last_s + period_s - self._timers.time())
        self._due = self._timers.call_later(wait_s, self._fire)

    def stop(self) -> None:
        """No frame is due any more."""
        if self._due is not None:
            self._due.cancel()
            self._due = None

    def _fire(self) -> None:
        self._due = None
        self._last_s = self._timers.time()
        self.frames += 1
        self._paint()
