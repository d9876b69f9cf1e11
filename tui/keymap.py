"""Every key, declared once: footer, help, palette and command line are derived from this table.

Law 1: an action that asks something of the cluster carries a template of the operators' grammar and nothing else; its help, danger
and undo come from that verb's own declaration.
Law 2: `T` in a template is the target: the marked nodes, or else the cursor's.
Law 3: whoever only looks (an observer, a recording) has no key that asks, and whoever is disarmed none that harms.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from cluster.commands import BY_NAME
from tui.state import UiState

# The harmless: they stay when the keyboard is disarmed.
SAFE = "none"
# What is done to a lab, and to a recording of one.
LAB_GROUPS = ("break", "repair", "steer", "recording")


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a key does.

    `keys`: as Textual names them; the first is the one that is shown. `shown`: how it is written. `label`: for the footer, empty when
    it has no place there. `text`: what is submitted ("" when only the screen changes), or which prompt asks for the rest.
    `who`: "all" | "operator" | "replay" | "act" (whoever sits before an incident's run: it is this dashboard's own).
    `place`: "lab", "list" (of incidents), "run" (of one), "acts" (both of these), "any"; "": the lab for what is done to it, else any.
    """

    name: str
    keys: tuple[str, ...]
    shown: str
    group: str
    label: str = ""
    text: str = ""
    about: str = ""
    who: str = "all"
    place: str = ""

    @property
    def verb(self) -> str:
        return self.text.split(" ", 1)[0]

    @property
    def help(self) -> str:
        return self.about or (BY_NAME[self.verb].help if self.verb in BY_NAME else "")

    @property
    def danger(self) -> str:
        """Of the most dangerous verb that can come of it."""
        if self.name in MENUS:
            return "reversible"
        return BY_NAME[self.verb].danger if self.verb in BY_NAME else SAFE

    @property
    def undo(self) -> str:
        if self.name in MENUS:
            return "the fault ends"
        return BY_NAME[self.verb].undo if self.verb in BY_NAME else ""

    def allowed(self, ui: UiState) -> bool:
        """Whether this keyboard may do it now (law 3)."""
        if self.who == "replay":
            return ui.mode == "REPLAY"
        if self.who == "act":
            return ui.armed or self.danger == SAFE
        if self.who == "operator":
            return not ui.observer and (ui.armed or self.danger == SAFE)
        return True

    def offered(self, ui: UiState) -> bool:
        """Whether the key exists at all for this seat: a disarmed key is shown grey, an observer's is not shown."""
        if not self._here(ui):
            return False
        return self.allowed(ui) or self.who == "act" or (self.who == "operator" and not ui.observer)

    def _here(self, ui: UiState) -> bool:
        place = self.place or ("lab" if self.group in LAB_GROUPS else "any")
        return place in ("any", ui.place) or (place == "acts" and ui.place != "lab")


class Choice(msgspec.Struct, frozen=True):
    """One line of a menu: its key, what it is called, and the command line it fills in."""

    key: str
    label: str
    text: str


MENUS: dict[str, tuple[Choice, ...]] = {
    "degrade": (
        Choice("d", "delay", "slow {T} 80ms ±20ms"),
        Choice("l", "loss", "loss {T} 20%"),
        Choice("u", "duplicate", "dup {T} 10%"),
        Choice("o", "reorder", "reorder {T} 20%"),
        Choice("t", "throttle", "throttle {T} 64kB/s"),
    ),
    "clock": (
        Choice("s", "skew", "skew {T} +500ms"),
        Choice("d", "drift", "drift {T} 1.05"),
    ),
    "disk": (
        Choice("s", "slow", "disk {T} slow 200ms"),
        Choice("h", "hang", "disk {T} hang"),
        Choice("f", "fail", "disk {T} fail"),
    ),
}

PAUSE_S_DEFAULT = 3

