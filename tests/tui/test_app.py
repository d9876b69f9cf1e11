from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from textual.command import CommandList
from textual.pilot import Pilot
from textual.widgets import Button, Input

from cluster.core.errors import FaultlineError
from cluster.telemetry import events as e
from cluster.telemetry.view import ClusterView
from tests.tui.fake_session import FakeSession, FakeTape
from tests.tui.sample_raft_gossip import ZERO, cut, healthy, lab, up
from tests.tui.stand_ins import STAND_INS
from tui.app import FaultlineApp, node_near
from tui.palette import THEMES
from tui.screens.lab import LabScreen
from tui.screens.over import ConfirmScreen, HelpScreen, InspectorScreen
from tui.state import Row, UiState
from tui.widgets.rows import RowPane

Stage = tuple[FaultlineApp, FakeSession, Pilot[None]]


@asynccontextmanager
async def dashboard(
    ui: UiState | None = None,
    *,
    session: FakeSession | None = None,
    view: ClusterView | None = None,
    size: tuple[int, int] = (120, 36),
    selectors: dict[str, object] | None = None,
) -> AsyncIterator[Stage]:
    session = session or FakeSession()
    app = FaultlineApp(session, view or healthy(), ui or UiState(), selectors={**STAND_INS, **(selectors or {})})  # type: ignore[arg-type]
    async with app.run_test(size=size, notifications=True) as pilot:
        await painted(pilot)
        yield app, session, pilot


async def painted(pilot: Pilot[None]) -> None:
    """Wait until what was asked for stands on the screen: messages handled, and no frame due."""
    app = pilot.app
    assert isinstance(app, FaultlineApp)
    await pilot.pause()
    while app.frame_due:
        await pilot.pause()
    await pilot.pause()


def text_of(app: FaultlineApp, pane: str) -> str:
    return "\n".join(app.screen.query_one(f"#{pane}", RowPane).text_rows())


def visible(app: FaultlineApp) -> set[str]:
    return {pane.pane for pane in app.screen.query(".framed").results(RowPane) if pane.display and pane.size.width > 0}


def toasts(app: FaultlineApp) -> list[str]:
    return [notification.message for notification in app._notifications]


# ---- keys -> commands -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "asked"),
    [
        (["i"], ["isolate n1"]),
        (["down", "space", "down", "space", "i"], ["isolate n2,n3"]),
        (["p", "enter"], ["cut n3,n4 | rest"]),
        (["p", "escape"], []),
        (["g", "7"], ["pause n1 7s"]),
        (["d", "l", "enter"], ["loss n1 20%"]),
        (["H"], ["heal"]),
        (["exclamation_mark", "x"], []),
        ([":", *"isolate", "space", *"n4", "enter"], ["isolate n4"]),
    ],
    ids=lambda value: "-".join(value).replace(" ", "_"),
)
async def test_keys_become_commands(keys: list[str], asked: list[str]) -> None:
    async with dashboard() as (_, session, pilot):
        await pilot.press(*keys)
        await painted(pilot)
        assert session.asked == asked


async def test_the_screen_changes_because_an_event_said_so() -> None:
    async with dashboard() as (app, session, pilot):
        await pilot.press("i")
        await painted(pilot)
        assert "faults 0" in text_of(app, "nodes")
        session.tell(e.FaultBegan(ZERO, 1, "isolate", "isolate n1", "isolate n1", ("n1",), 0, "me"))
        await painted(pilot)
        assert "faults 1" in text_of(app, "nodes")


async def test_an_answer_is_shown_with_its_undo() -> None:
    async with dashboard() as (app, session, pilot):
        await pilot.press("i")
        await painted(pilot)
        session.tell(e.CommandDone(ZERO, "me", 1, "isolate n1", True, "#1 isolate n1"))
        await painted(pilot)
        assert any("isolate n1" in toast and "u undoes" in toast for toast in toasts(app))
        assert "last isolate n1" in text_of(app, "status")


