"""A saga as a pure machine: steps forward until one is refused, then the undoing of those that were done, last one first.

Law 1: what to do next follows from the plan and the saga's state alone, so whoever reads the state from the log can go on.
Law 2: an undoing is asked for until it is confirmed; only who orders it may give up (`stuck`), and then it shows.
Law 3: every change of state is one version.

Source: Garcia-Molina and Salem, "Sagas" (1987): backward recovery.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Phase = Literal["forward", "undoing", "done", "undone", "stuck"]
OVER: tuple[Phase, ...] = ("done", "undone", "stuck")


class Step(msgspec.Struct, frozen=True):
    """`undo`: what takes it back; empty when nothing does."""

    name: str
    undo: str = ""


class Saga(msgspec.Struct, frozen=True):
    """`at`: how many of the plan's steps stand. `args` go to every step."""

    id: str
    args: dict[str, Any]
    at: int = 0
    phase: Phase = "forward"
    version: int = 0


Plan = tuple[Step, ...]


def next_action(plan: Plan, saga: Saga) -> str | None:
    """The name of a step or of an undoing; None when it is over."""
    if saga.phase == "forward":
        return plan[saga.at].name
    return plan[saga.at - 1].undo if saga.phase == "undoing" else None


def went_well(plan: Plan, saga: Saga) -> Saga:
    """The action was confirmed."""
    if saga.phase == "forward":
        at = saga.at + 1
        return _next(saga, at, "done" if at == len(plan) else "forward")
    assert saga.phase == "undoing", f"nothing was to be done for {saga.id}"
    return _backwards(plan, saga, saga.at - 1)


def was_refused(plan: Plan, saga: Saga) -> Saga:
    """The step said no, and has had no effect."""
    assert saga.phase == "forward", "an undoing is not refused"
    return _backwards(plan, saga, saga.at)


def given_up(saga: Saga) -> Saga:
    """Nobody will ask again."""
    return _next(saga, saga.at, "stuck")


def _backwards(plan: Plan, saga: Saga, at: int) -> Saga:
    while at and not plan[at - 1].undo:
        at -= 1
    return _next(saga, at, "undoing" if at else "undone")


def _next(saga: Saga, at: int, phase: Phase) -> Saga:
    return msgspec.structs.replace(saga, at=at, phase=phase, version=saga.version + 1)
