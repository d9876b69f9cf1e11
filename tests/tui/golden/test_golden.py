"""Every golden screen is what the dashboard shows now, and what a golden screen must hold it holds."""

from __future__ import annotations

import pytest

from cluster.telemetry.view import ClusterView
from tests.tui.golden.scenes import COLOURED, FOLDER, SCENES, Scene, golden, shown
from tui.screens.painting import Painter
from tui.state import UiState

REMAKE = "look at the difference; when it is meant: python -m tests.tui.golden"
CASES = [pytest.param(scene, size, id=f"{scene.name}-{size[0]}x{size[1]}") for scene in SCENES for size in scene.sizes]


@pytest.mark.parametrize(("scene", "size"), CASES)
async def test_the_screen_is_the_golden_one(scene: Scene, size: tuple[int, int]) -> None:
    text = (await shown(scene, size)).text
    assert text == golden(scene, size).read_text(encoding="utf-8"), REMAKE


async def test_the_coloured_screen_is_the_golden_one() -> None:
    svg = (await shown(*COLOURED)).svg
    assert svg == golden(*COLOURED).with_suffix(".svg").read_text(encoding="utf-8"), REMAKE


@pytest.mark.parametrize(("scene", "size"), CASES)
def test_a_golden_screen_has_its_size_and_whole_frames(scene: Scene, size: tuple[int, int]) -> None:
    lines = golden(scene, size).read_text(encoding="utf-8").splitlines()
    assert len(lines) == size[1]
    assert max(map(len, lines)) <= size[0]
    assert sum(line.count("╭") for line in lines) == sum(line.count("╯") for line in lines)
    assert not any("cannot be drawn" in line for line in lines)


def test_no_golden_file_is_left_over() -> None:
    wanted = {golden(scene, size).name for scene in SCENES for size in scene.sizes}
    assert {path.name for path in FOLDER.glob("*-*x*.txt")} == wanted
    assert (FOLDER / "drill.flt").stat().st_size < 200_000


async def test_a_planted_change_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison goes red: one glyph of one pane is enough."""
    ask = Painter.rows

    def off_by_one(self: Painter, name: str, view: ClusterView, ui: UiState, width: int, height: int) -> object:
        rows = ask(self, name, view, ui, width, height)
        return [(("5/6", ""), *rows[0][1:]), *rows[1:]] if name == "pulse" else rows

    monkeypatch.setattr(Painter, "rows", off_by_one)
    scene = SCENES[0]
    assert (await shown(scene, (80, 24))).text != golden(scene, (80, 24)).read_text(encoding="utf-8")