async def test_a_refusal_is_shown_in_one_line() -> None:
    async with dashboard() as (app, session, pilot):
        await pilot.press("r")
        await painted(pilot)
        session.tell(e.CommandDone(ZERO, "me", 1, "restart n1", False, "n1 is running [not down]"))
        await painted(pilot)
        assert "n1 is running [not down]" in toasts(app)


async def test_an_observer_sees_and_asks_nothing() -> None:
    async with dashboard(session=FakeSession(observer=True)) as (app, session, pilot):
        await pilot.press("x", "p", "H")
        await painted(pilot)
        assert session.asked == []
        assert "Crash" not in text_of(app, "keys")


# ---- dialogs --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "asked"),
    [(["enter"], []), (["escape"], []), (["tab", "enter"], ["crash n1,n2,n3"]), (["right", "enter"], ["crash n1,n2,n3"])],
    ids=["enter is cancel", "escape", "tab, enter", "right, enter"],
)
async def test_what_loses_the_quorum_is_asked_first(keys: list[str], asked: list[str]) -> None:
    async with dashboard(UiState(marked=("n1", "n2", "n3"))) as (app, session, pilot):
        await pilot.press("x")
        await pilot.pause()
        assert isinstance(app.screen, ConfirmScreen)
        assert isinstance(app.focused, Button)
        assert app.focused.id == "cancel"
        await pilot.press(*keys)
        await painted(pilot)
        assert isinstance(app.screen, LabScreen)
        assert session.asked == asked


async def test_a_wipe_wants_the_name_written_out() -> None:
    async with dashboard() as (app, session, pilot):
        await pilot.press(":", *"wipe", "space", *"n3", "enter")
        await pilot.pause()
        assert isinstance(app.focused, Input)
        await pilot.press(*"n4", "enter")
        await pilot.pause()
        assert session.asked == []
        assert app.screen.query_one("#go", Button).disabled
        await pilot.press("backspace", "3")
        await pilot.pause()
        assert not app.screen.query_one("#go", Button).disabled
        await pilot.press("enter")
        await painted(pilot)
        assert session.asked == ["wipe n3"]


async def test_what_lies_below_a_dialog_goes_on() -> None:
    async with dashboard(UiState(marked=("n1", "n2", "n3"))) as (app, session, pilot):
        await pilot.press("x")
        session.tell(e.FaultBegan(ZERO, 1, "isolate", "isolate n5", "isolate n5", ("n5",), 0, "you"))
        await painted(pilot)
        below = app.screen_stack[-2]
        assert "faults 1" in "\n".join(below.query_one("#nodes", RowPane).text_rows())


async def test_help_and_inspector_open_scroll_and_close() -> None:
    long: list[Row] = [((f"line {number}", "text"),) for number in range(100)]
    async with dashboard(selectors={"inspector": lambda view, ui, width, height: long[:height]}) as (app, _, pilot):
        await pilot.press("enter")
        await painted(pilot)
        assert isinstance(app.screen, InspectorScreen)
        assert "line 0" in text_of(app, "sheaf")
        await pilot.press("end")
        await painted(pilot)
        assert "line 99" in text_of(app, "sheaf")
        assert "line 0 " not in text_of(app, "sheaf")
        await pilot.press("right")
        await painted(pilot)
        assert app.store.ui.cursor == "n2"
        await pilot.press("escape", "question_mark")
        await painted(pilot)
        assert isinstance(app.screen, HelpScreen)
        assert "isolate T" in text_of(app, "sheaf")
        await pilot.press("q")
        await painted(pilot)
        assert isinstance(app.screen, LabScreen)


async def test_the_palette_does_what_a_key_does() -> None:
    async with dashboard() as (app, session, pilot):
        await pilot.press("ctrl+p")
        await pilot.pause()
        await pilot.press(*"isolate")
        while not app.screen.query_one(CommandList).option_count:
            await pilot.pause()
        await pilot.press("enter")
        while not session.asked:
            await pilot.pause()
        assert session.asked == ["isolate n1"]


# ---- sizes ----------------------------------------------------------------------------------------------------------

