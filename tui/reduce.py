"""`reduce(ui, action) -> ui`: the only way a `UiState` changes, besides what the store writes about commands.

Law 1: pure; what the cluster is like comes in with the action (the order of the rows, the number of panes).
Law 2: nothing here asks anything of the cluster.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec.structs import replace

from tui.state import HISTORY_MAX, Prompt, UiState

ORDERS = ("side", "id", "commit")
LAYOUTS = ("ring", "grid")
LINE_MAX = 500
SCROLL_MAX = 1_000_000


class Moved(msgspec.Struct, frozen=True):
    """The cursor goes `by` places along `among` (the nodes as they stand on the screen)."""

    by: int
    among: tuple[str, ...]


class Picked(msgspec.Struct, frozen=True):
    """The cursor goes to this node."""

    node: str


class Marked(msgspec.Struct, frozen=True):
    """The cursor's node is marked, or unmarked."""


class ScreenChosen(msgspec.Struct, frozen=True):
    """A digit: another screen; the digit of this screen goes through its `panes`."""

    screen: str
    panes: int


class PaneChosen(msgspec.Struct, frozen=True):
    """`by` panes on among so many; `to`: this very one (1-based), when it is not 0."""

    panes: int
    by: int = 0
    to: int = 0


class Turned(msgspec.Struct, frozen=True):
    """A switch: "zoom" | "armed" | "order" | "layout"."""

    what: str


class Scrolled(msgspec.Struct, frozen=True):
    """So many lines back (negative: on); `end`: to the newest, and follow it."""

    lines: int = 0
    end: bool = False


class RumourChosen(msgspec.Struct, frozen=True):
    """`by` rumours back among `known`."""

    by: int
    known: int


class FaultChosen(msgspec.Struct, frozen=True):
    fault: int


class Chose(msgspec.Struct, frozen=True):
    """On the incident screens: "slug" | "side" | "player" | "switch" | "cold" | "going" | "finding", and what was chosen."""

    what: str
    value: str | int


class Asked(msgspec.Struct, frozen=True):
    """A prompt opens, or shows something new."""

    prompt: Prompt


class Typed(msgspec.Struct, frozen=True):
    """An editing key in an open line: a name of Textual's, and the character if it writes one."""

    key: str
    character: str = ""


class Given(msgspec.Struct, frozen=True):
    """A line was given at the command line."""

    line: str


class Filtered(msgspec.Struct, frozen=True):
    """Only what contains this text is shown; "": everything."""

    text: str


class Closed(msgspec.Struct, frozen=True):
    """The prompt goes away."""


class Backed(msgspec.Struct, frozen=True):
    """Escape: whatever lies on top goes; one thing at a time."""


Action = (
    Moved | Picked | Marked | ScreenChosen | PaneChosen | Turned | Scrolled | RumourChosen | FaultChosen | Chose | Asked | Typed | Given
    | Filtered | Closed | Backed
)  # fmt: skip


def reduce(ui: UiState, action: Action) -> UiState:
    """The state after `action`."""
    return _RULES[type(action)](ui, action)


def _moved(ui: UiState, action: Moved) -> UiState:
    if not action.among:
        return ui
    place = action.among.index(ui.cursor) + action.by if ui.cursor in action.among else 0
    return replace(ui, cursor=action.among[min(max(place, 0), len(action.among) - 1)])


def _marked(ui: UiState, action: Marked) -> UiState:
    if ui.cursor in ui.marked:
        return replace(ui, marked=tuple(node for node in ui.marked if node != ui.cursor))
    return replace(ui, marked=(*ui.marked, ui.cursor))


def _screen_chosen(ui: UiState, action: ScreenChosen) -> UiState:
    if action.screen == ui.screen:
        return _pane_chosen(ui, PaneChosen(action.panes, by=1))
    return replace(ui, screen=action.screen, pane=1, zoom=False, scroll=0, follow=True)


def _pane_chosen(ui: UiState, action: PaneChosen) -> UiState:
    pane = action.to or (ui.pane - 1 + action.by) % max(1, action.panes) + 1
    return replace(ui, pane=pane, scroll=0, follow=True) if pane != ui.pane else ui


