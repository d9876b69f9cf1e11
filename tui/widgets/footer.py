"""The last rows of every screen: target, last command and undo; the keys; and the prompt that takes their place.

Law 1: the keys come from the keymap alone; what this keyboard may not do now is grey, what this seat never may is not there.
Law 2: a row never wraps: what does not fit is left out, the most needed first.
"""

from __future__ import annotations

from collections.abc import Sequence

from cluster.telemetry.view import ClusterView
from tui.keymap import BY_ACTION, MENUS, Action
from tui.playbill import Playbill
from tui.select.acts import between_of
from tui.select.proposal import targets
from tui.state import Prompt, Row, Span, UiState

NAMES_MAX = 8

# Groups of keys from left to right, and which of them stay when there is little room (a lower number stays longer).
GROUPS: tuple[tuple[tuple[str, int], ...], ...] = (
    (
        ("cut", 1), ("isolate", 6), ("pause", 2), ("crash", 2), ("degrade", 5), ("clock", 8), ("disk", 8), ("restart", 4),
        ("transfer", 9), ("rumour", 9),
    ),
    (
        ("open", 1), ("run-broken", 1), ("run-canonical", 2), ("run-both", 1), ("run-by-hand", 3), ("end-run", 1),
    ),
    (
        ("side-broken", 4), ("flip", 2), ("records", 5), ("act-pause", 2), ("act-crash", 2), ("act-restart", 3), ("act-heal", 3),
        ("act-command", 3),
    ),
    (("undo", 3), ("heal", 5), ("heal-all", 2), ("freeze", 7)),
    (("play", 1), ("line-back", 2), ("second-back", 4), ("slower", 5), ("faster", 5)),
    (
        ("mark", 6), ("inspect", 7), ("command", 4), ("filter", 9), ("next-pane", 8), ("zoom", 8), ("help", 0), ("quit", 1),
    ),
)  # fmt: skip


# Keys of an incident that mean nothing while a run goes on, and those that mean something only then.
WHILE_NOTHING_RUNS = frozenset({"run-broken", "run-canonical", "run-both", "run-by-hand", "records"})
WHILE_IT_RUNS = frozenset({"end-run", "act-pause", "act-crash", "act-restart", "act-heal", "act-command"})
SIGN = "│ "  # between groups, where there is room for it


def key_rows(ui: UiState, width: int) -> list[Row]:
    """One row: ` p Cut  i Isolate … │ u Undo … │ ? Help`."""
    wanted = sorted((importance, name) for group in GROUPS for name, importance in group if _means_something(name, ui))
    sign = SIGN if ui.place == "lab" or len(_width({name for _, name in wanted}, SIGN)) <= width else ""
    kept: set[str] = set()
    for _, name in wanted:
        if len(_width(kept | {name}, sign)) <= width:
            kept.add(name)
    spans: list[Span] = [(" ", "")]
    for group in GROUPS:
        shown = [BY_ACTION[name] for name, _ in group if name in kept]
        if shown and sign and len(spans) > 1:
            spans.append((sign, "frame"))
        for action in shown:
            spans += _key(action, ui)
    return [tuple(spans)]


def _means_something(name: str, ui: UiState) -> bool:
    """Whether this seat has the key, and it does anything as things stand."""
    if not BY_ACTION[name].offered(ui):
        return False
    if ui.mode == "REPLAY" and name in ("mark", "command"):
        return False  # nothing can be asked of a recording
    if ui.place == "run" and name in (WHILE_NOTHING_RUNS if ui.going else WHILE_IT_RUNS):
        return False
    return not (ui.cold and name == "flip")


def action_at(ui: UiState, width: int, column: int) -> str:
    """The name of the action whose key stands at a column of the row of keys; "" for none."""
    (row,) = key_rows(ui, width)
    text = "".join(part for part, _ in row)
    for name in (name for group in GROUPS for name, _ in group):
        action = BY_ACTION[name]
        written = f"{action.shown} {action.label}"
        place = text.find(f" {written}  ") + 1
        if action.offered(ui) and place > 0 and place <= column < place + len(written):
            return name
    return ""


def _width(names: set[str], sign: str) -> str:
    """The row's text, were these its keys: only its length counts."""
    text = " "
    for group in GROUPS:
        keys = [f"{BY_ACTION[name].shown} {BY_ACTION[name].label}  " for name, _ in group if name in names]
        text += (sign if keys and len(text) > 1 else "") + "".join(keys)
    return text.rstrip()


def _key(action: Action, ui: UiState) -> tuple[Span, ...]:
    if not action.allowed(ui):
        return ((f"{action.shown} {action.label}  ", "disabled"),)
    return ((action.shown, "key"), (f" {action.label}  ", "dim"))


def status_rows(view: ClusterView, ui: UiState, width: int) -> list[Row]:
    """One row: ` target: n4 n11 (marked)   last: crash n12   undo: …`."""
    spans: list[Span] = [(" target ", "dim"), (_names(targets(view, ui)), "marked" if ui.marked else "text")]
    spans.append((f" ({len(ui.marked)} marked)" if ui.marked else "", "dim"))
    if ui.observer:
        spans = [(" observing: no commands from this seat" if ui.mode != "REPLAY" else " recording", "dim")]
    elif not ui.armed:
        spans += [("   ", ""), ("disarmed, ! arms", "warn")]
    if ui.filter:
        spans += [("   filter ", "dim"), (ui.filter, "accent")]
    if ui.last:
        refused = not view.last_ok and view.last_command and ui.last.startswith(view.last_command)
        spans += [("   last " if ui.mode != "REPLAY" else "   ", "dim"), (ui.last, "warn" if refused else "text")]
    if ui.undo and not ui.observer:
        spans += [("   undo ", "dim"), (ui.undo, "text")]
    return [_cut(tuple(spans), width)]


