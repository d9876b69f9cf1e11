"""Whom a key would hit, and what a cut would leave: computed before anything is asked.

Law 1: the target is what is marked, or else the cursor's node.
Law 2: the proposed cut is the most instructive one: the leader in the minority, so that a majority elects another.
"""

from __future__ import annotations

from collections.abc import Sequence

from cluster.commands import Roster, pairs_of, parse, resolve, resolved
from cluster.core.types import NodeId, by_number
from cluster.faults import FaultPlan, LinkFault, sides_of
from cluster.telemetry.view import ClusterView
from tui.state import UiState

NAMES_MAX = 12


def targets(view: ClusterView, ui: UiState) -> tuple[NodeId, ...]:
    """In reading order."""
    marked = [node for node in ui.marked if node in view.nodes]
    return tuple(by_number(marked)) or ((ui.cursor,) if ui.cursor in view.nodes else ())


def cut_text(ui: UiState, roster: Roster) -> str:
    """`cut … | rest`: the marked nodes against the others, or the leader's minority. Raises `UsageError` when there is none."""
    if ui.marked:
        side = tuple(by_number(ui.marked))
    else:
        side = tuple(by_number(resolve(("minority",), roster))) or roster.nodes[:1]
    return f"cut {','.join(side)} | rest"


def preview(text: str, roster: Roster) -> tuple[str, ...]:
    """One line per side that would be: its letter, its nodes, and whether it keeps a quorum. Raises `UsageError`."""
    sides = _sides_after(text, roster)
    return tuple(_side_line(letter, side, roster) for letter, side in zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", sides, strict=False))


def _sides_after(text: str, roster: Roster) -> tuple[tuple[NodeId, ...], ...]:
    pairs = {*roster.severed, *pairs_of(resolved(parse(text), roster), roster)}
    links = tuple(LinkFault(source=a, target=b, cut=True) for a, b in sorted(pairs))
    return sides_of(FaultPlan(links=links), roster.nodes)


def _side_line(letter: str, side: Sequence[NodeId], roster: Roster) -> str:
    voters = [node for node in side if node in roster.voters and node in roster.running]
    names = " ".join(f"{node}{'★' if node == roster.leader else ''}" for node in side[:NAMES_MAX])
    more = f" and {len(side) - NAMES_MAX} more" if len(side) > NAMES_MAX else ""
    count = f"{len(voters)} of {len(roster.voters)} voters"
    if len(voters) < roster.quorum:
        says = f"{count}: no quorum, nothing commits there"
    elif roster.leader in side:
        says = f"{count}: quorum, goes on"
    else:
        says = f"{count}: quorum, elects another leader"
    return f"{letter}  {names}{more}  {says}"

