"""The incident runs of a dashboard: loaded, started, heard, touched and ended; what is known of them is a `Playbill`.

Law 1: a run is another process's: here is a seat at it, and leaving it ends it.
Law 2: two runs go on at once unless the card says that its timers are too tight for that; then one follows the other.
Law 3: both sides of a pair have the same seed.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec
from msgspec.structs import replace

from cluster.core.errors import FaultlineError, UsageError
from scenarios.catalog import Entry, entries, entry, read_all, strangers
from scenarios.commission import Asked, Commission
from scenarios.feed import Answered, Judged, News
from scenarios.folding import fold_all
from scenarios.judging import last_runs, raw_line
from scenarios.model import Card, choose
from scenarios.opening import told_of
from scenarios.records import Records, RecordsBroken
from scenarios.report import parts_of_card, parts_of_row
from scenarios.scene import Scene
from scenarios.seat import RunSession
from tui.playbill import SIDES, Listed, Playbill, Programme, Switch

SEED_BITS = 16
BY_HAND_SCALE = 3.0
ENDED = "it was ended before it was over"


class Settings(msgspec.Struct, frozen=True):
    """What goes to every run."""

    seed: int = 0  # 0: drawn for each pair
    scale: float = 1.0
    backends: dict[str, tuple[str, ...]] = {}


class Theatre:
    """`changed()` after every change of `bill`; `say(text, bad)` for what is told once."""

    def __init__(self, runs: Path, changed: Callable[[], None], say: Callable[[str, bool], None], settings: Settings) -> None:
        self.bill = Playbill()
        self._runs = runs
        self._changed = changed
        self._say = say
        self._settings = settings
        self.performed: dict[tuple[str, str], Scene] = {}  # (slug, side) -> its newest run of this session
        self._sessions: dict[str, RunSession] = {}
        self._asked: dict[tuple[str, int], str] = {}
        self._closing = False

    def _set(self, **fields: object) -> None:
        self.bill = replace(self.bill, **fields)
        self._changed()

    # ---- what there is ----------------------------------------------------------------------------------------------

    async def load(self) -> None:
        """The list, with the last verdicts."""
        if not self.bill.listed:
            self._set(listed=await asyncio.to_thread(self._listed))

    def _listed(self) -> tuple[Listed, ...]:
        shelf = read_all()
        for why in strangers(shelf):
            self._say(why, True)
        return tuple(listed_of(one, self._runs) for one in entries(shelf))

    async def look(self, slug: str) -> None:
        """The incident that the screens are about from now on, with its last runs. While runs go on it stays theirs."""
        if self.bill.going or (self.bill.programme is not None and self.bill.programme.slug == slug):
            return
        programme, scenes = await asyncio.to_thread(self._opened, slug)
        self._set(programme=programme, scenes=scenes, chosen={}, by_hand=())

    def _opened(self, slug: str) -> tuple[Programme, dict[str, Scene]]:
        found = entry(slug)
        scenes: dict[str, Scene] = {}
        if found.card is not None:
            for side, last in last_runs(self._runs, slug).items():
                try:
                    scenes[side] = fold_all(Scene(), told_of(found.card, last.run_dir))
                except FaultlineError as error:
                    self._say(f"{last.run_dir}: {error}", True)
        return programme_of(found), scenes

    async def show(self, run_dir: Path) -> None:
        """One finished run, wherever it lies. Raises `UsageError` for a directory that is none."""
        programme, side, scene = await asyncio.to_thread(_shown, run_dir)
        self._set(programme=programme, scenes={side: scene}, chosen={}, by_hand=())

    # ---- runs -------------------------------------------------------------------------------------------------------

    def choose(self, side: str, toggle: str, value: str) -> None:
        """For the next run of a side. Raises `UsageError` for what makes no sense."""
        card = self._card()
        chosen = {**self.bill.chosen.get(side, {}), toggle: value}
        choose(card, side, (f"{name}={wanted}" for name, wanted in chosen.items()))
        self._set(chosen={**self.bill.chosen, side: chosen})

    def _card(self) -> Card:
        programme = self.bill.programme
        found = entry(programme.slug) if programme is not None else None
        if found is None or found.card is None:
            raise UsageError((found.wrong if found is not None else "") or "this incident is not built yet: there is nothing to run")
        return found.card

    async def perform(self, sides: Iterable[str], *, by_hand: bool = False) -> None:
        """Run these sides, at once if they may; returns when they are over. `by_hand`: without the card's faults."""
        wanted = [side for side in SIDES if side in sides]
        if self.bill.going or self.bill.waiting:
            raise UsageError("a run goes on: s ends it")
        card = self._card()
        seed = self._settings.seed or 1 + secrets.randbits(SEED_BITS)
        groups = [[side] for side in wanted] if card.scenario.alone else [wanted]
        left = {side: scene for side, scene in self.bill.scenes.items() if side not in wanted}
        self._set(scenes=left, waiting=tuple(wanted), by_hand=tuple(wanted) if by_hand else ())
        try:
            for group in groups:
                async with asyncio.TaskGroup() as tasks:
                    for side in group:
                        tasks.create_task(self._run(side, Commission(card.slug, self._ask(side, seed, by_hand=by_hand), str(self._runs))))
        finally:
            self._set(going=(), waiting=())

    def _ask(self, side: str, seed: int, *, by_hand: bool) -> Asked:
        settings = tuple(f"{name}={value}" for name, value in self.bill.chosen.get(side, {}).items())
        without = ("faults",) if by_hand else ()
        # A hand needs more time than a fault that is bound to a line of code; every timer of the run is stretched alike.
        scale = self._settings.scale * (BY_HAND_SCALE if by_hand else 1.0)
        return Asked(side, settings, seed, scale, self._settings.backends, without)

    async def _run(self, side: str, commission: Commission) -> None:
        if self._closing or side not in self.bill.waiting:  # it was called off
            return
        self._set(waiting=tuple(one for one in self.bill.waiting if one != side), going=(*self.bill.going, side))
        scene = Scene()
        self.performed[commission.slug, side] = scene
        try:
            session = self._sessions[side] = await RunSession.open(commission)
            async for batch in session.news():
                scene = fold_all(scene, batch)
                self._hear(side, batch)
                self._put(commission.slug, side, scene)
            if scene.outcome is None:
                self._put(commission.slug, side, replace(scene, lost=ENDED))
        except FaultlineError as error:
            self._put(commission.slug, side, replace(scene, lost=str(error)))
            self._say(f"{side}: {error}", True)
        finally:
            await self._leave(side)
            self._set(going=tuple(one for one in self.bill.going if one != side))

    def _put(self, slug: str, side: str, scene: Scene) -> None:
        self.performed[slug, side] = scene
        ours = self.bill.ours if scene.opened is None else self.bill.ours | {scene.opened.run_dir}
        self._set(scenes={**self.bill.scenes, side: scene}, ours=ours)

    async def _leave(self, side: str) -> None:
        session = self._sessions.get(side)
        if session is not None:
            await session.close()
            self._sessions.pop(side, None)

    def _hear(self, side: str, batch: tuple[News, ...]) -> None:
        for one in batch:
            match one:
                case Answered(request=request, ok=ok, text=text):
                    asked = self._asked.pop((side, request), "")
                    self._say(text if ok else f"{asked}: {text}", not ok)
                case Judged(outcome=outcome):
                    again = listed_of(entry(outcome.slug), self._runs)
                    self._set(listed=tuple(again if line.slug == outcome.slug else line for line in self.bill.listed))

    def ask(self, side: str, text: str) -> None:
        """One line of the grammar for a run that goes on. Raises `UsageError` when there is none."""
        if side not in self._sessions:
            raise UsageError(f"nothing runs on the side {side}: b, c or v runs it")
        self._asked[side, self._sessions[side].ask(text)] = text

    def raw(self, side: str, finding: int) -> list[tuple[str, str]]:
        """(where it stands, the line) of every record behind a violation, as they lie in the files."""
        outcome = self.bill.scenes[side].outcome if side in self.bill.scenes else None
        if outcome is None or not outcome.violations.evidence:
            return []
        evidence = outcome.violations.evidence[min(finding, len(outcome.violations.evidence) - 1)]
        return [(where, raw_line(Path(outcome.run_dir), where)) for where in evidence.records]

    async def end(self) -> None:
        """End what runs; what was to follow does not."""
        self._set(waiting=())
        for side in [*self._sessions]:
            await self._leave(side)

    async def close(self) -> None:
        self._closing = True
        await self.end()


