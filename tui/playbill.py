"""What the incident screens know: the list, the incident that is looked at, and its two runs beside each other.

Law 1: frozen; `tui.theatre` makes the next one, from files and from what runs tell, and never from what was asked of them.
"""

from __future__ import annotations

import msgspec

from scenarios.scene import Scene

SIDES = ("broken", "canonical")


class Listed(msgspec.Struct, frozen=True):
    """A line of the list. `last`: variant -> verdict of its newest finished run."""

    n: int
    slug: str
    family: str
    mechanism: str
    title: str
    built: bool
    last: dict[str, str] = {}


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
    cures: tuple[str, ...] = ()  # names of the toggles in which the variants differ
    lesson: str = ""
    window: str = ""  # what it means that the window is open
    alone: bool = False  # its timers are too tight for another run beside it


class Playbill(msgspec.Struct, frozen=True):
    """`scenes`: side -> its newest run. `going`: sides that run now, `waiting`: those that follow. `chosen`: side -> toggles set for the
    next run. `by_hand`: sides whose faults are left to the person at the keyboard."""

    listed: tuple[Listed, ...] = ()
    programme: Programme | None = None
    scenes: dict[str, Scene] = {}
    going: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    chosen: dict[str, dict[str, str]] = {}
    by_hand: tuple[str, ...] = ()

    def toggles(self, side: str) -> dict[str, str]:
        """As they stand in the run that goes on; else as the next run will have them."""
        if side in self.going and side in self.scenes and self.scenes[side].toggles:
            return self.scenes[side].toggles
        return {switch.name: self.chosen.get(side, {}).get(switch.name, getattr(switch, side)) for switch in self.switches}

    @property
    def switches(self) -> tuple[Switch, ...]:
        return self.programme.switches if self.programme is not None else ()