ACTIONS: tuple[Action, ...] = (
    # ---- break
    Action(name="cut", keys=("p",), shown="p", group="break", label="Cut", text="cut {sides}", who="operator"),
    Action(name="isolate", keys=("i",), shown="i", group="break", label="Isolate", text="isolate {T}", who="operator"),
    Action(name="pause", keys=("g",), shown="g", group="break", label="GC", text="pause {T} {seconds}s", who="operator"),
    Action(name="crash", keys=("x",), shown="x", group="break", label="Crash", text="crash {T}", who="operator"),
    Action(
        name="degrade", keys=("d",), shown="d", group="break", label="Degrade", who="operator",
        about="Spoil the links of the target: delay, loss, duplicates, reordering, throttle.",
    ),
    Action(
        name="clock", keys=("c",), shown="c", group="break", label="Clock", who="operator",
        about="Set the target's clock wrong, or let it run too fast or too slow.",
    ),
    Action(
        name="disk", keys=("k",), shown="k", group="break", label="disK", who="operator",
        about="Make the target's disk slow, hang or fail.",
    ),
    # ---- repair
    Action(name="restart", keys=("r",), shown="r", group="repair", label="Restart", text="restart {T}", who="operator"),
    Action(
        name="heal", keys=("h",), shown="h", group="repair", label="Heal", text="heal {T}", who="operator",
        about="End every fault that touches the target (on the Faults screen: the chosen fault).",
    ),
    Action(name="heal-all", keys=("H", "shift+h"), shown="H", group="repair", label="Heal all", text="heal", who="operator",
           about="End every fault."),
    Action(name="undo", keys=("u",), shown="u", group="repair", label="Undo", text="undo", who="operator"),
    Action(name="repeat", keys=("full_stop",), shown=".", group="repair", about="Give the last command once more.", who="operator"),
    Action(name="reset", keys=("R", "shift+r"), shown="R", group="repair", text="reset", who="operator"),
    # ---- steer
    Action(name="transfer", keys=("t",), shown="t", group="steer", label="Transfer", text="transfer {T}", who="operator"),
    Action(name="workload", keys=("w",), shown="w", group="steer", text="workload {workload}", who="operator"),
    Action(name="rumour", keys=("n",), shown="n", group="steer", label="Rumour", text="rumour", who="operator"),
    Action(
        name="freeze", keys=("f",), shown="f", group="steer", label="Freeze", text="freeze", who="operator",
        about="Stop the whole world to look around; again: let it go on.",
    ),
    Action(name="arm", place="any", keys=("exclamation_mark",), shown="!", group="steer", who="operator",
           about="Disarm or arm: disarmed, no key can harm."),
    # ---- target
    Action(name="up", keys=("up", "J", "shift+j"), shown="↑ J", group="target", about="The cursor one node up."),
    Action(name="down", keys=("down", "j"), shown="↓ j", group="target", about="The cursor one node down."),
    Action(name="mark", place="lab", keys=("space",), shown="space", group="target", label="Mark",
           about="Mark or unmark the cursor's node."),
    Action(name="filter", place="lab", keys=("slash",), shown="/", group="target", label="Filter",
           about="Show only the lines that contain a text."),
    # ---- look
    Action(name="inspect", place="lab", keys=("enter",), shown="enter", group="look", label="Inspect",
           about="All that is known of the cursor's node."),
    Action(name="next-pane", keys=("tab",), shown="tab", group="look", label="Pane", about="The next pane (shift+tab: the one before)."),
    Action(name="last-pane", keys=("shift+tab",), shown="⇧tab", group="look", about="The pane before."),
    Action(name="zoom", keys=("z",), shown="z", group="look", label="Zoom", about="The chosen pane alone, and back."),
    Action(name="order", place="lab", keys=("o",), shown="o", group="look", about="Order nodes by side, by number or by commit index."),
    Action(name="layout", place="lab", keys=("L", "shift+l"), shown="L", group="look", about="Draw the topology as a ring or as a grid."),
    Action(name="scroll-up", keys=("pageup",), shown="pgup", group="look", about="Scroll events, logs or journal back."),
    Action(name="scroll-down", keys=("pagedown",), shown="pgdn", group="look", about="Scroll events, logs or journal on."),
    Action(name="newest", keys=("end",), shown="end", group="look", about="Back to the newest line, and follow it."),
    Action(name="older-rumour", place="lab", keys=("left_square_bracket", "left_curly_bracket"), shown="[", group="look",
           about="An older rumour ({ in a recording)."),
    Action(name="newer-rumour", place="lab", keys=("right_square_bracket", "right_curly_bracket"), shown="]", group="look",
           about="A newer rumour (} in a recording)."),
    # ---- screens
    Action(name="live", keys=("1",), shown="1", group="screens", about="Live: nodes, suspicion, topology, events, metrics."),
    Action(name="raft", keys=("2",), shown="2", group="screens", about="Raft: logs, leaders, progress, and why not."),
    Action(name="gossip", keys=("3",), shown="3", group="screens", about="Gossip: a rumour's spread, and who believes what."),
    Action(name="incidents", keys=("5",), shown="5", group="screens",
           about="Incidents: the list and its cards; from a run back to the list."),
    Action(name="faults", keys=("6",), shown="6", group="screens", about="Faults in force, faults past, and the journal."),
    # ---- incidents
    Action(name="open", place="list", keys=("enter",), shown="enter", group="incidents", label="Look",
           about="The runs of this incident: the last ones, or those to come."),
    Action(name="run-broken", place="acts", keys=("b",), shown="b", group="incidents", label="Broken", who="act",
           about="Run the incident broken, for real."),
    Action(name="run-canonical", place="acts", keys=("c",), shown="c", group="incidents", label="Canonical", who="act",
           about="Run it canonical, under the same faults."),
    Action(name="run-both", place="acts", keys=("v",), shown="v", group="incidents", label="Both", who="act",
           about="Run both under one seed: at once, or one after the other where timers are tight."),
    Action(name="run-by-hand", place="acts", keys=("m",), shown="m", group="incidents", label="By hand", who="act",
           about="Run it broken and without its faults: they are yours to make, while the window is open."),
    Action(name="end-run", place="run", keys=("s",), shown="s", group="incidents", label="Stop", who="act",
           about="End what runs, without a verdict."),
    Action(name="side-broken", place="run", keys=("left",), shown="←→", group="incidents", label="Side",
           about="Which of the two runs keys and panes are about: the broken one, or (→) the canonical one."),
    Action(name="side-canonical", place="run", keys=("right",), shown="→", group="incidents", about="The canonical run."),
    Action(name="flip", place="run", keys=("t",), shown="t", group="incidents", label="Toggle", who="act",
           about="Turn the chosen toggle: at once in a run that goes on if it is hot, else for the next one."),
    Action(name="records", place="run", keys=("enter",), shown="enter", group="incidents", label="Records",
           about="The raw records behind the chosen violation."),
    Action(name="act-pause", place="run", keys=("g",), shown="g", group="incidents", label="GC", text="pause {T} {seconds}s", who="act"),
    Action(name="act-crash", place="run", keys=("x",), shown="x", group="incidents", label="Crash", text="crash {T}", who="act"),
    Action(name="act-restart", place="run", keys=("r",), shown="r", group="incidents", label="Restart", text="restart {T}", who="act"),
    Action(name="act-heal", place="run", keys=("h",), shown="h", group="incidents", label="Go on", text="heal {T}", who="act",
           about="Let the chosen process of the run go on."),
    Action(name="act-command", place="run", keys=("colon",), shown=":", group="incidents", label="Cmd", who="act",
           about="The command line of the run: pause, crash, restart, cut, isolate, slow, loss, drop-response, hold-response, arm, heal, "
           "set; names are its processes."),
    # ---- tool
    Action(name="command", place="lab", keys=("colon",), shown=":", group="tool", label="Cmd", who="operator",
           about="The command line: tab completes, ↑ recalls."),
    Action(name="palette", keys=("ctrl+p",), shown="ctrl+p", group="tool", about="Every action by name; themes."),
    Action(name="help", keys=("question_mark",), shown="?", group="tool", label="Help", about="All keys, and how to read the screen."),
    Action(name="back", keys=("escape",), shown="esc", group="tool", about="Back out: close, unmark, un-zoom, drop the filter."),
    Action(name="quit", keys=("q",), shown="q", group="tool", label="Quit", about="Leave; the lab ends unless it is kept."),
    # ---- recording
    Action(name="play", keys=("space",), shown="space", group="recording", label="Run/pause", about="Run or pause the recording.",
           who="replay"),
    Action(name="line-back", keys=("left",), shown="← →", group="recording", label="Line", who="replay",
           about="To the event that told the line before (←) or the next one (→)."),
    Action(name="line-on", keys=("right",), shown="→", group="recording", about="To the event that tells the next line.", who="replay"),
    Action(name="step-back", keys=("comma",), shown=",", group="recording", about="One event back, whatever it is.", who="replay"),
    Action(name="step-on", keys=("full_stop",), shown=".", group="recording", about="One event on, whatever it is.", who="replay"),
    Action(name="second-back", keys=("shift+left",), shown="⇧← →", group="recording", label="Second", about="One second back or on.",
           who="replay"),
    Action(name="second-on", keys=("shift+right",), shown="⇧→", group="recording", about="One second on.", who="replay"),
    Action(name="begin", keys=("home",), shown="home", group="recording", about="To the beginning.", who="replay"),
    Action(name="finish", keys=("end",), shown="end", group="recording", about="To the end.", who="replay"),
    Action(name="slower", keys=("left_square_bracket",), shown="[", group="recording", label="Slower", about="Slower.", who="replay"),
    Action(name="faster", keys=("right_square_bracket",), shown="]", group="recording", label="Faster", about="Faster.", who="replay"),
)  # fmt: skip

