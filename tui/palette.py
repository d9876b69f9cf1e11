"""Style names -> styles, per theme: the only place where a colour is written down.

Law 1: rows carry names, never colours; a name that is not known here is painted plainly, and a test finds it.
Law 2: hues are Okabe and Ito's, distinct for every kind of colour vision; state is said by shape and letter first.
Law 3: suspicion is painted in cividis: its brightness rises steadily, so it reads without hue and on 256 colours.
"""

from __future__ import annotations

from collections.abc import Mapping

from rich.style import Style
from textual.color import Color
from textual.theme import Theme

# Okabe & Ito (2008), and the same hues darkened until they read on a light ground.
SKY, ORANGE, GREEN, YELLOW, BLUE, VERMILION, PURPLE = (
    "#56b4e9", "#e69f00", "#00b98a", "#f0e442", "#4a9fe0", "#ff7a33", "#d58fc0",
)  # fmt: skip
DARK_SKY, DARK_ORANGE, DARK_GREEN, DARK_YELLOW, DARK_BLUE, DARK_VERMILION, DARK_PURPLE = (
    "#0a6ea8", "#9a5b00", "#00714f", "#7a6a00", "#004f86", "#b13c00", "#8d3f74",
)  # fmt: skip

# cividis (Nuñez, Anderton & Renslow 2018) in ten levels.
CIVIDIS = ("#00224e", "#123570", "#3b496c", "#575d6d", "#707173", "#8a8678", "#a59c74", "#c3b369", "#e1cc55", "#fee838")

FAULTLINE = Theme(
    name="faultline",
    primary="#56b4e9",
    secondary="#7fa7c9",
    accent="#f0e442",
    warning="#e69f00",
    error="#ff7a33",
    success="#00b98a",
    foreground="#d5dde6",
    background="#0b1017",
    surface="#121a24",
    panel="#1b2633",
    dark=True,
)
# Red and green never meet: good is blue, bad is orange (deuteranopia, the most common kind).
DEUTERANOPIA = Theme(
    name="deuteranopia",
    primary="#4a9fe0",
    secondary="#7fa7c9",
    accent="#f0e442",
    warning="#f0c75e",
    error="#ff8c1a",
    success="#4a9fe0",
    foreground="#e2e4e8",
    background="#101216",
    surface="#181b21",
    panel="#232830",
    dark=True,
)
# Blue and yellow never meet: good is teal, bad is red-orange, attention is pink.
TRITANOPIA = Theme(
    name="tritanopia",
    primary="#e08fb8",
    secondary="#b58fa6",
    accent="#ffd0e4",
    warning="#ff9ec4",
    error="#ff5a36",
    success="#2ec4b6",
    foreground="#e6e2e4",
    background="#121013",
    surface="#1a171c",
    panel="#272229",
    dark=True,
)
THEMES = (FAULTLINE, DEUTERANOPIA, TRITANOPIA)

_OWN_HUES: dict[str, dict[str, str]] = {
    "deuteranopia": {"good": "#4a9fe0", "bad": "#ff8c1a", "dead": "#ff8c1a", "stale": "#f0c75e", "commit": "#8cc4f0"},
    "tritanopia": {
        "leader": "#ffd0e4", "follower": "#2ec4b6", "candidate": "#ff9ec4", "stale": "#ff5a36", "paused": "#c58fd0", "dead": "#ff5a36",
        "good": "#2ec4b6", "bad": "#ff5a36", "side.a": "#2ec4b6", "side.b": "#ff9ec4", "side.c": "#c9c4c6", "side.d": "#ff5a36",
    },
}  # fmt: skip


