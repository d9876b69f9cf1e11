"""The real dashboard without a terminal, standing before one view: what it shows as an SVG, and as text.

Law 1: the app is the product's own; only the session is still.
Law 2: the picture is that of the seat at the lab: its keys are those of an operator, its clock that of the view.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple

from textual.pilot import Pilot

from cluster.core.errors import UsageError
from cluster.telemetry.events import Event
from cluster.telemetry.session import Session
from cluster.telemetry.view import ClusterView
from tui.app import FaultlineApp
from tui.pictures.drawing import svg_of
from tui.playbill import Playbill
from tui.state import UiState


class Picture(NamedTuple):
    """`text`: the rows of the screen without styles."""

    svg: str
    text: str


class StillSession:
    """A session that tells nothing and takes no commands, until it is closed."""

    observer = False
    name = ""

    def __init__(self) -> None:
        self._over = asyncio.Event()

    async def submit(self, text: str) -> int:
        raise UsageError("this is a picture")

    async def events(self) -> AsyncIterator[tuple[Event, ...]]:
        await self._over.wait()
        nothing: tuple[tuple[Event, ...], ...] = ()
        for batch in nothing:
            yield batch

    async def close(self) -> None:
        self._over.set()


async def pictured(
    view: ClusterView,
    size: tuple[int, int],
    keys: Sequence[str] = (),
    ui: UiState | None = None,
    *,
    session: Session | None = None,
    bill: Playbill | None = None,
    title: str = "faultline",
) -> Picture:
    """The dashboard at `size` cells, standing before `view`, after `keys` were pressed. `session`: a paused recording, instead of none.

    `bill`: what the incident screens know.
    """
    door = session or StillSession()
    app = FaultlineApp(door, view, ui or UiState())
    if bill is not None:
        app.theatre.bill = bill
    async with app.run_test(size=size) as pilot:
        await _settled(app, pilot)
        for key in keys:
            await pilot.press(key)
            await _settled(app, pilot)
        picture = Picture(_svg(app, title), _text(app))
        await door.close()
    if app.complaints:
        raise AssertionError(app.complaints[0])
    return picture


async def _settled(app: FaultlineApp, pilot: Pilot[None]) -> None:
    """Messages are handled, and no frame is due."""
    await pilot.pause()
    while app.frame_due:
        await pilot.pause()
    await pilot.pause()


def _svg(app: FaultlineApp, title: str) -> str:
    colours = app.get_css_variables()
    update = app.screen._compositor.render_update(full=True, screen_stack=app._background_screens)
    assert update is not None, "a full update of a screen that is up"
    return svg_of(update, (app.size.width, app.size.height), title, colours["background"].lower(), colours["foreground"].lower())


def _text(app: FaultlineApp) -> str:
    """What stands on the screen now, as the compositor would send it to a terminal."""
    strips = app.screen._compositor.render_strips()
    return "\n".join(strip.text.rstrip() for strip in strips) + "\n"
