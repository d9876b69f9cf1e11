"""The theatre before real runs: a pair at once, one after the other, touched, called off; and what is said when it cannot be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from cluster.core.errors import UsageError
from scenarios.catalog import Entry, entry, load
from scenarios.feed import Judged, News
from scenarios.judging import judge, seal
from scenarios.scene import Scene
from tests.scenarios.run_dirs import stale_lock_run
from tests.tui.golden.acts import kept
from tui import theatre as theatre_module
from tui.playbill import Playbill
from tui.theatre import ENDED, Settings, Theatre, programme_of

SLUG = "stale-lock-holder"


class House:
    """A theatre, what it said, and a bell for each change of its bill."""

    def __init__(self, runs: Path, **settings: object) -> None:
        self.said: list[tuple[str, bool]] = []
        self.bills: list[Playbill] = []
        self._bell = asyncio.Event()
        self.theatre = Theatre(runs, self._changed, lambda text, bad: self.said.append((text, bad)), Settings(**settings))  # type: ignore[arg-type]

    def _changed(self) -> None:
        self.bills.append(self.theatre.bill)
        self._bell.set()

    async def until(self, wanted: Callable[[Playbill], object]) -> None:
        while not wanted(self.theatre.bill):
            self._bell.clear()
            await self._bell.wait()

    def scene(self, side: str) -> Scene:
        return self.theatre.bill.scenes[side]


async def opened(runs: Path, **settings: object) -> House:
    house = House(runs, **settings)
    await house.theatre.load()
    await house.theatre.look(SLUG)
    return house


async def test_the_list_is_all_that_was_reported(tmp_path: Path) -> None:
    house = await opened(tmp_path)
    assert len(house.theatre.bill.listed) == 24
    programme = house.theatre.bill.programme
    assert programme is not None
    assert programme.slug == SLUG
    assert [switch.name for switch in programme.switches if switch.hot] == ["fencing"]
    headings = {heading for heading, _ in programme.parts}
    assert headings >= {"WHAT HAPPENS HERE", "AS REPORTED", "PATTERNS", "CANONICAL SOLUTION", "FAULTS", "LESSON"}
    assert house.theatre.bill.scenes == {}


async def test_what_is_not_built_is_shown_and_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = Entry(entry(SLUG).row, None)
    assert not programme_of(bare).built
    house = await opened(tmp_path)
    monkeypatch.setattr(theatre_module, "entry", lambda slug: bare)
    with pytest.raises(UsageError, match="not built yet"):
        await house.theatre.perform(("broken",))


async def test_what_nothing_runs_on_cannot_be_asked(tmp_path: Path) -> None:
    house = await opened(tmp_path)
    with pytest.raises(UsageError, match="nothing runs on the side broken"):
        house.theatre.ask("broken", "pause w1")


async def test_a_choice_that_makes_no_sense_is_refused(tmp_path: Path) -> None:
    house = await opened(tmp_path)
    house.theatre.choose("broken", "ttl_ms", "500")
    assert house.theatre.bill.toggles("broken")["ttl_ms"] == "500"
    with pytest.raises(UsageError, match="expected one of"):
        house.theatre.choose("broken", "ttl_ms", "1")
    assert house.theatre.bill.chosen == {"broken": {"ttl_ms": "500"}}


class Kept:
    """A seat at the broken run that was kept: it tells all of it, or all but the verdict."""

    judged = True

    @classmethod
    async def open(cls, commission: object) -> Kept:
        return cls()

    async def news(self) -> AsyncIterator[tuple[News, ...]]:
        yield tuple(one for one in kept().news["broken"] if self.judged or not isinstance(one, Judged))

    async def close(self) -> None:
        """Nothing is behind it."""


@pytest.mark.parametrize("judged", [True, False])
async def test_what_this_session_ran_is_told_from_what_lay_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, judged: bool) -> None:
    monkeypatch.setattr(theatre_module, "RunSession", Kept)
    monkeypatch.setattr(Kept, "judged", judged)
    old = stale_lock_run(tmp_path / f"20250101-000000.000-{SLUG}-canonical", [])
    seal(old, judge(load(SLUG), old, 1.0))
    house = await opened(tmp_path)
    assert house.theatre.bill.earlier("canonical")
    await house.theatre.perform(("broken",))
    assert [side for side in ("broken", "canonical") if house.theatre.bill.earlier(side)] == ["canonical"]
    assert house.theatre.performed == {(SLUG, "broken"): house.scene("broken")}
    assert (house.scene("broken").outcome is not None) == judged
    assert house.scene("broken").lost == ("" if judged else ENDED)


@pytest.mark.processes
@pytest.mark.timeout(120)
async def test_a_pair_runs_at_once_under_one_seed_and_stands_beside_each_other(tmp_path: Path) -> None:
    house = await opened(tmp_path)
    await house.theatre.perform(("broken", "canonical"))
    outcomes = [house.scene(side).outcome for side in ("broken", "canonical")]
    assert [outcome.verdict for outcome in outcomes if outcome] == ["FAIL", "PASS"]
    assert len({outcome.seed for outcome in outcomes if outcome}) == 1
    assert any(len(bill.going) == 2 for bill in house.bills)
    assert house.theatre.bill.going == ()
    assert next(line for line in house.theatre.bill.listed if line.slug == SLUG).last == {"broken": "FAIL", "canonical": "PASS"}
    raw = house.theatre.raw("broken", 0)
    assert len(raw) == 2
    assert all('"kind":"charged"' in line for _, line in raw)
    # Whoever opens the dashboard next finds them again.
    again = await opened(tmp_path)
    assert again.scene("broken").outcome == house.scene("broken").outcome
    assert again.theatre.bill.scenes.keys() == {"broken", "canonical"}


@pytest.mark.processes
@pytest.mark.timeout(120)
async def test_runs_with_tight_timers_follow_one_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = entry(SLUG)
    assert found.card is not None
    alone = replace(found.card, scenario=replace(found.card.scenario, alone=True))
    monkeypatch.setattr(theatre_module, "entry", lambda slug: Entry(found.row, alone))
    house = await opened(tmp_path)
    await house.theatre.perform(("broken", "canonical"))
    assert {bill.going for bill in house.bills} == {(), ("broken",), ("canonical",)}
    assert any(bill.going == ("broken",) and bill.waiting == ("canonical",) for bill in house.bills)
    assert [house.scene(side).outcome.verdict for side in ("broken", "canonical")] == ["FAIL", "PASS"]  # type: ignore[union-attr]


@pytest.mark.processes
@pytest.mark.timeout(120)
async def test_a_run_is_touched_and_ended(tmp_path: Path) -> None:
    house = await opened(tmp_path)
    async with asyncio.TaskGroup() as tasks:
        playing = tasks.create_task(house.theatre.perform(("broken",)))
        await house.until(lambda bill: "broken" in bill.scenes and bill.scenes["broken"].went_ns)
        with pytest.raises(UsageError, match="a run goes on: s ends it"):
            await house.theatre.perform(("canonical",))
        house.theatre.ask("broken", "set fencing on")
        await house.until(lambda bill: bill.scenes["broken"].toggles["fencing"] == "on")
        await house.theatre.end()
        await playing
    assert ("fencing is on now", False) in house.said
    assert house.scene("broken").outcome is None
    assert house.scene("broken").lost == "it was ended before it was over"
    assert house.theatre.bill.toggles("broken")["fencing"] == "off"  # for the next run


@pytest.mark.processes
@pytest.mark.timeout(120)
async def test_a_run_that_cannot_begin_is_said(tmp_path: Path) -> None:
    house = await opened(tmp_path, backends={"redis": ("redis://127.0.0.1:1/0", "redis://127.0.0.1:2/0")})
    await house.theatre.perform(("broken",))
    assert house.scene("broken").lost
    assert any(bad and "--backend redis" in text for text, bad in house.said)