class Sheet:
    """The styles of one theme. `base` is the pane's own ground; every style stands on it unless it brings its own."""

    def __init__(self, theme: Theme, variables: Mapping[str, str]) -> None:
        ground = variables.get("background", "#000000")
        self._ground = ground
        self._light = not theme.dark
        self.base = Style.parse(f"{variables.get('foreground', '#ffffff')} on {ground}")
        self._names = self._table(theme, variables)
        self._made: dict[str, Style] = {"": self.base}

    def style(self, name: str) -> Style:
        """The style of a name; `a+b` is both, the latter above."""
        made = self._made.get(name)
        if made is None:
            made = self._made[name] = self._make(name)
        return made

    def known(self, name: str) -> bool:
        """Whether the name means something here."""
        return all(not part or part in self._names or _suspicion(part) is not None for part in name.split("+"))

    def _make(self, name: str) -> Style:
        style = self.base
        for part in name.split("+"):
            levels = _suspicion(part)
            if levels is not None:
                upper, lower = levels
                style += Style.parse(f"{CIVIDIS[upper]} on {CIVIDIS[lower] if lower >= 0 else self._ground}")
            elif part in self._names:
                style += Style.parse(self._names[part])
        return style

    def _table(self, theme: Theme, variables: Mapping[str, str]) -> dict[str, str]:
        fore = Color.parse(variables.get("foreground", "#ffffff"))
        back = Color.parse(self._ground)

        def mixed(share: float) -> str:
            """Between ground (0) and writing (1)."""
            return back.blend(fore, share).hex6

        hues = _hues(self._light)
        plain = {
            "dim": mixed(0.62),
            "faint": mixed(0.42),
            "axis": mixed(0.55),
            "frame": mixed(0.30),
            "frame.lit": variables.get("primary", hues["side.a"]),
            "nodata": mixed(0.32),
            "disabled": mixed(0.34),
            "title": f"bold {mixed(1.0)}",
            "heading": f"bold {mixed(1.0)}",
            "bold": "bold",
            "text": mixed(1.0),
            "cursor": f"bold on {back.blend(Color.parse(variables.get('primary', SKY)), 0.26).hex6}",
            "marked": f"bold {hues['leader']}",
            "key": f"bold {hues['leader']}",
            "warn": variables.get("warning", hues["candidate"]),
            "bad": f"bold {variables.get('error', hues['dead'])}",
            "good": variables.get("success", hues["good"]),
            "accent": variables.get("primary", SKY),
            "prompt": f"bold {mixed(1.0)} on {back.blend(Color.parse(variables.get('primary', SKY)), 0.30).hex6}",
            "caret": "reverse",
            "badge": f"bold {self._ground} on {variables.get('primary', SKY)}",
            "badge.warn": f"bold {self._ground} on {variables.get('warning', ORANGE)}",
            "badge.bad": f"bold {self._ground} on {variables.get('error', VERMILION)}",
        }
        return {**plain, **{name: _voiced(name, hue) for name, hue in (hues | _OWN_HUES.get(theme.name, {})).items()}}


# What must be seen first is bold as well.
_BOLD = frozenset({"leader", "stale", "candidate", "dead", "bad", "commit"})


def _voiced(name: str, hue: str) -> str:
    return f"bold {hue}" if name in _BOLD else hue


def _hues(light: bool) -> dict[str, str]:
    sky, orange, green, yellow, blue, vermilion, purple = (
        (DARK_SKY, DARK_ORANGE, DARK_GREEN, DARK_YELLOW, DARK_BLUE, DARK_VERMILION, DARK_PURPLE)
        if light
        else (SKY, ORANGE, GREEN, YELLOW, BLUE, VERMILION, PURPLE)
    )
    grey = "#5a6068" if light else "#8b95a1"
    return {
        "leader": yellow, "follower": sky, "candidate": orange, "stale": vermilion, "paused": purple, "dead": vermilion,
        "observer": grey, "starting": grey, "good": green, "commit": green,
        "side.a": sky, "side.b": orange, "side.c": green, "side.d": purple,
        "term.0": sky, "term.1": orange, "term.2": green, "term.3": yellow, "term.4": purple, "term.5": vermilion,
    }  # fmt: skip


def _suspicion(name: str) -> tuple[int, int] | None:
    """`phi.7` -> (7, -1); `phi.3/7`: the upper half of a cell and the lower."""
    if not name.startswith("phi."):
        return None
    upper, slash, lower = name[4:].partition("/")
    levels = range(len(CIVIDIS))
    if not upper.isdigit() or int(upper) not in levels:
        return None
    if not slash:
        return int(upper), -1
    return (int(upper), int(lower)) if lower.isdigit() and int(lower) in levels else None
