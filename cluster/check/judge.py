"""Is a finished history linearizable? One case per key, heard in turns of bounded work.

A register's key first goes to the judge that works while clients go on (`linearizability`), which keeps every explanation and is quick;
where that is too hard, and for keys that grow by appends, an order is searched (`orders`), which is patient.

Law 1: no case is heard longer than a turn before all others had theirs: a hard key hides no easy violation on another.
Law 2: memory is bounded by the steps that may be spent in all; what they do not decide is unknown, with the reason, never a guess.
Law 3: a violation comes with the shortest prefix of its key that has no explanation; when a bound prevents the proof that it is the
shortest, with one that certainly has none.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

import msgspec

from cluster.check.bounds import Bounds
from cluster.check.linearizability import KeyHistory
from cluster.check.models import State, prepare
from cluster.check.nowhere import first_from_nowhere
from cluster.check.operations import NEVER, Operation, Operations, until
from cluster.check.orders import Orders, Trial
from cluster.check.search import TooHard, shortest
from cluster.check.violation import OK, UNKNOWN, VIOLATED, Violation
from cluster.telemetry.control import HistoryLine

LINEARIZABLE, NOT_LINEARIZABLE = "linearizable", "not-linearizable"
TURN_STEPS = 500
# A step costs about 20 microseconds, and 300 bytes at most.
STEPS_MAX = 200_000
_PREFIX_STEPS = 2_000
# Nothing waits for a client that may still answer: all answers are known.
_FINISHED = Bounds(lost_read_us=NEVER, waiting=1_000_000)


class Finding(msgspec.Struct, frozen=True):
    """The prefix of `key` up to `place` in the history cannot be explained; `operation` returned there."""

    key: str
    place: int
    operation: Operation
    grows: bool


class Judgement(msgspec.Struct, frozen=True):
    """`verdict`: "linearizable" | "not-linearizable" | "unknown". `findings`: at most one per key, earliest first; `undecided`:
    key -> why. `steps`: the work done, the same on every machine."""

    verdict: str
    findings: tuple[Finding, ...]
    undecided: dict[str, str]
    steps: int


class Case:
    """One key on trial. `hear(steps)` until `state` is no longer "": "ok", "violated" (then `place` is set) or "unknown"."""

    def __init__(self, key: str, operations: Sequence[Operation], grows: bool) -> None:
        self.key, self.operations, self.grows = key, operations, grows
        self.state = self.reason = ""
        self.place = NEVER
        self.steps = 0
        self._quick = None if grows else Quick(operations)
        self._trial: Trial | None = None
        self._nowhere = NEVER  # where a value from nowhere was seen

    @property
    def patient(self) -> bool:
        """An order is being searched: every step is remembered."""
        return self._quick is None

    @property
    def searched(self) -> bool:
        """It has had a turn of that."""
        return self._trial is not None

    def hear(self, steps: int) -> None:
        if self._quick is None:
            self._look(steps)
            return
        before = self._quick.steps
        self._quick.hear(steps)
        self.steps += self._quick.steps - before
        if self._quick.state == UNKNOWN:
            self._quick = None  # too hard for it: search, in the turns to come
        else:
            self.state, self.place = self._quick.state, self._quick.place

    def give_up(self, reason: str) -> None:
        """Without a verdict, unless something was seen that needs no search."""
        self.state, self.reason = UNKNOWN, reason
        if self._nowhere < NEVER:
            self.state, self.place = VIOLATED, self._nowhere
        self._trial = None

    def _look(self, steps: int) -> None:
        try:
            trial = self._trial = self._trial or self._begun()
        except TooHard as hard:
            self.give_up(str(hard))
            return
        before = trial.steps
        explained = trial.advance(steps)
        self.steps += trial.steps - before
        if explained is None:
            return
        if explained:
            self.state, self.place = (VIOLATED if self._nowhere < NEVER else OK), self._nowhere
        else:
            self.state, self.place = VIOLATED, self._first_inexplicable(trial.stuck)
        self._trial = None

    def _begun(self) -> Trial:
        """Search an order; before a value from nowhere, only whether something else was wrong before it."""
        found = first_from_nowhere(self.operations)
        self._nowhere = found.ended if found else NEVER
        return Trial(Orders(until(self.operations, self._nowhere - 1)))

    def _first_inexplicable(self, certain: int) -> int:
        """Law 3. The search got as far as the return at `certain`, knowing what was to come; without that, it may get further."""
        ends = {o.ended for o in self.operations if o.outcome in ("ok", "fail")}
        places = sorted(place for place in ends if certain <= place < min(self._nowhere, NEVER))

        def explained(length: int) -> bool:
            return _explained(self.operations, places[length - 1]) is not False

        reach = 1  # the place is near: look in widening steps, then between the last two
        while reach < len(places) and explained(reach):
            reach = 2 * reach + 1
        return places[shortest(min(reach, len(places)), explained) - 1]


class Quick:
    """The live judge over the records of one register, of which everything is known by now. It begins with `state`.

    `hear(steps)` until its own `state` is no longer "".
    """

    def __init__(self, operations: Sequence[Operation], state: State = None) -> None:
        self._history = KeyHistory(operations[0].key if operations else "", _FINISHED, state)
        # Only what has a bearing: a read without a result says nothing.
        heard = [o for o in operations if o.f != "read" or o.outcome == "ok"]
        returns = [(o.told, o.outcome, o) for o in heard if o.outcome]
        self._records = deque(sorted([*((o.begun, "invoke", o) for o in heard), *returns], key=lambda record: record[0]))
        self.state, self.place = "", NEVER

    @property
    def steps(self) -> int:
        return self._history.effort.steps

    def hear(self, steps: int) -> None:
        limit = self.steps + steps
        for _ in range(steps):
            if not self._records:
                self._note(self._history.advance(0, final=True))
                self.state = self.state or self._history.state
            else:
                self._note(self._history.accept(_line(*self._records.popleft())))
            if self.state or self.steps >= limit:
                return

    def hear_all(self) -> None:
        while not self.state:
            self.hear(TURN_STEPS)

    def _note(self, violation: Violation | None) -> None:
        if violation is not None:
            self.state, self.place = VIOLATED, violation.at_us
        elif self._history.state != OK:
            self.state = self._history.state


def _line(place: int, kind: str, operation: Operation) -> HistoryLine:
    """A record for the live judge, whose clock is the place in the history and whose processes are the operations."""
    if operation.f == "cas":
        value: tuple[str | None, ...] = (operation.expect, operation.value)
    else:
        value = () if operation.f == "read" and kind == "invoke" else (operation.value,)
    return HistoryLine(operation.number, kind, operation.f, operation.key, value, place, operation.node)


def _explained(operations: Sequence[Operation], place: int) -> bool | None:
    """Whether the records up to `place` have an explanation; None when a bound leaves it open."""
    try:
        orders = Orders(until(operations, place))
    except TooHard:
        return None
    return Trial(orders).advance(_PREFIX_STEPS)


def judge(operations: Operations, steps_max: int = STEPS_MAX) -> Judgement:
    """Hear all cases in turns. Raises `Malformed` for values that no key of the model can hold."""
    cases = [Case(key, own, prepare(own, operations.model)) for key, own in operations.by_key.items()]
    spent = _hear(cases, steps_max, lambda: any(case.state == VIOLATED for case in cases))
    violated = sorted((case for case in cases if case.state == VIOLATED), key=lambda case: case.place)
    findings = tuple(Finding(case.key, case.place, _at(case), case.grows) for case in violated)
    undecided = {case.key: case.reason for case in cases if case.state == UNKNOWN}
    verdict = NOT_LINEARIZABLE if findings else UNKNOWN if undecided or not operations.completed else LINEARIZABLE
    return Judgement(verdict, findings, undecided, spent)


def _hear(cases: list[Case], steps_max: int, decided: Callable[[], bool]) -> int:
    """Turns until every case is decided, or the steps to be remembered are spent. Returns all steps."""
    waiting, spent = deque(cases), 0
    while waiting:
        case = waiting.popleft()
        before = case.steps
        if case.searched and decided():
            case.give_up("another key had been found violated, so no order was searched to the end")
            continue
        case.hear(TURN_STEPS)
        spent += case.steps - before if case.patient else 0
        if not case.state and case.patient and spent >= steps_max:
            case.give_up(f"not decided within {steps_max} steps")
        elif not case.state:
            waiting.append(case)
    return sum(case.steps for case in cases)


def _at(case: Case) -> Operation:
    return next(o for o in case.operations if o.ended == case.place)
