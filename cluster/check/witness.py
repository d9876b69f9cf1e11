"""Why a history cannot be explained, in as few operations as show it.

Law 1: what is shown cannot be explained by itself: every reduction is judged again before it is believed.
Law 2: a reduction proves something about the whole. A read may always be left out: it only constrains. Changes may be left out where
nothing that stays saw any of them: whoever explains the whole explains the rest without them.
Law 3: what an operation "could have seen" is judged with everything known at its return, not with the few operations shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import copy

import msgspec

from cluster.check.judge import Finding, Quick
from cluster.check.models import State, flesh
from cluster.check.operations import NEVER, Operation, until
from cluster.check.orders import Orders, Tour, Trial, may_be_part
from cluster.check.search import TooHard
from cluster.check.violation import OK, UNKNOWN

# Work that may go into making a witness small and telling, in steps of a search and operations looked at.
_WORK_MAX = 20_000
_CHECK_STEPS = 2_000
COULD_SEE_MAX = 8


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """One operation of a witness, as it stood when the violation showed. `could_see`: the values that a read or swap could have met
    (None: it sees nothing, or that was too hard). `begun` and `ended` are places in the history; `ended` is None while it is open."""

    operation: Operation
    begun: int
    ended: int | None
    culprit: bool
    could_see: tuple[State, ...] | None


class Witness(msgspec.Struct, frozen=True):
    """`before`: the one value that the key could have before the first operation shown; `left_out`: operations of the key up to the
    violation that are not needed to see it."""

    key: str
    before: State
    left_out: int
    shown: tuple[Shown, ...]


def witness(finding: Finding, operations: Sequence[Operation]) -> Witness:
    """The witness of a finding, from all operations of its key."""
    known = until(operations, finding.place)
    culprit = finding.operation
    before, recent = _since_certain([o for o in known if o.constrains], culprit.begun, _Bench(finding.grows))
    shown = _reduced(recent, before, culprit, _Bench(finding.grows))
    if culprit not in shown:
        shown.append(culprit)  # it failed, having been seen
    shown.sort(key=lambda o: o.begun)
    bench = _Bench(finding.grows)
    return Witness(finding.key, before, len(known) - len(shown), tuple(_shown(o, o is culprit, recent, before, bench) for o in shown))


class _Bench:
    """Judges small histories until the work that may go into it is done; then every answer is None."""

    def __init__(self, grows: bool) -> None:
        self.grows, self.left = grows, _WORK_MAX

    def explained(self, operations: Sequence[Operation], before: State) -> bool | None:
        if not self.grows and self.left > 0:
            quick = Quick(operations, before)
            quick.hear_all()
            self.left -= quick.steps // 10 + len(operations) // 4
            if quick.state != UNKNOWN:
                return quick.state == OK
        try:
            return self._advanced(Orders(operations), before, len(operations))
        except TooHard:
            return None

    def tour(self, operations: Sequence[Operation], before: State) -> Tour | None:
        """Everywhere that the key could go; None when that is too far."""
        try:
            tour = Tour(operations)
            return tour if self._advanced(tour, before, len(operations)) is False else None
        except TooHard:
            return None

    def _advanced(self, orders: Orders, before: State, size: int) -> bool | None:
        if self.left <= 0:
            return None
        trial = Trial(orders, before)
        answer = trial.advance(min(_CHECK_STEPS, self.left))
        self.left -= trial.steps + size // 8
        return answer


def _shown(operation: Operation, culprit: bool, recent: Sequence[Operation], before: State, bench: _Bench) -> Shown:
    ended = None if operation.told == NEVER or operation.outcome == "info" else operation.told
    sees = operation.f in ("read", "cas") and operation.outcome == "ok"
    could_see = _could_see(operation, recent, before, bench) if sees else None
    return Shown(operation=operation, begun=operation.begun, ended=ended, culprit=culprit, could_see=could_see)


# ---- where to begin -------------------------------------------------------------------------------------------------


def _since_certain(operations: list[Operation], latest: int, bench: _Bench) -> tuple[State, list[Operation]]:
    """The last value that was certain while nothing was open, at `latest` at the latest, and the operations since.

    At least one change is among them, if there was any: how the value came about says more than that it was so.
    """
    before: State = None
    earlier: tuple[State, list[Operation]] = (None, [])
    recent: list[Operation] = []
    until_ = -1  # when the last of the recent ones ended
    for operation in sorted(operations, key=lambda o: o.begun):
        if until_ < operation.begun <= latest and _changed(recent):
            tour = bench.tour(recent, before)
            if tour is not None and len(tour.last) == 1:
                earlier = (before, recent)
                before, recent = next(iter(tour.last)), []
        recent.append(operation)
        until_ = max(until_, operation.ended)
    if _changed([o for o in recent if o.ended < latest]):
        return before, recent
    return earlier[0], [*earlier[1], *recent]


def _changed(operations: Sequence[Operation]) -> bool:
    return any(o.f != "read" and o.outcome == "ok" for o in operations)


# ---- what to leave out ----------------------------------------------------------------------------------------------


def _reduced(operations: list[Operation], before: State, culprit: Operation, bench: _Bench) -> list[Operation]:
    """Fewer operations that have no explanation either: halves are tried first, then smaller pieces (Zeller's ddmin)."""
    kept, piece = list(operations), max(1, len(operations) // 2)
    while bench.left > 0:
        start, smaller = 0, False
        while start < len(kept) and bench.left > 0:
            rest = _without(kept, kept[start : start + piece], culprit, bench.grows)
            if len(rest) < len(kept) and bench.explained(rest, before) is False:
                kept, smaller = rest, True
            else:
                start += piece
        if piece == 1 and not smaller:
            break
        piece = max(1, piece // 2)
    return kept


def _without(kept: list[Operation], left_out: list[Operation], culprit: Operation, grows: bool) -> list[Operation]:
    """`kept` without what of `left_out` may be left out (Law 2)."""
    gone = {o for o in left_out if o is not culprit}
    while True:
        seen = {_seen(o) for o in kept if o not in gone and o.f in ("read", "cas")}
        texts = {flesh(value) for value in seen}
        back = {o for o in gone if (_part_of(o, texts) if grows else o.f != "read" and o.value in seen)}
        if not back:
            return [o for o in kept if o not in gone]
        gone -= back


def _part_of(operation: Operation, texts: Iterable[str]) -> bool:
    return any(may_be_part(operation, text) for text in texts)


def _seen(operation: Operation) -> State:
    return operation.value if operation.f == "read" else operation.expect


# ---- what could have been seen --------------------------------------------------------------------------------------


def _could_see(operation: Operation, recent: Sequence[Operation], before: State, bench: _Bench) -> tuple[State, ...] | None:
    """Values that `operation` could have seen or swapped, given all that had returned by its own return."""
    others = [o for o in until(recent, operation.ended) if o is not operation and o.constrains]
    tour = bench.tour(others, before)
    if tour is None:
        return None
    probe = copy(operation)
    found: list[State] = []
    for value in tour.states:
        if probe.f == "read":
            probe.value = value
        else:
            probe.expect = value
        answer = bench.explained([*others, probe], before)
        if answer is None:
            return None
        if answer:
            found.append(value)
    return tuple(sorted(found, key=lambda value: (value is not None, value))[:COULD_SEE_MAX])
