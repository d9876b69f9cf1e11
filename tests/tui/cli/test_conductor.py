"""A script is played line by line, in order, each not before its time."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest

from cluster.commands.script import parse_script
from cluster.core.errors import UsageError
from cluster.telemetry.session import Session
from cluster.telemetry.view import EMPTY
from tests.tui import sample_views
from tests.tui.fake_session import FakeSession
from tui.cli.conductor import play, stands_up


class Timed(FakeSession):
    """When each line came, by the running loop's clock."""

    def __init__(self, *, observer: bool = False) -> None:
        super().__init__(observer=observer)
        self.times_s: list[float] = []

    async def submit(self, text: str) -> int:
        self.times_s.append(asyncio.get_running_loop().time())
        return await super().submit(text)


SCRIPT = parse_script("at 0.02 heal\nat 0 pause leader 2s\nat 0.01 cut leader|rest\n")


async def test_lines_come_in_the_order_of_their_times_and_not_before_them() -> None:
    session = Timed()
    zero_s = asyncio.get_running_loop().time()
    await play(cast(Session, session), SCRIPT, zero_s)
    assert session.asked == ["pause leader for 2s", "cut leader | rest", "heal"]
    assert all(at_s >= zero_s + due_s for at_s, due_s in zip(session.times_s, (0.0, 0.01, 0.02), strict=True))


async def test_what_is_late_is_played_at_once_and_nothing_is_left_out() -> None:
    session = Timed()
    await play(cast(Session, session), SCRIPT, asyncio.get_running_loop().time() - 3_600)
    assert len(session.asked) == 3


async def test_a_seat_without_a_say_ends_the_play() -> None:
    with pytest.raises(UsageError, match="observes"):
        await play(cast(Session, Timed(observer=True)), SCRIPT, 0.0)


def test_time_zero_needs_every_node_up_and_heard_and_one_that_leads() -> None:
    assert not stands_up(EMPTY)
    assert not stands_up(sample_views.fresh())
    assert not stands_up(sample_views.no_leader())
    assert not stands_up(sample_views.crashed_follower())
    assert stands_up(sample_views.healthy())
