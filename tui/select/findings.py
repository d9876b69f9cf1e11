"""The verdict of the chosen run: violations with their records, coverage, figures; all of it from the sealed files."""

from __future__ import annotations

from scenarios.outcome import Outcome
from tui.playbill import Playbill
from tui.select.acts import NAMES, standing
from tui.select.spans import fit, window_around
from tui.state import Row, Span, UiState


def rows(bill: Playbill, ui: UiState, width: int, height: int) -> list[Row]:
    """The verdict stands first; of the violations as many as fit, the chosen one among them."""
    said, style = standing(bill, ui.side)
    head: list[Span] = [(f" {NAMES[ui.side].lower()} ", "dim"), (said, style)]
    scene = bill.scenes.get(ui.side)
    if scene is None or scene.outcome is None:
        why = scene.lost if scene is not None and scene.lost else "the verdict is read from the files when the run is over"
        return fit([head, [(f" {why}", "bad" if scene is not None and scene.lost else "dim")]], width, height, ascii=ui.ascii)
    outcome = scene.outcome
    lines = [[*head, *_figures(outcome)]]
    lines += [[(f" ! {outcome.why}", "bad")]] if outcome.why else []
    lines += [[(" ✓ " if met else " ✗ ", "good" if met else "bad"), (name, "dim" if met else "")] for name, met in outcome.coverage.items()]
    found = _violations(outcome, ui)
    room = height - len(lines)
    if room < min(len(found), 3):  # the violations matter more than what was exercised
        lines = lines[: max(1, height - min(len(found), 3))]
        room = height - len(lines)
    chosen = min(ui.finding, len(outcome.violations.evidence) - 1)
    lines += [found[i] for i in window_around(len(found), max(0, chosen), room)]
    return fit(lines, width, height, ascii=ui.ascii)


def _figures(outcome: Outcome) -> list[Span]:
    text = "  ".join(f"{name} {value:g}" for name, value in outcome.metrics.items())
    rules = "  ".join(f"{count} × {rule}" for rule, count in outcome.violations.by_rule.items())
    return [(f"   {rules}" if rules else "", "bad"), (f"   {text}" if text else "", "dim")]


def _violations(outcome: Outcome, ui: UiState) -> list[list[Span]]:
    lines: list[list[Span]] = []
    for i, evidence in enumerate(outcome.violations.evidence):
        chosen = i == min(ui.finding, len(outcome.violations.evidence) - 1)
        over = "+cursor" if chosen else ""
        spans: list[Span] = [("▸" if chosen else " ", "cursor" if chosen else ""), ("✖ ", "bad"), (evidence.text, f"text{over}")]
        lines.append([*spans, (f"  {' '.join(evidence.records)}", "dim")])
    return lines
