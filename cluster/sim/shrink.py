"""From a failing run to the smallest one that still fails: fewest faults first, then fewest steps.

Law 1: what is kept fails by the same monitor; another violation met on the way is another bug, and is not followed.
Law 2: the search is bounded in runs, and each run in steps: a shrink never costs more than it saves a reader.
Law 3: every try is a setup like any other, so the result can be played again from its file alone.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from cluster.sim.run import Outcome, run
from cluster.sim.setup import Setup

RUNS_MAX = 150


class _Search:
    """The best failing outcome so far. `better(setup)` tries one, and keeps it if it fails alike and is no larger."""

    def __init__(self, failing: Outcome, runs_max: int) -> None:
        assert failing.violation is not None, "only a failing run can be shrunk"
        self.best = failing
        self._monitor = failing.violation.light
        self._left = runs_max

    @property
    def over(self) -> bool:
        return self._left <= 0

    def better(self, setup: Setup) -> bool:
        if self.over:
            return False
        self._left -= 1
        outcome = run(setup)
        if outcome.violation is None or outcome.violation.light != self._monitor or _size(outcome) > _size(self.best):
            return False
        self.best = outcome
        return True

    def setup(self, **changes: object) -> Setup:
        """The best one's, changed."""
        return msgspec.structs.replace(self.best.setup, **changes)


def shrink(failing: Outcome, runs_max: int = RUNS_MAX) -> Outcome:
    """The smallest failing outcome found within `runs_max` runs."""
    search = _Search(failing, runs_max)
    # With its faults written out a run is the same, and each can be left out.
    if not search.better(search.setup(schedule=failing.schedule)):
        return failing
    growing = True
    while growing and not search.over:
        before = _size(search.best)
        for simplify in (_fewer_steps, _fewer_faults, _simpler_world, _fewer_clients):
            simplify(search)
        growing = _size(search.best) < before
    _fewer_steps(search)
    return search.best


def _size(outcome: Outcome) -> tuple[int, int]:
    return len(outcome.schedule), outcome.at_step


def _fewer_steps(search: _Search) -> None:
    """Chaos need not last longer than to the violation; one that shows in the peace after it may need less."""
    steps = min(search.best.setup.steps, search.best.at_step)
    if steps < search.best.setup.steps:
        search.better(search.setup(steps=steps))
    while search.best.at_step > search.best.setup.steps > 1 and search.better(search.setup(steps=search.best.setup.steps // 2)):
        pass


def _fewer_faults(search: _Search) -> None:
    """Leave out halves, then quarters … then single faults (Zeller's ddmin, complements only)."""
    if search.best.schedule != search.best.setup.schedule:
        search.better(search.setup(schedule=search.best.schedule))  # without those that meant nothing when their time came
    schedule = search.best.setup.schedule or ()
    size = max(1, len(schedule) // 2)
    while True:
        for rest in _without_each(schedule, size):
            if len(rest) < len(search.best.setup.schedule or ()) and search.better(search.setup(schedule=rest)):
                break
        else:
            if size == 1:
                return
            size = max(1, size // 2)
        schedule = search.best.setup.schedule or ()
        size = min(size, max(1, len(schedule)))
        if search.over or not schedule:
            return


def _without_each(schedule: tuple[str, ...], size: int) -> Iterator[tuple[str, ...]]:
    for start in range(0, len(schedule), size):
        yield schedule[:start] + schedule[start + size :]


def _simpler_world(search: _Search) -> None:
    if not search.best.setup.calm:
        search.better(search.setup(calm=True))


def _fewer_clients(search: _Search) -> None:
    for clients in (1, 2, 3):
        if 0 < search.best.setup.clients <= clients or search.better(search.setup(clients=clients)):
            return
