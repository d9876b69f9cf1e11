"""Row 1 of every screen: what this is, which time it is, and what is switched on.

Law 1: what does not fit is left out from the least important; the mode, the clock and the faults always stand.
"""

from __future__ import annotations

from cluster.telemetry.view import ClusterView
from tui.select.spans import clock, count, fit, width_of
from tui.state import Row, Span, UiState

SCREENS = (("1", "live"), ("2", "raft"), ("3", "gossip"), ("6", "faults"))


def rows(view: ClusterView, ui: UiState, width: int, height: int) -> list[Row]:
    """One row."""
    left = [(" ", ""), ("╱╱ " if not ui.ascii else "// ", "accent"), ("faultline", "title")]
    right = _screens(ui)
    room = width - width_of(right) - 1
    # (priority, spans): lower numbers stay longer.
    parts = sorted(_parts(view, ui), key=lambda part: part[0])
    kept = set(range(len(parts)))
    while kept and width_of(left) + sum(3 + width_of(parts[i][2]) for i in kept) > room:
        kept.remove(max(kept))
    for _, _, spans in sorted((parts[i] for i in kept), key=lambda part: part[1]):
        left += [(" │ " if not ui.ascii else " | ", "faint"), *spans]
    gap = max(1, width - width_of(left) - width_of(right))
    return fit([[*left, (" " * gap, ""), *right]], width, height)


def _parts(view: ClusterView, ui: UiState) -> list[tuple[int, int, list[Span]]]:
    """(priority, place, spans)."""
    lab = view.lab
    faults = len(view.faults)
    parts: list[tuple[int, int, list[Span]]] = [
        (0, 0, _mode(view, ui)),
        (1, 4, [(count(faults, "fault") if faults else "no faults", "warn" if faults else "dim")]),
        (3, 5, [(count(len(view.nodes), "node"), "dim")]),
    ]
    if lab is not None:
        parts.append((5, 1, [(f"seed {lab.seed}", "dim")]))
        parts.append((6, 6, [(lab.profile, "dim")]))
        if lab.mistakes:
            parts.append((2, 7, [("mistake: " + ", ".join(lab.mistakes), "badge.bad")]))
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


def _screens(ui: UiState) -> list[Span]:
    spans: list[Span] = []
    for digit, screen in SCREENS:
        here = screen == ui.screen
        spans += [(digit, "key"), (f" {screen}  " if here else " ", "heading" if here else "")]
    return [*spans, ("?", "key"), (" ", "")]
