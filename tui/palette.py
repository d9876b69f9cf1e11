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
SKY, ORANGE, GREEN, YELLOW, VERMILION, PURPLE = "#56b4e9", "#e69f00", "#00b98a", "#f0e442", "#ff7a33", "#d58fc0"
ON_LIGHT = ("#0a6ea8", "#9a5b00", "#00714f", "#7a6a00", "#b13c00", "#8d3f74")

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

    def __init__(self, theme: Theme) -> None:
        colours = _colours(theme)
        self._ground = colours["background"]
        self._light = not theme.dark
        self.base = Style.parse(f"{colours['foreground']} on {self._ground}")
        self._names = self._table(theme, colours)
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

    def _table(self, theme: Theme, colours: Mapping[str, str]) -> dict[str, str]:
        fore, back, primary = (Color.parse(colours[name]) for name in ("foreground", "background", "primary"))

        def mixed(share: float) -> str:
            """Between ground (0) and writing (1)."""
            return _readable(back.blend(fore, share), back, fore, CONTRAST_LEAST if share > 0.6 else 1.0).hex6

        def said(name: str) -> str:
            return _readable(Color.parse(colours[name]), back, fore).hex6

        hues = _hues(self._light)
        plain = {
            "dim": mixed(0.62),
            "faint": mixed(0.42),
            "axis": mixed(0.55),
            "frame": mixed(0.30),
            "frame.lit": said("primary"),
            "nodata": mixed(0.32),
            "disabled": mixed(0.34),
            "title": f"bold {mixed(1.0)}",
            "heading": f"bold {mixed(1.0)}",
            "bold": "bold",
            "text": mixed(1.0),
            "cursor": f"bold on {back.blend(primary, 0.26).hex6}",
            "marked": f"bold {hues['leader']}",
            "key": f"bold {hues['leader']}",
            "warn": said("warning"),
            "bad": f"bold {said('error')}",
            "good": said("success"),
            "accent": said("primary"),
            "prompt": f"bold {mixed(1.0)} on {back.blend(primary, 0.30).hex6}",
            "caret": "reverse",
            "badge": f"bold {self._ground} on {colours['primary']}",
            "badge.warn": f"bold {self._ground} on {colours['warning']}",
            "badge.bad": f"bold {self._ground} on {colours['error']}",
        }
        own = hues | _OWN_HUES.get(theme.name, {})
        return {**plain, **{name: _voiced(name, _readable(Color.parse(hue), back, fore).hex6) for name, hue in own.items()}}


# A theme of the terminal's own colours names no values: these stand in for what the terminal has.
_TERMINAL = {
    True: {"foreground": "#e5e5e5", "background": "#000000", "primary": SKY, "warning": ORANGE, "error": VERMILION, "success": GREEN},
    False: dict(zip(
        ("foreground", "background", "primary", "warning", "error", "success"),
        ("#101010", "#ffffff", ON_LIGHT[0], ON_LIGHT[1], ON_LIGHT[4], ON_LIGHT[2]), strict=True,
    )),
}  # fmt: skip


def _colours(theme: Theme) -> dict[str, str]:
    """The theme's own colours as `#rrggbb`, with everything it leaves out worked out by Textual."""
    made = theme.to_color_system().generate()
    found: dict[str, str] = {}
    for name, otherwise in _TERMINAL[theme.dark].items():
        colour = made.get(name, otherwise)
        found[name] = Color.parse(colour).hex6 if colour.startswith("#") else otherwise
    return found


# WCAG 2.1 wants 3 for large writing; signs are as large as the terminal's font.
CONTRAST_LEAST = 3.0


def _readable(colour: Color, back: Color, fore: Color, least: float = CONTRAST_LEAST) -> Color:
    """The colour, moved towards black or white as little as it takes to stand out from the ground."""
    end = Color.parse("#000000") if _luminance(back) > _luminance(fore) else Color.parse("#ffffff")
    steps = (colour.blend(end, step / 20) for step in range(21))
    return next((mixed for mixed in steps if contrast(mixed, back) >= least), end)


def contrast(one: Color, other: Color) -> float:
    """The ratio of brightness, 1…21 (WCAG 2.1)."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: Color) -> float:
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in colour.normalized)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


# What must be seen first is bold as well.
_BOLD = frozenset({"leader", "stale", "candidate", "dead", "bad", "commit"})


def _voiced(name: str, hue: str) -> str:
    return f"bold {hue}" if name in _BOLD else hue


def _hues(light: bool) -> dict[str, str]:
    sky, orange, green, yellow, vermilion, purple = (
        ON_LIGHT if light else (SKY, ORANGE, GREEN, YELLOW, VERMILION, PURPLE)
    )
    grey = "#5a6068" if light else "#8b95a1"
    return {
        "leader": yellow, "follower": sky, "candidate": orange, "stale": vermilion, "paused": purple, "dead": vermilion,
        "learner": sky, "observer": grey, "starting": grey, "cut": vermilion, "good": green, "commit": green,
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
