"""What the person at the keyboard has chosen: cursor, marks, screen, filter. Never anything about the cluster.

Law 1: frozen; `reduce(ui, action)` makes the next one.
"""

from __future__ import annotations

import msgspec

from cluster.core.types import NodeId

# One span: text and the *name* of a style ("leader", "side.a", "phi.7", "dim"); one row: spans. Hashable, so a row is its own key.
Span = tuple[str, str]
Row = tuple[Span, ...]


class Prompt(msgspec.Struct, frozen=True):
    """A question at the bottom of the screen (duration, sides of a cut, command line)."""

    verb: str
    label: str
    value: str = ""
    preview: tuple[str, ...] = ()


class UiState(msgspec.Struct, frozen=True):
    screen: str = "live"  # "live" | "raft" | "gossip" | "faults"
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
