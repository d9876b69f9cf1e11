from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest

from tui.frame import FPS, FPS_HAND, FPS_UNFOCUSED, HAND_WAITS_S, FrameClock


class Due:
    def __init__(self, at_s: float, callback: Callable[[], None]) -> None:
        self.at_s, self.callback, self.cancelled = at_s, callback, False

    def cancel(self) -> None:
        self.cancelled = True


class VirtualTime:
    """Timers in virtual time."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.due: list[Due] = []

    def time(self) -> float:
        return self.now_s

    def call_later(self, delay: float, callback: Callable[[], None], /) -> Due:
        due = Due(self.now_s + delay, callback)
        self.due.append(due)
        return due

    def run_s(self, span_s: float) -> None:
        end_s = self.now_s + span_s
        while waiting := [due for due in self.due if not due.cancelled and due.at_s <= end_s]:
            first = min(waiting, key=lambda due: due.at_s)
            self.due.remove(first)
            self.now_s = max(self.now_s, first.at_s)
            first.callback()
        self.now_s = end_s


@pytest.fixture
def time() -> VirtualTime:
    return VirtualTime()


def clock(time: VirtualTime, painted: list[float]) -> FrameClock:
    return FrameClock(lambda: painted.append(time.now_s), time)


def test_a_lone_change_is_painted_at_once(time: VirtualTime) -> None:
    painted: list[float] = []
    clock(time, painted).request()
    time.run_s(0.001)
    assert painted == [100.0]


def test_many_changes_share_a_frame(time: VirtualTime) -> None:
    painted: list[float] = []
    frames = clock(time, painted)
    for _ in range(1000):
        frames.request()
        time.run_s(0.001)
    assert FPS - 1 <= len(painted) <= FPS + 1
    gaps = [b - a for a, b in pairwise(painted)]
    assert min(gaps) >= 1 / FPS - 1e-9


def test_no_change_no_frame(time: VirtualTime) -> None:
    painted: list[float] = []
    clock(time, painted)
    time.run_s(60)
    assert painted == []


def test_the_last_change_is_never_lost(time: VirtualTime) -> None:
    painted: list[float] = []
    frames = clock(time, painted)
    frames.request()
    time.run_s(0.01)
    frames.request()  # within the period: must wait, and must come
    time.run_s(1)
    assert len(painted) == 2


def test_frames_come_less_often_while_nobody_looks(time: VirtualTime) -> None:
    painted: list[float] = []
    frames = clock(time, painted)
    frames.focus(False)
    for _ in range(1000):
        frames.request()
        time.run_s(0.001)
    assert FPS_UNFOCUSED - 1 <= len(painted) <= FPS_UNFOCUSED + 1


def test_a_key_does_not_wait_for_telemetrys_next_slot(time: VirtualTime) -> None:
    painted: list[float] = []
    frames = clock(time, painted)
    frames.request()
    time.run_s(0.001)
    frames.request()
    frames.request(by_hand=True)
    time.run_s(1 / FPS_HAND + 0.001)
    assert len(painted) == 2
    assert painted[1] - painted[0] <= 1 / FPS_HAND + 0.002
    time.run_s(1)
    assert len(painted) == 2, "the slot that was waited for is not painted a second time"


def test_what_a_key_brought_about_does_not_wait_either(time: VirtualTime) -> None:
    painted: list[float] = []
    frames = clock(time, painted)
    frames.request(by_hand=True)
    time.run_s(0.001)
    frames.request()
    frames.answer()
    time.run_s(1 / FPS_HAND + 0.001)
    assert len(painted) == 2
    assert painted[1] - painted[0] <= 1 / FPS_HAND + 0.002


def test_what_nobody_asked_for_waits_like_all_telemetry(time: VirtualTime) -> None:
    painted: list[float] = []
    frames = clock(time, painted)
    frames.request(by_hand=True)
    time.run_s(HAND_WAITS_S + 0.001)
    for _ in range(1000):
        frames.answer()
        time.run_s(0.001)
    assert FPS - 1 <= len(painted) - 1 <= FPS + 1


def test_a_stopped_clock_paints_no_more(time: VirtualTime) -> None:
    painted: list[float] = []
    frames = clock(time, painted)
    frames.request()
    frames.stop()
    time.run_s(1)
    assert painted == []
