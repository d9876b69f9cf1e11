"""Why a history cannot be explained, in as few operations as show it.

Law 1: what is shown cannot be explained by itself: every reduction is judged again before it is believed.
Law 2: a reduction proves something about the whole. A read may always be left out: it only constrains. A write or a swap may be left
out of a register's history where nothing that stays saw its value: whoever explains the whole explains the rest without it. An append
stays: what follows it saw it.
Law 3: what an operation "could have seen" is judged with everything known at its return, not with the few operations shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy

import msgspec

from cluster.check.judge import Finding
from cluster.check.models import State
from cluster.check.operations import NEVER, Operation
from cluster.check.orders import Orders, Tour
from cluster.check.search import TooHard

_CHECK_STEPS = 5_000
_CHECKS_MAX = 2_000
_TOUR_STEPS = 2_000
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
    known = [o.until(finding.place) for o in operations if o.begun <= finding.place]
    culprit = finding.operation
    before, recent = _since_certain([o for o in known if o.constrains], culprit.begun)
    shown = _reduced(recent, before, culprit, finding.grows)
    if culprit not in shown:
        shown.append(culprit)  # it failed, having been seen
    shown.sort(key=lambda o: o.begun)
    return Witness(finding.key, before, len(known) - len(shown), tuple(_shown(o, o is culprit, recent, before) for o in shown))


def _shown(operation: Operation, culprit: bool, recent: Sequence[Operation], before: State) -> Shown:
    ended = None if operation.told == NEVER or operation.outcome == "info" else operation.told
    sees = operation.f in ("read", "cas") and operation.outcome == "ok"
    could_see = _could_see(operation, recent, before) if sees else None
    return Shown(operation=operation, begun=operation.begun, ended=ended, culprit=culprit, could_see=could_see)


def _explained(operations: Sequence[Operation], before: State) -> bool | None:
    try:
        return Orders(operations).search(before).advance(_CHECK_STEPS)
    except TooHard:
        return None


def _tour(operations: Sequence[Operation], before: State) -> Tour | None:
    """Everywhere that the key could go; None when that is too far."""
    try:
        tour = Tour(operations)
        return tour if tour.search(before).advance(_TOUR_STEPS) is False else None
    except TooHard:
        return None


# ---- where to begin -------------------------------------------------------------------------------------------------


def _since_certain(operations: list[Operation], latest: int) -> tuple[State, list[Operation]]:
    """The last value that was certain while nothing was open, at `latest` at the latest, and the operations since."""
    before: State = None
    recent: list[Operation] = []
    until = -1  # when the last of the recent ones ended
    for operation in sorted(operations, key=lambda o: o.begun):
        if recent and until < operation.begun <= latest:
            tour = _tour(recent, before)
            if tour is not None and len(tour.last) == 1:
                before, recent = next(iter(tour.last)), []
        recent.append(operation)
        until = max(until, operation.ended)
    return before, recent


# ---- what to leave out ----------------------------------------------------------------------------------------------


def _reduced(operations: list[Operation], before: State, culprit: Operation, grows: bool) -> list[Operation]:
    """Fewer operations that have no explanation either: halves are tried first, then smaller pieces (Zeller's ddmin)."""
    kept, piece, checks = list(operations), max(1, len(operations) // 2), 0
    while checks < _CHECKS_MAX:
        start, smaller = 0, False
        while start < len(kept) and checks < _CHECKS_MAX:
            rest = _without(kept, kept[start : start + piece], culprit, grows)
            checks += len(rest) < len(kept)
            if len(rest) < len(kept) and _explained(rest, before) is False:
                kept, smaller = rest, True
            else:
                start += piece
        if piece == 1 and not smaller:
            break
        piece = max(1, piece // 2)
    return kept


def _without(kept: list[Operation], left_out: list[Operation], culprit: Operation, grows: bool) -> list[Operation]:
    """`kept` without what of `left_out` may be left out (Law 2)."""
    gone = [o for o in left_out if o is not culprit and (o.f == "read" or not grows)]
    while True:
        seen = {_seen(o) for o in kept if o not in gone and o.f != "write"}
        back = [o for o in gone if o.f != "read" and o.value in seen]
        if not back:
            return [o for o in kept if o not in gone]
        gone = [o for o in gone if o not in back]


def _seen(operation: Operation) -> State:
    return operation.value if operation.f == "read" else operation.expect


# ---- what could have been seen --------------------------------------------------------------------------------------


def _could_see(operation: Operation, recent: Sequence[Operation], before: State) -> tuple[State, ...] | None:
    """Values that `operation` could have seen or swapped, given all that had returned by its own return."""
    others = [o.until(operation.ended) for o in recent if o is not operation and o.begun < operation.ended]
    others = [o for o in others if o.constrains]
    tour = _tour(others, before)
    if tour is None:
        return None
    probe = copy(operation)
    found: list[State] = []
    for value in tour.states:
        if probe.f == "read":
            probe.value = value
        else:
            probe.expect = value
        answer = _explained([*others, probe], before)
        if answer is None:
            return None
        if answer:
            found.append(value)
    return tuple(sorted(found, key=lambda value: (value is not None, value))[:COULD_SEE_MAX])