def act_rows(bill: Playbill, ui: UiState, width: int) -> list[Row]:
    """The same of the incident screens: ` on w1 of the broken run   toggle fencing   last pause w1`."""
    spans: list[Span] = [(" ", "")]
    if ui.screen == "run":
        scene = bill.scenes.get(ui.side)
        between = between_of(scene.players[ui.player]) if scene is not None and ui.player in scene.players else ""
        spans += [("on ", "dim"), (ui.player or "–", "text"), (f", the proxy between {between}," if between else "", "dim")]
        spans += [(f" of the {ui.side} run   toggle ", "dim"), (ui.switch or "–", "text")]
    else:
        spans += [("incident ", "dim"), (ui.slug or "–", "text")]
    if not ui.armed:
        spans += [("   ", ""), ("disarmed, ! arms", "warn")]
    if ui.last:
        spans += [("   last ", "dim"), (ui.last, "text")]
    return [_cut(tuple(spans), width)]


def _names(nodes: tuple[str, ...]) -> str:
    shown = " ".join(nodes[:NAMES_MAX])
    return f"{shown} +{len(nodes) - NAMES_MAX}" if len(nodes) > NAMES_MAX else shown or "–"


def prompt_rows(prompt: Prompt, width: int, height: int) -> list[Row]:
    """The question, with the caret where one types, and what would come of it, in `height` rows."""
    if prompt.verb in MENUS:
        return _menu_rows(prompt, width, height)
    line: list[Span] = [(f" {prompt.label}", "prompt")]
    if prompt.verb in (":", "/"):
        before, under, after = _around_caret(prompt, width - len(prompt.label) - 2)
        line += [(before, "prompt"), (under or " ", "prompt+caret"), (after, "prompt")]
    used = sum(len(text) for text, _ in line)
    line.append((" " * max(0, width - used), "prompt"))
    rows: list[Row] = [_cut(tuple(line), width)]
    return [*rows, *_preview_rows(prompt.preview, width, height - 1)]


def _around_caret(prompt: Prompt, room: int) -> tuple[str, str, str]:
    """What stands before, under and behind the caret, as much as fits, the caret always among it."""
    first = max(0, prompt.caret - max(1, room) + 1)
    before = prompt.value[first : prompt.caret]
    if first and before:
        before = "…" + before[1:]
    return before, prompt.value[prompt.caret :][:1], prompt.value[prompt.caret + 1 :][: max(0, room - len(before) - 1)]


def _preview_rows(lines: Sequence[str], width: int, height: int) -> list[Row]:
    """What does not fit stands on the last row behind one another: the third side of a cut must not be missing."""
    if len(lines) > height > 0 and not lines[0].startswith("!"):
        lines = [*lines[: height - 1], "   ".join(lines[height - 1 :])]
    return [_preview_row(text, width) for text in lines[: max(0, height)]]


def _preview_row(text: str, width: int) -> Row:
    style = "warn" if "no quorum" in text or text.startswith("!") else "text"
    return _cut(((" " + text.removeprefix("!"), style),), width)


def _menu_rows(prompt: Prompt, width: int, height: int) -> list[Row]:
    spans: list[Span] = [(f" {prompt.label}  ", "prompt")]
    for choice in MENUS[prompt.verb]:
        spans += [(choice.key, "prompt+key"), (f" {choice.label}   ", "prompt")]
    spans.append((" " * max(0, width - sum(len(text) for text, _ in spans)), "prompt"))
    return [_cut(tuple(spans), width), *_preview_rows(prompt.preview, width, height - 1)]


def scrub_rows(position_us: int, length_us: int, ui: UiState, width: int) -> list[Row]:
    """Where a recording stands: ` ▶ 1× ━━━━━●╌╌╌╌ 0:12.3 / 1:40.0`."""
    sign = ("‖" if ui.paused else "▶") if not ui.ascii else ("=" if ui.paused else ">")
    times = f" {_clock(position_us)} / {_clock(length_us)} "
    lead = f" {sign} {ui.speed:g}× "
    room = max(1, width - len(lead) - len(times) - 1)
    done = min(room, round(room * position_us / length_us)) if length_us else 0
    full, knob, rest = ("━", "●", "╌") if not ui.ascii else ("=", "O", "-")
    return [((lead, "key"), (full * done, "accent"), (knob, "marked"), (rest * (room - done), "frame"), (times, "text"))]


def _clock(span_us: int) -> str:
    minutes, tenths = divmod(max(0, span_us) // 100_000, 600)
    return f"{minutes}:{tenths // 10:02}.{tenths % 10}"


def _cut(row: Row, width: int) -> Row:
    kept: list[Span] = []
    left = width
    for text, style in row:
        if not text:
            continue
        if len(text) > left:
            kept.append((text[: max(0, left - 1)] + "…" if left else "", style))
            break
        kept.append((text, style))
        left -= len(text)
    return tuple(kept)