LIVE_PANES = {"nodes", "phi", "topology", "events", "metrics"}


@pytest.mark.parametrize(
    ("size", "panes"),
    [
        ((200, 50), LIVE_PANES | {"why"}),
        ((160, 45), LIVE_PANES | {"why"}),
        ((120, 36), LIVE_PANES),
        ((100, 30), LIVE_PANES),
        ((80, 24), {"nodes", "events"}),
        ((60, 18), {"nodes"}),
        ((59, 18), set()),
        ((80, 17), set()),
    ],
    ids=lambda value: "x".join(map(str, value)) if isinstance(value, tuple) else "",
)
async def test_each_size_has_its_panes(size: tuple[int, int], panes: set[str]) -> None:
    async with dashboard(size=size) as (app, _, _pilot):
        assert visible(app) == panes
        width, height = size
        for pane in app.screen.query(RowPane):
            if pane.display and pane.size.width:
                assert pane.region.right <= width
                assert pane.region.bottom <= height
        if not panes:
            assert f"{width}x{height}" in text_of(app, "card")
            assert "60x18" in text_of(app, "card")


async def test_a_terminal_that_grows_and_shrinks_keeps_its_state() -> None:
    async with dashboard(UiState(cursor="n2"), size=(40, 10)) as (app, _, pilot):
        for size, panes in (((120, 36), LIVE_PANES), ((80, 24), {"nodes", "events"}), ((40, 10), set()), ((200, 50), LIVE_PANES | {"why"})):
            await pilot.resize_terminal(*size)
            await painted(pilot)
            assert visible(app) == panes
        assert "cursor n2" in text_of(app, "nodes")


async def test_in_a_small_terminal_tab_and_the_screens_digit_go_through_the_panes() -> None:
    async with dashboard(size=(80, 24)) as (app, _, pilot):
        seen = []
        for key in ("tab", "tab", "shift+tab", "1", "z"):
            await pilot.press(key)
            await painted(pilot)
            seen.append(visible(app))
        assert seen == [{"phi"}, {"topology"}, {"phi"}, {"topology"}, {"topology"}]
        assert "3/5" in text_of(app, "topology")


async def test_zoom_shows_the_chosen_pane_alone_and_comes_back() -> None:
    async with dashboard() as (app, _, pilot):
        await pilot.press("tab", "z")
        await painted(pilot)
        assert visible(app) == {"phi"}
        assert "phi 118x" in text_of(app, "phi")
        await pilot.press("escape")
        await painted(pilot)
        assert visible(app) == LIVE_PANES


@pytest.mark.parametrize(
    ("digit", "panes"),
    [
        ("2", {"lanes", "ribbon", "progress", "why"}),
        ("3", {"wave", "beliefs", "lag", "bands"}),
        ("6", {"faultlist", "journal"}),
    ],
)
@pytest.mark.parametrize("size", [(120, 36), (100, 30)], ids=["120x36", "100x30"])
async def test_each_digit_brings_up_its_screen(digit: str, panes: set[str], size: tuple[int, int]) -> None:
    async with dashboard(size=size) as (app, _, pilot):
        await pilot.press(digit)
        await painted(pilot)
        assert visible(app) == panes
        assert all(app.screen.query_one(f"#{pane}", RowPane).lines_free >= 3 for pane in panes)
        await pilot.press("1")
        await painted(pilot)
        assert visible(app) == LIVE_PANES


# ---- errors ---------------------------------------------------------------------------------------------------------


async def test_a_pane_that_fails_costs_one_line_and_one_complaint() -> None:
    def broken(view: ClusterView, ui: UiState, width: int, height: int) -> list[Row]:
        raise KeyError("n9")

    async with dashboard(selectors={"phi": broken}) as (app, session, pilot):
        session.tell(e.Heartbeat(ZERO, 0))
        await painted(pilot)
        assert "phi cannot be drawn: KeyError" in text_of(app, "phi")
        assert "nodes " in text_of(app, "nodes")
        assert len(app.complaints) == 1
        assert "KeyError" in app.complaints[0]


