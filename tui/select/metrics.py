"""Curves, the faults in force, and the judges' lights.

Law 1: a curve's last cell is now; every curve of the pane covers the same time.
Law 2: a red light stands first, with its evidence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cluster.telemetry.view import ClusterView, FaultView, Sample
from tui.select.pulse import phi_text
from tui.select.spans import clip, duration, fit, wrapped
from tui.state import Row, Span, UiState

BARS = " ▁▂▃▄▅▆▇█"
BARS_ASCII = " .:-=+*#@"
LABEL_CELLS = 9
VALUE_CELLS = 7
# So many curves stay when many faults are in force; the last ones go first.
CURVES_MIN = 4
# A fault's end is near: say it louder.
SOON_US = 3_000_000


def rows(view: ClusterView, ui: UiState, width: int, height: int) -> list[Row]:
    """Curves first, then faults, then lights: red ones always."""
    lights = _lights(view, ui, width)
    faults = _faults(view, ui, width, max(2, height - CURVES_MIN - len(lights)))
    curves = _curves(view, ui, width)[: max(CURVES_MIN, height - len(faults) - len(lights))]
    blank: list[Row] = [()] if height - len(curves) - len(faults) - len(lights) >= 2 else []
    return fit([*curves, *blank, *faults, *blank, *lights], width, height)


def _curves(view: ClusterView, ui: UiState, width: int) -> list[Row]:
    room = max(4, width - LABEL_CELLS - VALUE_CELLS - 2)
    series = view.series[-room:]
    if not series:
        return [((" curves begin in half a second", "dim"),)]
    last = series[-1]
    tenths = 10 * (view.lab.threshold if view.lab else 8.0)
    phi_label = "phi max" if ui.ascii else "φ max"
    phi_top = max(1.25 * tenths, 1.0)
    return [
        _curve(ui, "writes/s", series, lambda s: s.commit_per_s, f"{last.commit_per_s:.0f}", room, "good"),
        _curve(ui, "ops/s", series, lambda s: s.ops_per_s, f"{last.ops_per_s:.0f}", room, "accent"),
        _presence(view, ui, series, room),
        _curve(ui, phi_label, series, lambda s: s.phi_max_tenths, phi_text(last.phi_max_tenths), room, "warn", phi_top),
        _curve(ui, "drops/s", series, lambda s: s.dropped_per_s, f"{last.dropped_per_s:.0f}", room, "bad"),
        _curve(ui, "gossip/s", series, lambda s: s.gossip_per_s, f"{last.gossip_per_s:.0f}", room, "dim"),
    ]


def _curve(
    ui: UiState, label: str, series: Sequence[Sample], of: Callable[[Sample], float], value: str, room: int, style: str, top: float = 0.0
) -> Row:
    bars = BARS_ASCII if ui.ascii else BARS
    values = [of(sample) for sample in series]
    scale = top or max(*values, 1.0)
    text = "".join(bars[min(8, max(1 if v > 0 else 0, round(8 * v / scale)))] for v in values)
    return ((f" {label:<{LABEL_CELLS}}", "dim"), (text.rjust(room), style), (value.rjust(VALUE_CELLS), ""))


def _presence(view: ClusterView, ui: UiState, series: Sequence[Sample], room: int) -> Row:
    """The leader ribbon: a line while somebody leads, gaps while nobody does."""
    there, gone = ("=", " ") if ui.ascii else ("━", "╍")
    text = "".join(there if sample.has_leader else gone for sample in series)
    reign = next((r for r in reversed(view.reigns) if not r.ended_us), None)
    value = f"{reign.node}/{reign.term}" if reign is not None else "none"
    spans: list[Span] = [(f" {'leader':<{LABEL_CELLS}}", "dim"), (" " * (room - len(text)), "")]
    run = ""
    for cell in text:
        if run and cell != run[-1]:
            spans.append((run, "leader" if run[0] == there else "bad"))
            run = ""
        run += cell
    spans.append((run, "leader" if run and run[0] == there else "bad"))
    return (*spans, (value.rjust(VALUE_CELLS), "" if reign is not None else "bad"))


def _faults(view: ClusterView, ui: UiState, width: int, room: int) -> list[Row]:
    active = sorted(view.faults.values(), key=lambda fault: fault.fault.id)
    if not active:
        return [((" no fault is in force", "dim"),)]
    head: Row = ((" FAULTS", "heading"), ("  u undoes the last, H heals all" if width >= 42 else "  u undo, H heal all", "dim"))
    shown = active[-max(1, room - 1) :]
    lines = [clip(_fault(view, fault, width), width) for fault in shown]
    if len(shown) < len(active):
        lines[0] = ((f" and {len(active) - len(shown) + 1} more, screen 6 lists them", "dim"),)
    return [head, *lines]


def _fault(view: ClusterView, fault: FaultView, width: int) -> Row:
    its = fault.fault
    left = its.until_us - view.now_us
    ends = f"{duration(left)} left" if its.until_us else f"since {duration(view.now_us - its.at_us)}"
    room = max(8, width - len(ends) - 7)
    text = its.text if len(its.text) <= room else its.text[: room - 1] + "…"
    return ((f" #{its.id:<3} ", "dim"), (text.ljust(room), "warn"), (f" {ends}", "bad" if its.until_us and left < SOON_US else "dim"))


def _lights(view: ClusterView, ui: UiState, width: int) -> list[Row]:
    """Every red and unknown light with its evidence; the green ones in one line."""
    lines: list[Row] = []
    for state, mark, style in (("violated", "✖", "bad"), ("unknown", "?", "warn")):
        for light in view.lights.values():
            if light.state == state:
                glyph = mark if not ui.ascii else {"✖": "x"}.get(mark, mark)
                lines += wrapped(f"{light.light} {state}: {light.evidence}", width - 1, style, f" {glyph} ", style, lines_max=2)
    green = [light for light in view.lights.values() if light.state == "ok"]
    if green:
        lines.append(_green(view, ui, len(green)))
    return lines or [((" not judged yet", "dim"),)]


def _green(view: ClusterView, ui: UiState, invariants: int) -> Row:
    mark = "ok" if ui.ascii else "✓"
    lights = view.lights
    words = [name for name in ("linearizable",) if name in lights and lights[name].state == "ok"]
    if view.acked is not None and "acked" in lights and lights["acked"].state == "ok":
        words.append(f"{view.acked.acked} acked writes kept")
    others = invariants - sum(1 for name in ("linearizable", "acked") if name in lights and lights[name].state == "ok")
    words.append(f"{others} invariants hold")
    return ((f" {mark} ", "good"), (" · ".join(words) if not ui.ascii else ", ".join(words), "good"))
