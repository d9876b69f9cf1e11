"""Row 1 of every screen: what this is, which time it is, and what is switched on.

Law 1: what does not fit is left out from the least important; the mode, the clock and the faults always stand.
"""

from __future__ import annotations

from cluster.telemetry.view import ClusterView
from tui.select.spans import clock, count, fit, width_of
from tui.state import Row, Span, UiState

SCREENS = (("1", "live"), ("2", "raft"), ("3", "gossip"), ("5", "incidents"), ("6", "faults"))


def rows(view: ClusterView, ui: UiState, width: int, height: int) -> list[Row]:
    """One row."""
    left = [(" ", ""), ("╱╱ " if not ui.ascii else "// ", "accent"), ("faultline", "title")]
    right = screens(ui)
    room = width - width_of(right) - 1
    kept: list[tuple[int, list[Span]]] = []
    used = width_of(left)
    for _, place, *forms in sorted(_parts(view, ui), key=lambda part: part[0]):
        fitting = next((form for form in forms if used + 3 + width_of(form) <= room), None)
        if fitting is not None:
            kept.append((place, fitting))
            used += 3 + width_of(fitting)
    for _, spans in sorted(kept, key=lambda part: part[0]):
        left += [(" │ " if not ui.ascii else " | ", "faint"), *spans]
    gap = max(1, width - width_of(left) - width_of(right))
    return fit([[*left, (" " * gap, ""), *right]], width, height)


# (priority: lower numbers are placed first; place; its forms, the longest first)
Part = tuple[int, int, *tuple[list[Span], ...]]


def _parts(view: ClusterView, ui: UiState) -> list[Part]:
    lab = view.lab
    faults = len(view.faults)
    parts: list[Part] = [
        (0, 0, _mode(view, ui)),
        (1, 4, [(count(faults, "fault") if faults else "no faults", "warn" if faults else "dim")]),
        (3, 5, [(count(len(view.nodes), "node"), "dim")]),
    ]
    if lab is not None:
        parts.append((5, 1, [(f"seed {lab.seed}", "dim")]))
        parts.append((6, 6, [(lab.profile, "dim")]))
        if lab.mistakes:
            said = count(len(lab.mistakes), "mistake")
            parts.append((2, 7, [("mistake: " + ", ".join(lab.mistakes), "badge.bad")], [(said, "badge.bad")]))
    if ui.recording:
        parts.append((4, 2, [("● REC" if not ui.ascii else "REC", "bad")]))
    if ui.observer and ui.mode == "LIVE":
        parts.append((2, 3, [("OBSERVER", "dim")]))
    elif ui.mode == "LIVE":
        parts.append((2, 3, [("ARMED", "warn")] if ui.armed else [("disarmed", "good")]))
    return parts


def _mode(view: ClusterView, ui: UiState) -> list[Span]:
    zero = view.lab.at_us if view.lab else 0
    at = f"t+{clock(view.now_us, zero)}"
    if ui.mode == "REPLAY":  # its clock stands or runs, whatever the lab did then
        speed = f" {ui.speed:g}×" if not ui.ascii else f" {ui.speed:g}x"
        then = ", the lab has ended" if view.closed else ", the world is frozen" if view.frozen else ""
        return [("REPLAY", "badge"), (f" {at}{' paused' if ui.paused else speed}", ""), (then, "warn")]
    if view.closed:
        return [("ENDED", "badge.bad"), (f" {at}", "")]
    if view.frozen:
        return [("FROZEN", "badge.warn"), (f" {at}", "")]
    return [("LIVE", "badge"), (f" {at}", "")]


def screens(ui: UiState) -> list[Span]:
    """The digits, and the name of the screen that is up."""
    spans: list[Span] = []
    for digit, screen in SCREENS:
        here = screen == ui.screen or (screen, ui.screen) == ("incidents", "run")
        spans += [(digit, "key"), (f" {screen}  " if here else " ", "heading" if here else "")]
    return [*spans, ("?", "key"), (" ", "")]
