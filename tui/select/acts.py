"""How a run of an incident stands, in words and signs that all its panes share.

Law 1: while a run goes on there is no verdict: what is shown is that it runs, and for how long.
"""

from __future__ import annotations

from scenarios.scene import Player, Scene
from tui.playbill import Playbill
from tui.select.signs import SHAPES
from tui.select.spans import duration
from tui.state import Span

VERDICT_STYLES = {"FAIL": "bad", "PASS": "good", "VACUOUS": "warn", "ERROR": "bad"}
PHASES = {"": "is being started", "servers": "starts its servers", "processes": "starts its processes", "ending": "is over: it is judged"}
CHANGED = "*"  # behind the value of a toggle that is not the card's
# How the sides are called on the screen.
NAMES = {"broken": "BROKEN", "canonical": "CANONICAL"}
# state -> whose shape and style it borrows
_LIKE = {"waiting": "starting", "up": "follower", "paused": "paused", "gone": "dead", "left": "learner"}


def standing(bill: Playbill, side: str) -> Span:
    """ "FAIL  10 violations", "runs  3.2 s", "not run yet" …"""
    scene = bill.scenes.get(side)
    if side in bill.waiting:
        return "comes after the other one", "dim"
    if scene is None:
        return ("is being started", "dim") if side in bill.going else ("not run yet", "dim")
    if scene.outcome is not None:
        return _judged(scene)
    if scene.lost:
        return "ended without a verdict", "bad"
    return (f"runs  {duration(elapsed_us(scene))}", "accent") if scene.phase == "running" else (PHASES[scene.phase], "accent")


def in_short(bill: Playbill, side: str) -> Span:
    """The same in a few cells: "FAIL 10", "PASS", "runs"."""
    said, style = standing(bill, side)
    scene = bill.scenes.get(side)
    if scene is not None and scene.outcome is not None:
        count = scene.outcome.violations.count
        return f"{scene.outcome.verdict}{f' {count}' if count else ''}", style
    return said, style


def telling(bill: Playbill, side: str) -> list[tuple[str, str, str]]:
    """(toggle, value, style) of those in which the sides differ, and of those that the shown run had otherwise than the card."""
    now = bill.shown_toggles(side)
    found: list[tuple[str, str, str]] = []
    for switch in bill.switches:
        changed = now.get(switch.name) != getattr(switch, side)
        if changed or switch.broken != switch.canonical:
            found.append((switch.name, f"{now.get(switch.name, '')}{CHANGED if changed else ''}", "warn" if changed else "dim"))
    return found


def _judged(scene: Scene) -> Span:
    assert scene.outcome is not None
    verdict, count = scene.outcome.verdict, scene.outcome.violations.count
    said = f"{verdict}  {count} violation{'' if count == 1 else 's'}" if verdict in ("FAIL", "PASS") else verdict
    return said, VERDICT_STYLES[verdict]


def elapsed_us(scene: Scene) -> int:
    """Since the workload began, until it ended or now."""
    if not scene.went_ns:
        return 0
    return max(0, (scene.ended_ns or scene.now_ns) - scene.went_ns) // 1_000


def state_of(player: Player, scene: Scene) -> str:
    """ "left" is a process that ended by itself, or with the run."""
    if player.state != "gone":
        return player.state
    with_the_run = bool(scene.ended_ns and player.spans and player.spans[-1].from_ns >= scene.ended_ns)
    return "left" if player.status >= 0 or with_the_run else "gone"


def sign_of(player: Player, scene: Scene, *, ascii: bool) -> Span:
    """Its shape."""
    like = _LIKE[state_of(player, scene)]
    shape, plain, _ = SHAPES[like]
    return plain if ascii else shape, like


def letter_of(player: Player, scene: Scene) -> str:
    return {"waiting": "…", "up": "", "paused": "Z", "gone": "X", "left": "."}[state_of(player, scene)]


def between_of(player: Player) -> str:
    """ "checkout and payd": the two whose link a proxy stands on; "" of all others."""
    return " and ".join(player.between)


def changed_by_hand(scene: Scene) -> bool:
    return any(fault.step < 0 for fault in scene.faults)
