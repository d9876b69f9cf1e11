"""What the incident screens know: the list, the incident that is looked at, and its two runs beside each other.

Law 1: frozen; `tui.theatre` makes the next one, from files and from what runs tell, and never from what was asked of them.
"""

from __future__ import annotations

import msgspec

from scenarios.outcome import Outcome
from scenarios.scene import Scene

SIDES = ("broken", "canonical")


class Listed(msgspec.Struct, frozen=True):
    """A line of the list. `last`: variant -> its newest verdict; `errors`: variant -> why a run after that came to none.

    `wrong`: why its card cannot be used.
    """

    n: int
    slug: str
    family: str
    mechanism: str
    title: str
    built: bool
    last: dict[str, str] = {}
    errors: dict[str, str] = {}
    wrong: str = ""


class Switch(msgspec.Struct, frozen=True):
    """A toggle of the card. `hot`: it can be changed while a run goes on."""

    name: str
    values: tuple[str, ...]
    broken: str
    canonical: str
    hot: bool
    help: str


class Programme(msgspec.Struct, frozen=True):
    """What is known of one incident beforehand: (heading, lines) of its card, and its toggles."""

    slug: str
    n: int
    title: str
    built: bool
    parts: tuple[tuple[str, tuple[str, ...]], ...]
    switches: tuple[Switch, ...] = ()
    lesson: str = ""
    window: str = ""  # what it means that the window is open
    alone: bool = False  # its timers are too tight for another run beside it
    wrong: str = ""  # why its card cannot be used
    deeds: tuple[str, ...] = ()  # what its faults do, each once: what somebody at the keyboard may do in their place

    @property
    def solution(self) -> tuple[str, ...]:
        """What makes the canonical variant: its values of the toggles in which the two differ."""
        return tuple(f"{switch.name}={switch.canonical}" for switch in self.switches if switch.broken != switch.canonical)

    def unlike(self, broken: Outcome, canonical: Outcome) -> str:
        """What forbids to lay the difference of two verdicts to the toggles; "" for two that can be compared."""
        if broken.seed != canonical.seed:
            return f"seeds {broken.seed} and {canonical.seed}"
        if broken.scale != canonical.scale:
            return f"time ×{broken.scale:g} and ×{canonical.scale:g}"
        for side, outcome in zip(SIDES, (broken, canonical), strict=True):
            for switch in self.switches:
                if outcome.toggles.get(switch.name) != getattr(switch, side):
                    return f"{side} had {switch.name}={outcome.toggles.get(switch.name, '')}"
            if outcome.by_hand:
                return f"{side} was changed by hand"
        return ""


class Playbill(msgspec.Struct, frozen=True):
    """`scenes`: side -> its newest run. `going`: sides that run now, `waiting`: those that follow. `chosen`: side -> toggles set for the
    next run. `by_hand`: sides whose faults are left to the person at the keyboard. `ours`: directories of the runs of this session."""

    listed: tuple[Listed, ...] = ()
    programme: Programme | None = None
    scenes: dict[str, Scene] = {}
    going: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    chosen: dict[str, dict[str, str]] = {}
    by_hand: tuple[str, ...] = ()
    ours: frozenset[str] = frozenset()

    def earlier(self, side: str) -> bool:
        """Whether the run that is shown was there before this session."""
        scene = self.scenes.get(side)
        return scene is not None and scene.opened is not None and scene.opened.run_dir not in self.ours

    @property
    def pair(self) -> tuple[Outcome, Outcome] | None:
        """Broken and canonical, where both are over, both of this session or neither, and nothing but the variant tells them apart."""
        broken, canonical = (self.scenes[side].outcome if side in self.scenes else None for side in SIDES)
        if broken is None or canonical is None or self.programme is None or self.earlier("broken") != self.earlier("canonical"):
            return None
        return None if self.programme.unlike(broken, canonical) else (broken, canonical)

    @property
    def mixed(self) -> bool:
        """Runs stand beside each other that do not belong together: of other seeds or time scales, or only one of them of this session."""
        shown = {side: scene.opened for side, scene in self.scenes.items() if scene.opened is not None}
        return len({(opened.seed, opened.scale, self.earlier(side)) for side, opened in shown.items()}) > 1

    def toggles(self, side: str) -> dict[str, str]:
        """As they stand in the run that goes on; else as the next run will have them."""
        if side in self.going and side in self.scenes and self.scenes[side].toggles:
            return self.scenes[side].toggles
        return {switch.name: self.chosen.get(side, {}).get(switch.name, getattr(switch, side)) for switch in self.switches}

    def shown_toggles(self, side: str) -> dict[str, str]:
        """As they stand, or stood, in the run that is shown; of one that begins, as it was asked for; without one, as the card has them."""
        scene = self.scenes.get(side)
        if scene is not None and scene.toggles:
            return scene.toggles
        if side in (*self.going, *self.waiting):
            return self.toggles(side)
        return {switch.name: getattr(switch, side) for switch in self.switches}

    @property
    def switches(self) -> tuple[Switch, ...]:
        return self.programme.switches if self.programme is not None else ()
