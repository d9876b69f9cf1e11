"""What the person at the keyboard has chosen: cursor, marks, screen, filter. Never anything about the cluster.

Law 1: frozen; `reduce(ui, action)` makes the next one.
"""

from __future__ import annotations

import msgspec

from cluster.core.types import NodeId

# The screens, in the order of their digits: what each digit opens.
SCREENS = {"1": "live", "2": "raft", "3": "gossip", "5": "incidents", "6": "faults"}
# Where the keyboard is, by screen: with the lab, or with the incidents.
PLACES = {"incidents": "list", "run": "run"}

# One span: text and the *name* of a style ("leader", "side.a", "phi.7", "dim"); one row: spans. Hashable, so a row is its own key.
Span = tuple[str, str]
Row = tuple[Span, ...]


# Lines that the command line remembers: an afternoon's worth.
HISTORY_MAX = 200


class Prompt(msgspec.Struct, frozen=True):
    """A question at the bottom of the screen (duration, sides of a cut, command line).

    `verb`: ":" and "/" are lines to be edited; "cut" and "pause" are answered by one key; the others name a menu of the keymap.
    `preview`: what would happen, or what could stand next. `at`: the caret's place in `value`; -1: behind its end.
    """

    verb: str
    label: str
    value: str = ""
    preview: tuple[str, ...] = ()
    at: int = -1

    @property
    def caret(self) -> int:
        return len(self.value) if self.at < 0 else min(self.at, len(self.value))


class UiState(msgspec.Struct, frozen=True):
    screen: str = "live"  # "live" | "raft" | "gossip" | "faults" | "incidents" | "run"
    pane: int = 1  # the one pane shown at 80x24
    cursor: NodeId = "n1"
    marked: tuple[NodeId, ...] = ()
    order: str = "side"  # "side" | "id" | "commit"
    layout: str = "ring"  # topology: "ring" | "grid"
    filter: str = ""
    follow: bool = True  # the event pane follows the newest line
    scroll: int = 0
    rumour: int = 0  # which rumour of the view, newest first
    armed: bool = True
    observer: bool = False
    ascii: bool = False
    colour: bool = True
    zoom: bool = False
    prompt: Prompt | None = None
    mode: str = "LIVE"  # "LIVE" | "REPLAY" | "OBSERVE"
    speed: float = 1.0
    paused: bool = False
    recording: bool = False
    undo: str = ""  # what `u` would undo, in words
    last: str = ""  # the last command and its answer
    toast: str = ""
    fault: int = 0  # which fault of the list is chosen, by its number; 0: the newest
    slug: str = ""  # which incident of the list is chosen
    side: str = "broken"  # which of its two runs
    player: str = ""  # which process of that run
    switch: str = ""  # which of its toggles
    cold: bool = False  # no toggle can be turned now: there is none, or a run goes on and none of them is hot
    going: bool = False  # a run goes on, or is to follow
    finding: int = 0  # which of the violations found in it
    lab: bool = True  # there is a lab behind the other screens
    past: tuple[str, ...] = ()  # lines once given at the command line, oldest first, at most HISTORY_MAX

    @property
    def place(self) -> str:
        """ "lab" | "list" | "run": what the keys are about."""
        return PLACES.get(self.screen, "lab")
