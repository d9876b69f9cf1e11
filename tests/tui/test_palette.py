from __future__ import annotations

import importlib
from collections.abc import Iterator

import pytest
from textual.color import Color
from textual.theme import BUILTIN_THEMES, Theme

from cluster.telemetry.view import ClusterView
from tests.tui import sample_raft_gossip as sample
from tests.tui.stand_ins import PANES
from tui.keymap import entries
from tui.palette import CIVIDIS, THEMES, Sheet, contrast
from tui.select.glyphs import STYLES
from tui.state import Prompt, Row, UiState
from tui.widgets.footer import key_rows, prompt_rows, scrub_rows, status_rows

ALL_THEMES = [*BUILTIN_THEMES.values(), *THEMES]
VIEWS: dict[str, ClusterView] = {
    "fresh": sample.fresh(),
    "healthy": sample.healthy(),
    "mock-up": sample.mock_up(),
    "no leader": sample.no_leader(),
    "fifty split": sample.fifty(split=True),
    "wave": sample.stopped_wave(),
}
SIGNS = ("leader", "follower", "candidate", "stale", "paused", "dead", "side.a", "side.b", "side.c", "good", "bad", "warn")


def styles_of(rows: list[Row]) -> set[str]:
    return {style for row in rows for _, style in row}


def painted(view: ClusterView) -> Iterator[tuple[str, str]]:
    """(pane, style name) of everything that the panes paint of a view, at two sizes, in colour and without."""
    for name in PANES:
        selector = importlib.import_module(f"tui.select.{name}").rows
        for width, height in ((48, 14), (118, 40)):
            for ui in (UiState(cursor="n3", marked=("n4",)), UiState(colour=False, ascii=True, order="commit", armed=False)):
                for style in sorted(styles_of(selector(view, ui, width, height))):
                    yield name, style


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS.keys())
def test_every_name_that_a_pane_uses_is_a_style(view: ClusterView) -> None:
    sheet = Sheet(THEMES[0])
    assert sorted({(pane, style) for pane, style in painted(view) if not sheet.known(style)}) == []


@pytest.mark.parametrize("name", STYLES)
def test_every_name_of_the_panes_alphabet_is_a_style(name: str) -> None:
    assert Sheet(THEMES[0]).known(name)


def test_every_name_of_the_frame_is_a_style() -> None:
    sheet = Sheet(THEMES[0])
    ui = UiState(marked=("n1",), filter="x", last="heal", undo="cut")
    rows = [*key_rows(ui, 120), *status_rows(VIEWS["mock-up"], ui, 120), *scrub_rows(1, 2, ui, 80)]
    for verb in (":", "/", "cut", "degrade"):
        rows += prompt_rows(Prompt(verb, "?", "n1", ("a", "!b")), 80, 3)
    rows += importlib.import_module("tui.select.help").rows(entries(ui), ui, 120, 200)
    assert [name for name in sorted(styles_of(rows)) if not sheet.known(name)] == []


@pytest.mark.parametrize("theme", ALL_THEMES, ids=lambda theme: theme.name)
def test_every_theme_has_every_style(theme: Theme) -> None:
    sheet = Sheet(theme)
    for name in (*SIGNS, "phi.0", "phi.9", "phi.3/7", "prompt+caret", "cursor"):
        assert sheet.known(name)
        assert sheet.style(name).bgcolor is not None, "a style brings its ground: the pane's own is not lent"


@pytest.mark.parametrize("theme", ALL_THEMES, ids=lambda theme: theme.name)
@pytest.mark.parametrize("name", [*SIGNS, "", "title", "key", "dim"])
def test_what_must_be_read_stands_out_from_its_ground(theme: Theme, name: str) -> None:
    style = Sheet(theme).style(name)
    assert style.color is not None
    assert style.bgcolor is not None
    fore, back = (Color.parse(colour.get_truecolor().hex) for colour in (style.color, style.bgcolor))
    assert contrast(fore, back) > 2.95, f"{name} in {theme.name}"


def test_suspicion_grows_brighter_with_every_level() -> None:
    levels = [contrast(Color.parse(colour), Color.parse("#000000")) for colour in CIVIDIS]
    assert levels == sorted(levels)


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast(Color.parse("#ffffff"), Color.parse("#000000")) == pytest.approx(21.0)
    assert contrast(Color.parse("#767676"), Color.parse("#ffffff")) == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_good_and_bad_differ_in_brightness_or_blue(theme: Theme) -> None:
    sheet = Sheet(theme)
    good, bad = (Color.parse(sheet.style(name).color.get_truecolor().hex) for name in ("good", "bad"))  # type: ignore[union-attr]
    assert abs(good.b - bad.b) > 60 or contrast(good, bad) > 1.5


@pytest.mark.parametrize("name", ["phi.10", "phi.x", "phi.3/", "phi./3", "no-such-name"])
def test_an_unknown_name_is_plain_and_can_be_found(name: str) -> None:
    sheet = Sheet(THEMES[0])
    assert not sheet.known(name)
    assert sheet.style(name) == sheet.base
