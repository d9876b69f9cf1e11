"""First in, first out, whatever the delays; a cut holds everything and loses nothing; what waits is bounded."""

from __future__ import annotations

import random

import hypothesis
import hypothesis.strategies as st

from cluster.faults import LinkFault
from scenarios.kit.proxy_lane import WAITING_BYTES_MAX, Lane

HEALTHY = LinkFault("a", "b")
CUT = LinkFault("a", "b", cut=True)
SLOW = LinkFault("a", "b", delay_us=1_000, jitter_us=900)


def lane(fault: LinkFault = HEALTHY, *, lossy: bool = False) -> Lane:
    made = Lane(random.Random(1), lossy=lossy)
    made.obey(fault)
    return made


def test_a_healthy_way_passes_at_once() -> None:
    way = lane()
    way.put(b"a", 5)
    assert way.next_due_us == 5
    assert way.take(5) == [b"a"]
    assert way.next_due_us is None


@hypothesis.given(st.lists(st.tuples(st.integers(0, 2_000), st.booleans()), max_size=40), st.integers(0, 1_000))
def test_order_survives_every_delay_and_every_cut(steps: list[tuple[int, bool]], seed: int) -> None:
    way, now, got = Lane(random.Random(seed), lossy=False), 0, []
    for number, (pause_us, cut) in enumerate(steps):
        now += pause_us
        way.obey(CUT if cut else SLOW)
        way.put(b"%d " % number, now)
        got += way.take(now)
    way.obey(HEALTHY)
    got += way.take(now + 2_000)
    assert got == [b"%d " % number for number in range(len(steps))]


def test_delays_are_between_what_they_may_be() -> None:
    way = lane(SLOW)
    due = []
    for at in range(0, 1_000_000, 10_000):  # far enough apart not to wait for each other
        way.put(b"x", at)
        assert way.next_due_us is not None
        due.append(way.next_due_us - at)
        way.take(at + 2_000)
    assert 100 <= min(due) < 500
    assert 1_500 < max(due) <= 1_900


def test_a_cut_holds_what_came_before_it_and_after_it_and_the_end() -> None:
    way = lane()
    way.put(b"a", 0)
    way.obey(CUT)
    way.put(b"b", 1)
    way.end()
    assert way.take(10) == []
    assert way.next_due_us is None
    assert not way.over
    way.obey(HEALTHY)
    assert way.take(10) == [b"a", b"b"]
    assert way.over


def test_an_end_comes_behind_everything_else() -> None:
    way = lane(LinkFault("a", "b", delay_us=100))
    way.put(b"a", 0)
    way.end()
    assert not way.over
    assert way.take(99) == []
    assert way.take(100) == [b"a"]
    assert way.over


def test_messages_are_lost_and_bytes_never() -> None:
    losing = LinkFault("a", "b", loss=0.5)
    for lossy, least, most in ((True, 60, 140), (False, 200, 200)):
        way = lane(losing, lossy=lossy)
        for number in range(200):
            way.put(b"%d" % number, 0)
        assert least <= len(way.take(0)) <= most


def test_what_waits_is_bounded() -> None:
    way = lane(CUT)
    for _ in range(WAITING_BYTES_MAX // 1_024):
        way.put(bytes(1_024), 0)
    assert not way.full
    way.put(b"x", 0)
    assert way.full
    way.obey(HEALTHY)
    way.take(0)
    assert not way.full
