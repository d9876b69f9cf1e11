"""The SVG of a screen: one font, its own proportions, no ground painted twice."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PIL import Image
from rich.text import Text

from cluster.core.errors import EnvironmentFailed
from tui.pictures import drawing

GROUND, WRITING = "#0b1017", "#d5dde6"
SCREEN = Text("abc ★", style=f"{WRITING} on {GROUND}") + Text("xyz", style=f"{WRITING} on #ff0000")


def svg(width: int = 20) -> str:
    return drawing.svg_of(SCREEN, (width, 1), "faultline", GROUND, WRITING)


def test_only_one_font_and_nothing_from_elsewhere() -> None:
    fonts = set(re.findall(r"font-family: ([^;]+);", svg()))
    assert fonts == {"'DejaVu Sans Mono', monospace"}
    assert set(re.findall(r"https?://[^\"' ]+", svg())) == {"http://www.w3.org/2000/svg"}


def test_a_cell_is_as_wide_as_the_fonts_own_advance() -> None:
    text = svg()
    size = float(re.search(r"-matrix { font-family: [^;]+; font-size: ([\d.]+)px", text).group(1))  # type: ignore[union-attr]
    length = float(re.search(r'textLength="([\d.]+)"[^>]*>abc', text).group(1))  # type: ignore[union-attr]
    assert length / len("abc ★") == pytest.approx(0.602 * size, rel=1e-3)


def test_the_ground_is_painted_once_and_other_grounds_where_they_are() -> None:
    assert svg().count(f'fill="{GROUND}"') == 1
    assert svg().count('fill="#ff0000"') == 1


def test_cells_of_a_png_are_whole_dots(tmp_path: Path) -> None:
    drawing.write(svg(80), 80, tmp_path / "a")
    with Image.open(tmp_path / "a.png") as image:
        assert image.width == pytest.approx(drawing.PNG_WIDTH, rel=0.05)
    assert (tmp_path / "a.svg").read_text(encoding="utf-8") == svg(80)


def test_a_missing_package_is_one_line() -> None:
    with pytest.raises(EnvironmentFailed, match=r"pictures need the development packages \(no_such_thing: .*\): \./faultline test"):
        drawing.needed("no_such_thing")