def _shown(run_dir: Path) -> tuple[Programme, str, Scene]:
    try:
        params = Records(run_dir).params()
        found = entry(params.slug)
        if found.card is None:
            raise UsageError(f"{run_dir} is a run of {params.slug}, which is not built here")
        return programme_of(found), params.variant, fold_all(Scene(), told_of(found.card, run_dir))
    except RecordsBroken as broken:
        raise UsageError(f"{run_dir} is not the directory of a run: {broken}") from None


def listed_of(found: Entry, runs: Path) -> Listed:
    row, last = found.row, last_runs(runs, found.row.slug) if found.card is not None else {}
    return Listed(
        row.n, row.slug, row.family, row.mechanism, found.title, found.card is not None,
        last={side: one.verdict for side, one in last.items()}, errors={side: one.error for side, one in last.items() if one.error},
        wrong=found.wrong,
    )  # fmt: skip


def programme_of(found: Entry) -> Programme:
    row, card = found.row, found.card
    if card is None:
        return Programme(row.slug, row.n, found.title, False, parts_of_row(row), wrong=found.wrong)
    switches = tuple(
        Switch(toggle.name, toggle.values, toggle.broken, toggle.canonical, toggle.hot, toggle.help) for toggle in card.toggle
    )
    return Programme(
        row.slug, row.n, found.title, True, parts_of_card(card), switches,
        lesson=" ".join(card.drill.lesson.split()),
        window=card.window.what if card.window is not None else "", alone=card.scenario.alone,
        deeds=tuple(dict.fromkeys(step.do for step in card.fault)),
    )  # fmt: skip
