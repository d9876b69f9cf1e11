"""`faultline run SLUG --watch`: the dashboard before a run of an incident, without a lab behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING

from cluster.core.errors import UsageError
from cluster.telemetry.events import Event
from cluster.telemetry.view import EMPTY
from scenarios.commission import Asked
from tui.cli.exits import GOOD, INTERRUPTED
from tui.playbill import SIDES
from tui.state import UiState

if TYPE_CHECKING:
    from tui.app import FaultlineApp


class NoLab:
    """A session that nothing is heard from."""

    observer = False

    def __init__(self) -> None:
        self._over = asyncio.Event()

    async def submit(self, text: str) -> int:
        raise UsageError("there is no lab behind this")

    async def events(self) -> AsyncIterator[tuple[Event, ...]]:
        await self._over.wait()
        nothing: tuple[tuple[Event, ...], ...] = ()
        for batch in nothing:
            yield batch

    async def close(self) -> None:
        self._over.set()


def watch_run(slug: str, asked: Asked, runs: Path, *, theme: str, ascii_only: bool) -> int:
    """Until the person leaves. The exit code is that of the runs of this session (`leaving`); 0 where none began."""
    from tui.cli.dashboard import need_terminal

    need_terminal()
    pane = 1 + SIDES.index(asked.variant)
    ui = UiState(screen="run", slug=slug, side=asked.variant, pane=pane, ascii=ascii_only, lab=False)
    return asyncio.run(_watch(slug, asked, runs, theme, ui))


def look_at(run_dir: Path, *, theme: str, ascii_only: bool) -> int:
    """A finished run, opened from its records. Raises `UsageError` for a directory that is none, before the terminal is taken."""
    from scenarios.records import Records, RecordsBroken
    from tui.cli.dashboard import need_terminal

    try:
        slug = Records(run_dir).params().slug
    except RecordsBroken as broken:
        raise UsageError(f"{run_dir} is not the directory of a run: {broken}") from None
    need_terminal()
    ui = UiState(screen="run", slug=slug, ascii=ascii_only, lab=False)
    return asyncio.run(_shown(ui, theme, run_dir.parent, lambda app: app.director.visit(run_dir)))


async def _shown(ui: UiState, theme: str, runs: Path, begin: Callable[[FaultlineApp], None]) -> int:
    from tui.app import FaultlineApp, Staging
    from tui.cli.dashboard import run_app

    session = NoLab()
    app = FaultlineApp(session, EMPTY, ui, theme=theme, staging=Staging(runs, begin=begin))
    return INTERRUPTED if await run_app(app, session) else GOOD


async def _watch(slug: str, asked: Asked, runs: Path, theme: str, ui: UiState) -> int:
    from tui.app import FaultlineApp, Staging
    from tui.cli.dashboard import run_app
    from tui.cli.leaving import leaving
    from tui.theatre import Settings

    def begin(app: FaultlineApp) -> None:
        app.director.watch(asked.variant, asked.settings, by_hand="faults" in asked.without)

    settings = Settings(asked.seed, asked.scale, asked.backends)
    session = NoLab()
    app = FaultlineApp(session, EMPTY, ui, theme=theme, staging=Staging(runs, settings, begin))
    signalled = await run_app(app, session)
    lines, code = leaving(slug, app.theatre.performed)
    for line in lines:
        print(line)
    return INTERRUPTED if signalled else code