async def test_a_lab_that_is_lost_leaves_the_screen_standing() -> None:
    async with dashboard() as (app, session, pilot):
        session.end(FaultlineError("the supervisor is gone"))
        await painted(pilot)
        assert "the supervisor is gone" in toasts(app)
        assert app.complaints == ["the supervisor is gone"]
        await pilot.press("down")
        await painted(pilot)
        assert "cursor n2" in text_of(app, "nodes")


async def test_a_lab_that_ends_says_why() -> None:
    async with dashboard() as (app, session, pilot):
        session.tell(e.LabClosed(ZERO, True, "the last operator left"))
        session.end()
        await painted(pilot)
        assert "the lab is over: the last operator left" in toasts(app)
        assert app.complaints == []


# ---- recordings, themes, mouse --------------------------------------------------------------------------------------


async def test_a_recording_has_a_scrub_bar_and_its_own_keys() -> None:
    tape = FakeTape([lab(5, 5), *up(5), *cut(ZERO, 1, ("n1",), ("n2", "n3", "n4", "n5"))])
    ui = UiState(mode="REPLAY", paused=True)
    async with dashboard(ui, session=tape, view=tape.initial) as (app, _, pilot):
        assert "0:00.0 / 0:07.0" in text_of(app, "scrub")
        await pilot.press("end")
        await painted(pilot)
        assert "0:07.0 / 0:07.0" in text_of(app, "scrub")
        assert "faults 1" in text_of(app, "nodes")
        await pilot.press("home", "space")
        await painted(pilot)
        assert tape.playing
        assert "faults 0" in text_of(app, "nodes")
        assert "Crash" not in text_of(app, "keys")


@pytest.mark.parametrize("theme", [*(theme.name for theme in THEMES), "textual-light"])
async def test_a_theme_restyles_every_pane(theme: str) -> None:
    async with dashboard() as (app, _, pilot):
        app.theme = "dracula" if theme != "dracula" else "nord"
        await painted(pilot)
        before = app.screen.query_one("#nodes", RowPane).render_line(1)
        app.theme = theme
        await painted(pilot)
        after = app.screen.query_one("#nodes", RowPane).render_line(1)
        assert after.text == before.text
        assert after != before


def test_a_theme_that_does_not_exist_is_a_usage_error() -> None:
    with pytest.raises(FaultlineError, match="there is no theme 'mauve'"):
        FaultlineApp(FakeSession(), healthy(), UiState(), theme="mauve")


def test_without_colour_the_panes_know_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert not FaultlineApp(FakeSession(), healthy(), UiState()).store.ui.colour


async def test_a_click_chooses_pane_and_node() -> None:
    nodes: list[Row] = [((" n1  ●F", ""),), ((" n4  ★L", ""),)]
    async with dashboard(selectors={"phi": lambda *_: nodes}) as (app, _, pilot):
        await pilot.click("#phi", offset=(4, 2))
        await painted(pilot)
        assert (app.store.ui.pane, app.store.ui.cursor) == (2, "n4")


async def test_a_click_on_a_key_is_the_key() -> None:
    async with dashboard() as (app, session, pilot):
        column = text_of(app, "keys").index("i Isolate")
        await pilot.click("#keys", offset=(column + 1, 0))
        await painted(pilot)
        assert session.asked == ["isolate n1"]


@pytest.mark.parametrize(
    ("text", "column", "node"),
    [("n1 → n12 → n3", 0, "n1"), ("n1 → n12 → n3", 6, "n12"), ("n99 n3", 0, "n3"), ("term 3", 2, ""), ("", 0, "")],
)
def test_the_node_nearest_to_a_click(text: str, column: int, node: str) -> None:
    assert node_near(text, column, {"n1", "n3", "n12"}) == node


async def test_quitting_leaves_at_once() -> None:
    async with dashboard() as (app, _, pilot):
        await pilot.press("q")
        await pilot.pause()
        assert not app.is_running or app._exit