def _turned(ui: UiState, action: Turned) -> UiState:
    match action.what:
        case "zoom":
            return replace(ui, zoom=not ui.zoom)
        case "armed":
            return replace(ui, armed=not ui.armed)
        case "order":
            return replace(ui, order=_next(ORDERS, ui.order))
        case "layout":
            return replace(ui, layout=_next(LAYOUTS, ui.layout))
    raise AssertionError(f"no such switch: {action.what}")


def _next(among: tuple[str, ...], now: str) -> str:
    return among[(among.index(now) + 1) % len(among)] if now in among else among[0]


def _scrolled(ui: UiState, action: Scrolled) -> UiState:
    scroll = 0 if action.end else min(max(0, ui.scroll + action.lines), SCROLL_MAX)
    return replace(ui, scroll=scroll, follow=scroll == 0)


def _rumour_chosen(ui: UiState, action: RumourChosen) -> UiState:
    return replace(ui, rumour=min(max(0, ui.rumour + action.by), max(0, action.known - 1)))


def _typed(ui: UiState, action: Typed) -> UiState:
    if ui.prompt is None:
        return ui
    prompt = _edited(ui.prompt, action)
    if prompt.verb == "/":  # a filter works while it is typed
        return replace(ui, prompt=prompt, filter=prompt.value, scroll=0)
    return replace(ui, prompt=prompt)


def _edited(prompt: Prompt, action: Typed) -> Prompt:
    value, at = prompt.value, prompt.caret
    match action.key:
        case "backspace":
            return _with(prompt, value[: max(0, at - 1)] + value[at:], at - 1)
        case "delete":
            return _with(prompt, value[:at] + value[at + 1 :], at)
        case "left" | "right":
            return _with(prompt, value, at + (1 if action.key == "right" else -1))
        case "home" | "ctrl+a":
            return _with(prompt, value, 0)
        case "end" | "ctrl+e":
            return _with(prompt, value, len(value))
        case "ctrl+u":
            return _with(prompt, value[at:], 0)
        case "ctrl+w":
            kept = value[:at].rstrip()
            kept = kept[: kept.rfind(" ") + 1]
            return _with(prompt, kept + value[at:], len(kept))
    text = "".join(sign for sign in action.character if sign.isprintable())
    if not text or len(value) + len(text) > LINE_MAX:
        return prompt
    return _with(prompt, value[:at] + text + value[at:], at + len(text))


def _with(prompt: Prompt, value: str, at: int) -> Prompt:
    return replace(prompt, value=value, at=min(max(0, at), len(value)))


def _given(ui: UiState, action: Given) -> UiState:
    """Remembered once, as the newest."""
    older = tuple(line for line in ui.past if line != action.line)
    return replace(ui, past=(*older, action.line)[-HISTORY_MAX:])


def _backed(ui: UiState, action: Backed) -> UiState:
    if ui.prompt is not None:
        return replace(ui, prompt=None)
    if ui.zoom:
        return replace(ui, zoom=False)
    if ui.filter:
        return replace(ui, filter="")
    if ui.marked:
        return replace(ui, marked=())
    return replace(ui, scroll=0, follow=True)


_RULES: dict[type, Callable[[UiState, Any], UiState]] = {
    Moved: _moved,
    Picked: lambda ui, action: replace(ui, cursor=action.node),
    Marked: _marked,
    ScreenChosen: _screen_chosen,
    PaneChosen: _pane_chosen,
    Turned: _turned,
    Scrolled: _scrolled,
    RumourChosen: _rumour_chosen,
    FaultChosen: lambda ui, action: replace(ui, fault=action.fault),
    Chose: lambda ui, action: replace(ui, **{action.what: action.value}),
    Asked: lambda ui, action: replace(ui, prompt=action.prompt),
    Typed: _typed,
    Given: _given,
    Filtered: lambda ui, action: replace(ui, filter=action.text),
    Closed: lambda ui, action: replace(ui, prompt=None),
    Backed: _backed,
}
