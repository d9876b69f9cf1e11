"""The course of the runs: faults and the window above, one lane for each process below, both sides on one scale of time.

Law 1: a lane shows what the parent's word says of the process: it runs, it stands still, it is gone; marks are records that it wrote.
Law 2: broken and canonical have the same scale, so that what is above one another happened after the same time.
"""

from __future__ import annotations

import re

from scenarios.scene import BEAT_NS, FaultSeen, Player, Scene, where_it_fell, window_of
from tui.playbill import SIDES, Playbill
from tui.select.acts import NAMES, elapsed_us, letter_of, sign_of
from tui.select.spans import duration, fit, pad, width_of
from tui.state import Row, Span, UiState

LABEL_CELLS, NAME_CELLS = 21, 10
PID_CELLS = LABEL_CELLS - NAME_CELLS - 5
BOTH_FROM = 104  # cells; below that only the chosen side
HORIZON_NS = 4_000_000_000  # a lane is at least so long
FAULT_LANES_MAX = 3
STEPS_S = (0.5, 1, 2, 5, 10, 20, 60, 120)
TICK_CELLS = 8
YOURS = " (you)"
HAND_CELLS = LABEL_CELLS - 1 - len(YOURS)
LAST_WORDS_LEAST = 3  # rows
SHORT = {"drop_response": "drop", "hold_response": "hold"}


def rows(bill: Playbill, ui: UiState, width: int, height: int) -> list[Row]:
    """Side by side where there is room, else the chosen side."""
    sides = [side for side in SIDES if side in bill.scenes and bill.scenes[side].opened is not None]
    if not sides:
        return fit([[(" nothing has run yet", "dim")]], width, height)
    horizon_ns = max(HORIZON_NS, *(_length_ns(bill.scenes[side]) for side in sides))
    if len(sides) == 1 or width < BOTH_FROM:
        side = ui.side if ui.side in sides else sides[0]
        return fit(_side(bill.scenes[side], side, ui, width, height, horizon_ns), width, height, ascii=ui.ascii)
    half = (width - 1) // 2
    left, right = (_side(bill.scenes[side], side, ui, half, height, horizon_ns) for side in SIDES)
    lines: list[list[Span]] = []
    for i in range(min(height, max(len(left), len(right)))):
        spans = list(fit([left[i]], half, 1)[0]) if i < len(left) else []
        pad(spans, half)
        lines.append([*spans, ("│", "frame"), *(right[i] if i < len(right) else [])])
    return fit(lines, width, height, ascii=ui.ascii)


def _length_ns(scene: Scene) -> int:
    return elapsed_us(scene) * 1_000 * (105 if scene.over else 120) // 100