BY_ACTION: dict[str, Action] = {action.name: action for action in ACTIONS}
assert len(BY_ACTION) == len(ACTIONS), "an action is declared once"


def for_key(key: str, ui: UiState) -> Action | None:
    """What a key does for this seat: in a recording, the recording's meaning comes first."""
    found = [action for action in ACTIONS if key in action.keys and action.offered(ui)]
    return found[-1] if found else None


def choice_for(menu: str, key: str) -> Choice | None:
    return next((choice for choice in MENUS[menu] if choice.key == key), None)


def entries(ui: UiState) -> list[tuple[str, str, str, str, str, str]]:
    """(key, text, help, danger, undo, group) of every action this seat has: what the help screen draws."""
    return [(a.shown, _as_read(a), a.help, a.danger, a.undo, a.group) for a in offered(ui)]


# What stands for the places of a template where people read it.
_PLACES = {"T": "T", "sides": "A | B", "seconds": str(PAUSE_S_DEFAULT), "workload": "on|off"}


def _as_read(action: Action) -> str:
    """The command an action gives, or its name when it gives none."""
    return action.text.format_map(_PLACES) if action.text else action.name.replace("-", " ")


def offered(ui: UiState) -> Iterator[Action]:
    """Every action that some key leads to for this seat."""
    return (action for action in ACTIONS if action.offered(ui) and any(for_key(key, ui) is action for key in action.keys))
