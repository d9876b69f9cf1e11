"""From what the compositor shows to an SVG that any viewer draws alike, and to a PNG.

Law 1: one font, DejaVu Sans Mono: it has every sign that the panes draw, at one width; web fonts are never fetched.
Law 2: cells have that font's own proportions, so that frames and bars close without gaps, stretched nowhere.
Law 3: packages of the development set are imported here only when a picture is made, and their absence is one line.
"""

from __future__ import annotations

import importlib
import io
import re
from pathlib import Path
from types import ModuleType

from rich.color import Color
from rich.console import Console, RenderableType
from rich.terminal_theme import TerminalTheme

from cluster.core.errors import EnvironmentFailed

FONT = "DejaVu Sans Mono"
PNG_WIDTH = 2_000
CELL_LEAST = 12  # dots; below it the signs run together
# Rich lays lines out 1.22 × 20 units apart. Of DejaVu Sans Mono a line is 1.164 em high and a cell 0.602 em wide.
_LINE = 20 * 1.22
_EM = _LINE / 1.164
_CELL_ASPECT = 0.602 * _EM / 20

_FORMAT = f"""\
<svg class="rich-terminal" viewBox="0 0 {{width}} {{height}}" xmlns="http://www.w3.org/2000/svg">
    <style>
    .{{unique_id}}-matrix {{{{ font-family: '{FONT}', monospace; font-size: {_EM:.3f}px; line-height: {{line_height}}px; }}}}
    .{{unique_id}}-title {{{{ font-family: '{FONT}', monospace; font-size: 15px; }}}}
    {{styles}}
    </style>
    <defs>
    <clipPath id="{{unique_id}}-clip-terminal">
      <rect x="0" y="0" width="{{terminal_width}}" height="{{terminal_height}}" />
    </clipPath>
    {{lines}}
    </defs>
    {{chrome}}
    <g transform="translate({{terminal_x}}, {{terminal_y}})" clip-path="url(#{{unique_id}}-clip-terminal)">
    {{backgrounds}}
    <g class="{{unique_id}}-matrix">
    {{matrix}}
    </g>
    </g>
</svg>
"""


def needed(name: str) -> ModuleType:
    """A package that only pictures need; raises `EnvironmentFailed` when it is missing."""
    try:
        return importlib.import_module(name)
    except (ImportError, OSError) as error:
        raise EnvironmentFailed(f"pictures need the development packages ({name}: {error}): ./faultline test installs them") from error


def svg_of(screen: RenderableType, size: tuple[int, int], title: str, ground: str, writing: str) -> str:
    """The screen as an SVG in a window of the ground's colour; `ground` and `writing` are `#rrggbb`."""
    width, height = size
    console = Console(
        width=width, height=height, file=io.StringIO(), force_terminal=True, color_system="truecolor", record=True, legacy_windows=False,
        safe_box=False,
    )  # fmt: skip
    console.print(screen)
    back, fore = Color.parse(ground).get_truecolor(), Color.parse(writing).get_truecolor()
    theme = TerminalTheme(back, fore, [back] * 8)
    svg = console.export_svg(title=title, theme=theme, code_format=_FORMAT, font_aspect_ratio=_CELL_ASPECT, unique_id="fl")
    # The window has the ground already; cells that repeat it only leave hairlines between one another.
    return re.sub(rf'<rect fill="{ground}" x=[^>]*/>', "", svg)


def write(svg: str, columns: int, path: Path) -> None:
    """`path`.svg and `path`.png, of a screen so many cells wide."""
    cairosvg = needed("cairosvg")
    path.with_suffix(".svg").write_text(svg, encoding="utf-8")
    # Cairo rounds every advance to whole dots: a cell must be a whole number of them, or long runs end too early.
    scale = max(CELL_LEAST, PNG_WIDTH // (columns + 2)) / (20 * _CELL_ASPECT)
    cairosvg.svg2png(bytestring=svg.encode(), write_to=str(path.with_suffix(".png")), scale=scale)