class _Scale:
    """Cells of a lane and the time they stand for."""

    def __init__(self, scene: Scene, cells: int, horizon_ns: int) -> None:
        self.zero_ns = scene.went_ns or min((span.from_ns for player in scene.players.values() for span in player.spans), default=0)
        self.cells = max(1, cells)
        self.cell_ns = max(1, horizon_ns // self.cells)
        self.now_ns = max(scene.ended_ns or scene.now_ns, self.zero_ns)

    def place(self, at_ns: int) -> int:
        return min(max(0, (at_ns - self.zero_ns) // self.cell_ns), self.cells - 1)


def _side(scene: Scene, side: str, ui: UiState, width: int, height: int, horizon_ns: int) -> list[list[Span]]:
    scale = _Scale(scene, width - LABEL_CELLS - 1, horizon_ns)
    lines = [_axis(side, scale, horizon_ns), *_fault_lanes(scene, scale), *_window_lane(scene, scale)]
    room = height - len(lines)
    players = _in_order(scene)
    shown = players[:room] if len(players) <= room else players[: max(0, room - 1)]
    lines += [_lane(scene, player, scale, ui, chosen=side == ui.side and player.name == ui.player) for player in shown]
    if len(shown) < len(players):
        lines.append([(f" … {len(players) - len(shown)} more processes: z shows them", "dim")])
    elif side == ui.side and ui.player in scene.players:
        lines += _last_words(scene, ui.player, scale, height - len(lines))
    return lines


def _last_words(scene: Scene, name: str, scale: _Scale, room: int) -> list[list[Span]]:
    """What the chosen process traced last, where the lanes leave room: a gap in its own words is the tell-tale of a pause."""
    said = [mark for mark in scene.marks if mark.process == name]
    if room < LAST_WORDS_LEAST or not said:
        return []
    lines: list[list[Span]] = [[(f" {name} says", "axis")]]
    for mark in said[-(room - 1) :]:
        at_ms = (mark.at_ns - scale.zero_ns) // 1_000_000
        lines.append([(f" {at_ms / 1_000:8.3f} s  ", "axis"), (f"{mark.event:<22} ", ""), (mark.text, "dim")])
    return lines


def _in_order(scene: Scene) -> list[Player]:
    """Whom a fault or the window concerns first, then clients, then the rest."""
    opened = scene.opened
    assert opened is not None
    # A cut through everybody tells nobody from the others.
    targets = [*(fault.target for fault in scene.faults), *(planned.target for planned in opened.plan)]
    touched = frozenset(re.findall(r"[a-z0-9]+", " ".join(target for target in targets if "|" not in target)))
    clients = {member.name for member in opened.cast if member.client}
    return sorted(scene.players.values(), key=lambda player: (player.name not in touched, player.name not in clients, player.name))


def players_in_order(scene: Scene) -> tuple[str, ...]:
    """As the lanes stand."""
    return tuple(player.name for player in _in_order(scene)) if scene.opened is not None else ()


def _label(text: str, style: str) -> list[Span]:
    return [(f" {text}"[:LABEL_CELLS].ljust(LABEL_CELLS), style)]


def _axis(side: str, scale: _Scale, horizon_ns: int) -> list[Span]:
    spans = _label(NAMES[side], "heading")
    step_s = next((step for step in STEPS_S if step * 1e9 / scale.cell_ns >= TICK_CELLS), STEPS_S[-1])
    ticks = int(horizon_ns / (step_s * 1e9))
    for tick in range(ticks + 1):
        at = LABEL_CELLS + round(tick * step_s * 1e9 / scale.cell_ns)
        text = f"{tick * step_s:g} s" if tick else "0"
        if at + len(text) <= LABEL_CELLS + scale.cells and at >= width_of(spans):
            if at > width_of(spans):
                pad(spans, at)
            spans.append((text, "axis"))
    return spans


def _fault_lanes(scene: Scene, scale: _Scale) -> list[list[Span]]:
    shown = scene.faults[-FAULT_LANES_MAX:]
    lines = [_fault_lane(scene, fault, scale) for fault in shown]
    if len(scene.faults) > len(shown) and lines:
        lines[0] = _label(f"… {len(scene.faults) - len(shown) + 1} faults before", "dim")
    return lines


def _fault_lane(scene: Scene, fault: FaultSeen, scale: _Scale) -> list[Span]:
    said = f"{SHORT.get(fault.do, fault.do)} {fault.target.replace(' > ', '>')}"
    if fault.step < 0:  # whose it is must not be told by its colour alone
        said = f"{said if len(said) <= HAND_CELLS else said[: HAND_CELLS - 1] + '…'}{YOURS}"
    spans = _label(said, "accent" if fault.step < 0 else "warn")
    begin, end = scale.place(fault.landed_ns), scale.place(fault.ended_ns or scale.now_ns)
    pad_to = LABEL_CELLS + begin
    if pad_to > width_of(spans):
        pad(spans, pad_to)
    spans.append(("▒" * max(1, end - begin + 1), "warn"))
    lasted = duration(((fault.ended_ns or scale.now_ns) - fault.landed_ns) // 1_000) if fault.ended_ns != fault.landed_ns else ""
    struck = f"×{fault.hits}" if fault.hits else ""
    told = " · ".join(filter(None, (struck, lasted, where_it_fell(scene, fault))))
    room = scale.cells + LABEL_CELLS - width_of(spans) - 1
    if told and len(told) <= room:
        spans.append((f" {told}", "dim"))
    elif told and len(told) + 1 <= begin:  # before the bar
        spans[1:-1] = [(told.rjust(begin - 1) + " ", "dim")]
    return spans


def _window_lane(scene: Scene, scale: _Scale) -> list[list[Span]]:
    window = scene.opened.window if scene.opened is not None else None
    if window is None:
        return []
    spans = _label("window", "accent")
    times = window_of(scene)
    if times is None:
        return [[*spans, ("not open yet", "faint")]]
    begin, end = scale.place(times[0]), scale.place(times[1] or scale.now_ns)
    if begin:
        pad(spans, LABEL_CELLS + begin)
    return [[*spans, ("━" * max(1, end - begin + 1), "accent")]]


def _lane(scene: Scene, player: Player, scale: _Scale, ui: UiState, *, chosen: bool) -> list[Span]:
    sign, style = sign_of(player, scene, ascii=ui.ascii)
    over = "+cursor" if chosen else ""
    said = str(player.pid) if player.pid else ""
    name = f"{player.name[:NAME_CELLS]:<{NAME_CELLS}} "
    state = (f"{sign}{letter_of(player, scene):<1} ", style)
    spans: list[Span] = [("▸" if chosen else " ", "cursor" if chosen else "")]
    if player.between:  # what it is called says nothing: its link stands where others have their PID
        room = LABEL_CELLS - 1 - len(player.name) - 1 - len(state[0])
        link = ">".join(player.between)
        link = link if len(link) <= room else link[: room - 1] + "…"
        spans += [(f"{player.name} ", f"title{over}"), state, (f"{link:<{room}}", "dim")]
    else:
        spans += [(name, f"title{over}"), state, (f"{said:<{PID_CELLS}}"[:PID_CELLS], "dim")]
    assert width_of(spans) == LABEL_CELLS, "lanes begin where faults do"
    return [*spans, *_cells(scene, player, scale)]


def _cells(scene: Scene, player: Player, scale: _Scale) -> list[Span]:
    cells = [(" ", "")] * scale.cells
    for i, span in enumerate(player.spans):
        if span.state == "gone" and scene.phase == "ending" and player.status >= 0:
            continue
        until_ns = player.spans[i + 1].from_ns if i + 1 < len(player.spans) else scale.now_ns
        if span.from_ns > scale.now_ns:
            continue
        begin, end = scale.place(span.from_ns), scale.place(until_ns)
        mark = {"up": ("─", "follower"), "paused": ("‖", "paused"), "gone": (" ", "")}[span.state]
        for place in range(begin, end + 1):
            cells[place] = mark
        if span.state == "gone":
            cells[begin] = ("✖", "dead")
    for folder, sign, style in (("trace", "•", "follower"), ("history", "•", "accent"), ("ledger", "┃", "title")):
        for key, beats in scene.beats.items():
            if key.startswith(f"{folder}/{player.name}.jsonl:"):
                for beat in beats:
                    if scale.zero_ns <= (beat + 1) * BEAT_NS and beat * BEAT_NS <= scale.now_ns:
                        cells[scale.place(beat * BEAT_NS)] = (sign, style)
    return _joined(cells)


def _joined(cells: list[Span]) -> list[Span]:
    """Neighbours of one style as one span."""
    spans: list[Span] = []
    for text, style in cells:
        if spans and spans[-1][1] == style:
            spans[-1] = (spans[-1][0] + text, style)
        else:
            spans.append((text, style))
    return spans
