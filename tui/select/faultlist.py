"""The faults in force, each with its targets, its age, the time it has left and how it ends; then those of the past.

Law 1: every fault is a lease: a row, a number, an end. Nothing in force is left out without saying how many are hidden.
Law 2: `ui.fault` is the number of the chosen fault; 0, or one that is over, means the newest (`chosen` resolves it for the keys).
"""

from __future__ import annotations

from cluster.telemetry.events import FaultBegan
from cluster.telemetry.view import ClusterView, PastFault
from tui.select.spans import bar, clock, count, duration, fit, window_around, wrapped
from tui.state import Row, Span, UiState

# kind -> (shape, ASCII shape, style)
KINDS = {
    "cut": ("╳", "/", "warn"),
    "isolate": ("╳", "/", "warn"),
    "pause": ("‖", "=", "paused"),
    "crash": ("✖", "x", "dead"),
    "slow": ("»", ">", "warn"),
    "loss": ("∴", ":", "warn"),
    "dup": ("∷", ":", "warn"),
    "reorder": ("↕", "%", "warn"),
    "throttle": ("▾", "v", "warn"),
    "skew": ("◷", "c", "warn"),
    "drift": ("◷", "c", "warn"),
    "disk": ("▤", "d", "warn"),
}
BAR_CELLS = 12
DETAIL_ROWS_MAX = 3
PAST_TAIL_CELLS = 36  # ends of one width begin in one column
INVITATION: Row = (
    ("Nothing is broken now. ", "good"),
    *(("p", "key"), (" cuts, ", "dim"), ("g", "key"), (" pauses, ", "dim"), ("x", "key"), (" crashes.", "dim")),
)


def chosen(view: ClusterView, ui: UiState) -> int:
    """The number of the fault that the keys act upon; 0 when none is in force."""
    if ui.fault in view.faults:
        return ui.fault
    return max(view.faults, default=0)


def neighbour(view: ClusterView, ui: UiState, step: int) -> int:
    """The number of the fault `step` rows further down (newest first); 0 when none is in force."""
    numbers = sorted(view.faults, reverse=True)
    if not numbers:
        return 0
    place = numbers.index(chosen(view, ui)) + step
    return numbers[min(len(numbers) - 1, max(0, place))]


def rows(view: ClusterView, ui: UiState, width: int, height: int) -> list[Row]:
    """In force, newest first, the chosen one with its details; then the past, newest first, as far as there is room."""
    drawn: list[Row] = [_heading(view)]
    if not view.faults:
        drawn.append(INVITATION)
    picked = chosen(view, ui)
    details = _details(view, picked, width) if picked and height >= 8 else []
    numbers = sorted(view.faults, reverse=True)
    past_least = min(3, len(view.past_faults)) if height >= 10 else 0
    room = max(1, height - len(drawn) - len(details) - past_least)
    shown = window_around(len(numbers), numbers.index(picked) if picked else 0, room)
    for place in shown:
        drawn.append(_row(view, ui, view.faults[numbers[place]].fault, numbers[place] == picked, width))
        if numbers[place] == picked:
            drawn += details
    if len(shown) < len(numbers):
        drawn[0] = (*drawn[0], (f" · {len(numbers) - len(shown)} not shown", "warn"))
    drawn += _past(view, ui, height - len(drawn), width)
    return fit(drawn, width, height, ascii=ui.ascii)


def _heading(view: ClusterView) -> Row:
    if not view.faults:
        return (("No fault is in force.", "title"),)
    frozen = " · the world is frozen: no deadline comes nearer" if view.frozen else ""
    return ((f"{count(len(view.faults), 'fault')} in force", "title"), (frozen, "warn"))


def _row(view: ClusterView, ui: UiState, fault: FaultBegan, picked: bool, width: int) -> Row:
    shape, plain, style = KINDS.get(fault.kind, ("!", "!", "warn"))
    right: list[Span] = []
    left = max(0, fault.until_us - view.now_us)
    if fault.until_us and width >= 100:
        whole = max(1, fault.until_us - fault.at_us)
        right.append((bar(left / whole, BAR_CELLS, ascii=ui.ascii) + " ", style))
    elif width >= 100:
        right.append((" " * (BAR_CELLS + 1), ""))
    right.append(((f"{duration(left)} left" if fault.until_us else "until healed").ljust(13), "" if fault.until_us else "warn"))
    right.append((f"{duration(view.now_us - fault.at_us)} old".ljust(12), "dim"))
    right.append((fault.by[:10], "dim"))
    spans: list[Span] = [("▸" if picked else " ", "cursor"), (f"#{fault.id:<4}", "key"), ((plain if ui.ascii else shape) + " ", style)]
    room = max(8, width - 8 - sum(len(text) for text, _ in right))
    text = fault.text if len(fault.text) < room else fault.text[: room - 2] + "…"
    spans.append((text.ljust(room), "title" if picked else ""))
    return (*spans, *right)


def _details(view: ClusterView, number: int, width: int) -> list[Row]:
    """What the chosen fault is, whom it touches, who asked for it and how it ends."""
    fault = view.faults[number].fault
    asked = f", asked as “{fault.asked}”" if fault.asked != fault.text else ""
    whom = f"touches {' '.join(fault.targets)}" if fault.targets else "touches no single node"
    text = f"{whom}{asked}. {_ending(view, fault)}"
    return wrapped(text, width, "dim", lead="        ", lines_max=DETAIL_ROWS_MAX)


def _ending(view: ClusterView, fault: FaultBegan) -> str:
    memory = " What was in memory stays lost." if fault.kind == "crash" else ""
    if view.frozen and fault.until_us:
        return f"It ends {duration(fault.until_us - view.now_us)} after the world goes on, or by h.{memory}"
    if fault.until_us:
        return f"It ends by itself in {duration(fault.until_us - view.now_us)}; h ends it now.{memory}"
    return f"It stays until it is healed (h), undone (u) or the lab ends.{memory}"


def _past(view: ClusterView, ui: UiState, room: int, width: int) -> list[Row]:
    if not view.past_faults or room < 2:
        return []
    newest = list(reversed(view.past_faults))
    hidden = len(newest) - (room - 1)
    note = f" · {hidden} older not shown" if hidden > 0 else ""
    heading: Row = ((f"{count(len(newest), 'fault')} of the past{note}", "axis"),)
    return [heading, *(_past_row(view, ui, past, width) for past in newest[: room - 1])]


def _past_row(view: ClusterView, ui: UiState, past: PastFault, width: int) -> Row:
    fault = past.fault
    shape, plain, _ = KINDS.get(fault.kind, ("!", "!", "warn"))
    zero = view.lab.at_us if view.lab is not None else 0
    tail = f"{past.why} at {clock(past.ended_us, zero)} after {duration(past.ended_us - fault.at_us)}"
    residue = f", {past.residue}" if past.residue else ""
    # How it ended is read first; the text of the fault gives way, as its number leads to the whole of it.
    room = max(8, width - 8 - max(PAST_TAIL_CELLS, len(tail + residue)))
    text = fault.text if len(fault.text) < room else fault.text[: room - 2] + "…"
    sign = plain if ui.ascii else shape
    return ((f" #{fault.id:<4}{sign} {text.ljust(room)}{tail}", "dim"), (residue, "warn"))
