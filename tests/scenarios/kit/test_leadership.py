"""One leads, and goes on leading while it renews; who is silent for a lease's length is followed by one other, and knows it."""

from __future__ import annotations

import asyncio

from scenarios.kit.leadership import LeaseLeadership
from tests.scenarios.kit.memory_kv import MemoryKv

LEASE_MS = 1_000


class Scene:
    """Contenders over one store and one clock, whose turns are taken by hand."""

    def __init__(self) -> None:
        self.kv = MemoryKv()
        self.now_ms = 0
        self.told: list[str] = []

    def contender(self, name: str) -> LeaseLeadership:
        return LeaseLeadership(self.kv, "leader", LEASE_MS, lambda: self.told.append(name), lambda: self.now_ms * 1_000_000)


async def test_the_first_leads_while_it_renews() -> None:
    scene = Scene()
    one, other = scene.contender("one"), scene.contender("other")
    for scene.now_ms in range(0, 5_000, 250):
        await one.turn()
        await other.turn()
        assert (one.held, other.held) == (True, False)
    assert scene.told == ["one"]


async def test_who_is_silent_for_a_lease_is_followed_and_not_sooner() -> None:
    scene = Scene()
    one, other = scene.contender("one"), scene.contender("other")
    await one.turn()
    await other.turn()  # from now on it counts
    scene.now_ms = LEASE_MS - 1
    await other.turn()
    assert not other.held
    scene.now_ms = LEASE_MS
    assert not one.held  # by itself, before the other may
    await other.turn()
    assert other.held
    await one.turn()  # it wakes up
    assert (one.held, other.held) == (False, True)
    assert scene.told == ["one", "other"]


async def test_of_two_who_see_it_free_one_gets_it() -> None:
    scene = Scene()
    contenders = [scene.contender(name) for name in "abc"]
    await asyncio.gather(*(contender.turn() for contender in contenders))
    assert [contender.held for contender in contenders].count(True) == 1
    assert len(scene.told) == 1


async def test_a_second_life_is_somebody_else() -> None:
    scene = Scene()
    await scene.contender("one").turn()
    again = scene.contender("one")
    await again.turn()
    assert not again.held


async def test_a_renewal_whose_answer_is_lost_is_none() -> None:
    scene = Scene()
    one = scene.contender("one")
    await one.turn()
    scene.kv.lost_answers = 1
    scene.now_ms = LEASE_MS
    await one.turn()
    assert not one.held
    await one.turn()
    assert one.held
