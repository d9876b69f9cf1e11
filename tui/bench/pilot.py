"""A real dashboard over a real lab in a terminal, and somebody who presses keys and watches for what comes of them.

Law 1: an effect is what stands on the screen: nothing else is asked, of nobody.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import msgspec

from cluster.core.errors import EnvironmentFailed
from tui.bench.screen import Screen
from tui.bench.terminal import Sight, Terminal

START_WITHIN_S = 30.0
EFFECT_WITHIN_S = 3.0
# Between the keys of one line: a fast typist.
TYPE_S = 0.06

_BRACKETS = re.compile(r"\[([^\] ]*)\]")
_CURSOR = re.compile(r"▸.\s+(n\d+)\b")


class Start(msgspec.Struct, frozen=True):
    """Milliseconds from the moment before the command was started until something stood on the screen."""

    painted_ms: float
    leader_ms: float
    ready_ms: float


class Pilot:
    """`nodes` nodes, `voters` of them voting, on a screen of `columns` × `lines`."""

    def __init__(self, nodes: int, voters: int, columns: int, lines: int) -> None:
        self._nodes = nodes
        command = [sys.executable, "-P", "-m", "tui", "live", "--nodes", str(nodes), "--voters", str(voters)]
        self.terminal = Terminal(command, _environment(), columns, lines)

    def start(self) -> Start:
        """Wait until it is there. Raises `EnvironmentFailed` with its last words when it does not come."""
        return Start(
            painted_ms=self._came("the first picture", lambda screen: "faultline" in screen.row(0)),
            leader_ms=self._came("a leader", lambda screen: "★" in pulse(screen)),
            ready_ms=self._came("all nodes", self._ready),
        )

    def _came(self, what: str, sight: Sight) -> float:
        at_s = self.terminal.until(sight, START_WITHIN_S)
        if at_s is None:
            said = " ".join(" ".join(self.terminal.look().rows).split())
            self.terminal.close()
            raise EnvironmentFailed(f"the dashboard did not show {what} within {START_WITHIN_S:.0f} s: {said[:300]}")
        return 1_000 * (at_s - self.terminal.began_s)

    def _ready(self, screen: Screen) -> bool:
        """Every node runs, and one of them leads."""
        strip = pulse(screen)
        return len(strip) == self._nodes and "★" in strip and not set(strip) & set("◌✖‖")

    def press(self, keys: str, sight: Sight) -> float | None:
        """Milliseconds from the last of `keys` to what should come of it; None when it did not come in time.

        Raises `EnvironmentFailed` when it is there before and does not go: what an earlier key left behind.
        """
        for key in keys[:-1]:
            self.terminal.type(key)
            self.terminal.rest(TYPE_S)
        if self.terminal.until(lambda screen: not sight(screen), START_WITHIN_S) is None:
            raise EnvironmentFailed(f"what {keys!r} should bring about stands on the screen already, and stays")
        pressed_s = self.terminal.type(keys[-1])
        at_s = self.terminal.until(sight, EFFECT_WITHIN_S)
        return None if at_s is None else 1_000 * (at_s - pressed_s)

    def leave(self) -> None:
        """Quit as a person does."""
        self.terminal.type("q")
        self.terminal.close()


def pulse(screen: Screen) -> str:
    """The shapes of all nodes: what stands in the brackets of row 2."""
    return "".join(_BRACKETS.findall(screen.row(1)))


def cursor(screen: Screen) -> str:
    """The node under the cursor of the node table; "" when it cannot be seen."""
    found = next(filter(None, (_CURSOR.search(row) for row in screen.rows)), None)
    return found.group(1) if found else ""


def _environment() -> dict[str, str]:
    """This one, with a terminal that can do everything; the product is found where this module was."""
    root = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH", ""))))
    kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS", "LINES")}
    return {**kept, "PYTHONPATH": path, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LC_ALL": "C.UTF-8"}
