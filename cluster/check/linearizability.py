"""Is what the clients saw explainable by one register per key? Answered while they go on.

Law 1: `violated` names the first return that no order explains, with the shortest prefix of its key that shows it.
Law 2: a bound that is reached makes that key `unknown`, never a guess; the other keys are judged as before.
Law 3: memory is bounded per key and in keys; what can no longer matter is dropped as soon as one explanation is left.
Law 4: a key's records wait for the reads that were open when they were made (see `register`); a verdict is late by at most the
time in which those return, and is never early.

A `fail` of any kind means "had no effect"; an `ok` compare-and-set swapped. Keys begin absent (None).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from cluster.check.bounds import Bounds
from cluster.check.burst import Happening, explains, first_inexplicable
from cluster.check.register import Configurations, Op, Value
from cluster.check.search import Effort, TooHard
from cluster.check.violation import OK, UNKNOWN, VIOLATED, Violation
from cluster.core.errors import ProtocolError
from cluster.core.types import SECOND, Micros
from cluster.telemetry.control import HistoryLine

LIGHT = "linearizable"
WITNESS_OPS_MAX = 64
VIOLATIONS_MAX = 16


class KeyHistory:
    """One key: what waits, what is still possible, and the tail of operations to show."""

    __slots__ = (
        *("bounds", "burst", "checked", "effort", "journal", "key", "left_out"),
        *("open", "reason", "retry_at", "space", "state", "waiting"),
    )

    def __init__(self, key: str, bounds: Bounds, state: Value = None) -> None:
        self.key, self.bounds = key, bounds
        self.effort = Effort()
        self.space = Configurations(state, self.effort)
        self.open: dict[int, Op] = {}  # process -> its operation
        self.waiting: deque[Happening] = deque()
        self.burst = False  # too crowded to keep every explanation: wait until all have returned, then look for one
        self.retry_at = 0  # records that must wait before it is worth looking again
        self.journal: deque[Op] = deque(maxlen=WITNESS_OPS_MAX)  # since the last moment with one explanation
        self.left_out = 0  # operations before the journal
        self.state, self.reason, self.checked = OK, "", 0

    @property
    def settled(self) -> bool:
        """Nothing waits, nothing is open, and one value is left."""
        return not self.waiting and not self.open and self.space.certain

    def give_up(self, reason: str) -> None:
        self.state, self.reason = UNKNOWN, reason
        self._drop()

    def accept(self, line: HistoryLine) -> Violation | None:
        """Take one record of this key."""
        if line.kind == "invoke":
            op = _op(line)
            if line.process in self.open:
                self.give_up(f"process {line.process} has two operations open on {self.key}")
                return None
            self.open[line.process] = op
        else:
            known = self.open.pop(line.process, None)
            if known is None:
                return None  # its invocation was never seen, or was retired
            op = known
            op.outcome, op.returned_us = line.kind, line.at_us
            if line.kind == "ok":
                op.node = line.node
                if op.f == "read":
                    op.value = line.value[0] if line.value else None
            if op.judged:
                if line.kind == "ok":
                    self.give_up(f"a read of {self.key} returned after it was given up")
                return None
        self.waiting.append((line.kind, op))
        return self.advance(line.at_us)

    def advance(self, now: Micros, final: bool = False) -> Violation | None:
        """Judge what no longer waits. `final`: nothing more will come, so open reads are lost."""
        if self.burst:
            return self._advance_burst(final)
        waiting = self.waiting
        while waiting:
            kind, op = waiting[0]
            if not op.outcome and op.f == "read" and kind == "invoke":
                lost = final or now - op.invoked_us > self.bounds.lost_read_us or len(waiting) > self.bounds.waiting
                if not lost:
                    return None
                op.judged = True
                waiting.popleft()
                continue
            try:
                explained = self._judge(kind, op)
            except TooHard:
                self.burst = True
                return self._advance_burst(final)
            waiting.popleft()
            if not explained:
                return self._violated(op)
        return None

    def _judge(self, kind: str, op: Op) -> bool:
        """One happening; False when nothing explains it. Raises `TooHard`, and then nothing has changed."""
        if kind == "invoke":
            if op.f == "read" and op.outcome != "ok":
                op.judged = True
                return True  # constrains nothing
            self.space.invoke(op)
            self._note(op)
            return True
        if op.f == "read" and kind != "ok":
            return True
        explained = True
        if kind == "ok":
            explained = self.space.ok(op)
        elif kind == "fail":
            explained = self.space.fail(op)
        else:
            self.space.info(op)
        op.judged = True
        self.checked += 1
        if self.space.certain:
            self.left_out += len(self.journal)
            self.journal.clear()
        return explained

    def _note(self, op: Op) -> None:
        if len(self.journal) == WITNESS_OPS_MAX:
            self.left_out += 1
        self.journal.append(op)

    # ---- bursts -----------------------------------------------------------------------------------------------------

    def _advance_burst(self, final: bool) -> Violation | None:
        if len(self.waiting) > self.bounds.waiting:
            self.give_up(f"too many operations on {self.key} overlap")
            return None
        if not final and (self.open or (len(self.waiting) < self.retry_at and not self._conclusive())):
            return None
        if self.retry_at == 2 * len(self.waiting) > 0:
            self._after_burst(final)  # explained already, and nothing has come since
            return None
        starts, pending, happenings = list(self.space.configs), list(self.space.pending), list(self.waiting)
        try:
            if explains(starts, pending, happenings, self.effort):
                self._after_burst(final)
                return None
            at = first_inexplicable(starts, pending, happenings, self.effort)
        except TooHard as hard:
            self.give_up(f"{self.key}: {hard}")
            return None
        for kind, op in happenings[: at + 1]:
            if kind == "invoke":
                self._note(op)
            else:
                op.judged = True
        return self._violated(happenings[at][1])

    def _conclusive(self) -> bool:
        """The last operation stood alone and returned: it says what the value is, and nothing unknown can change it."""
        happenings = self.waiting
        if len(happenings) < 2 or happenings[-1][0] != "ok" or happenings[-2] != ("invoke", happenings[-1][1]):
            return False
        involved = (*self.space.pending, *(op for _, op in happenings))
        return all(op.f == "read" or op.outcome != "info" for op in involved)

    def _after_burst(self, final: bool) -> None:
        """Start afresh once the value is certain; otherwise go on collecting, and look again when there is twice as much."""
        self.retry_at = 2 * len(self.waiting)
        if not final and not self._conclusive():
            return
        happenings = list(self.waiting)
        self.checked += sum(kind != "invoke" for kind, _ in happenings)
        self.left_out += len(self.journal) + sum(kind == "invoke" for kind, _ in happenings)
        self.journal.clear()
        self.space = Configurations(happenings[-1][1].value, self.effort)
        self.waiting.clear()
        self.burst, self.retry_at = False, 0

    # ---- verdict ----------------------------------------------------------------------------------------------------

    def _violated(self, op: Op) -> Violation:
        words = _words(op)
        evidence = f"{self.key}: {words} at {op.node or '?'} cannot be explained"
        earlier = [f"({self.left_out} earlier operations on {self.key})"] if self.left_out else []
        witness = (*earlier, *(_line(entry, entry is op) for entry in self.journal))
        self.state, self.reason = VIOLATED, evidence
        violation = Violation(LIGHT, op.returned_us, evidence, witness, self.key)
        self._drop()
        return violation

    def _drop(self) -> None:
        self.waiting.clear()
        self.open.clear()
        self.journal.clear()
        self.space = Configurations(effort=self.effort)


class LiveChecker:
    """Fed with every client's records in real-time order; see the laws above. Malformed records raise `ProtocolError`."""

    def __init__(self, bounds: Bounds = Bounds()) -> None:  # noqa: B008 - frozen
        self._bounds = bounds
        self._keys: dict[str, KeyHistory] = {}
        self._resting: dict[str, Value] = {}  # retired keys and the one value that each can hold
        self._retired_checked = 0
        self._overflow = 0  # operations of keys that found no room
        self._forgotten = False
        self.unknown: dict[str, str] = {}  # key -> why; the first few
        self.violations: list[Violation] = []  # the first few

    @property
    def state(self) -> str:
        """ "violated" outranks "unknown" outranks "ok"."""
        return VIOLATED if self.violations else UNKNOWN if self.unknown or self._overflow else OK

    @property
    def evidence(self) -> str:
        """One line for the light: the first violation, or why something is unknown."""
        if self.violations:
            return self.violations[0].evidence
        if self.unknown:
            return next(iter(self.unknown.values()))
        return f"{self._overflow} operations on more than {self._bounds.keys} keys were not judged" if self._overflow else ""

    @property
    def checked(self) -> int:
        """Returns that were judged."""
        return self._retired_checked + sum(key.checked for key in self._keys.values())

    @property
    def steps(self) -> int:
        """Work done for the keys that are held, retired ones left out (see `search.Effort`)."""
        return sum(key.effort.steps for key in self._keys.values())

    @property
    def waiting(self) -> int:
        """Records that wait for open operations."""
        return sum(len(key.waiting) for key in self._keys.values())

    @property
    def keys(self) -> int:
        return len(self._keys)

    def feed(self, line: HistoryLine) -> Violation | None:
        """Take one record; the violation that it brings to light, if any. Each key is violated at most once."""
        history = self._keys.get(line.key)
        if history is None:
            if line.kind != "invoke":
                return None
            if len(self._keys) >= self._bounds.keys or (self._forgotten and line.key not in self._resting):
                self._overflow += 1
                return None
            history = self._keys[line.key] = KeyHistory(line.key, self._bounds, self._resting.pop(line.key, None))
        if history.state != OK:
            return None
        violation = history.accept(line)
        return None if violation is None and history.state == OK else self._record(history, violation)

    def retire(self, key: str) -> None:
        """`key` is idle: free what can be freed. It may come back, with the value that it had.

        A key with operations open, or with more than one possible value, stays as it is.
        """
        history = self._keys.get(key)
        if history is None or history.state != OK or not history.settled:
            return
        del self._keys[key]
        self._retired_checked += history.checked
        self._resting[key] = history.space.value
        if len(self._resting) > self._bounds.resting:
            del self._resting[next(iter(self._resting))]
            # From here on a name that is not known may be a forgotten key, which did not begin absent.
            self._forgotten = True

    def idle(self, key: str) -> bool:
        """No operation is open on `key`."""
        history = self._keys.get(key)
        return history is None or not history.open

    def forget(self, key: str) -> Violation | None:
        """`key` is idle, and nobody will ever use it again: judge it as `finish` would, and free it whatever its values may be.

        Nothing that was seen goes unjudged. What is given up is the future: a record of this key that came after all would be judged
        as if the key were new, so whoever calls vouches that none does. (`retire` asks for no such promise, and so has to keep
        every key with a write of unknown outcome.)
        """
        history = self._keys.get(key)
        if history is None:
            return None
        violation = self._close(history)
        del self._keys[key]
        self._retired_checked += history.checked
        return violation

    def finish(self) -> list[Violation]:
        """The history is over: open reads are lost, open writes unknown. Returns the violations that this brings to light."""
        found = [self._close(history) for history in self._keys.values()]
        return [violation for violation in found if violation is not None]

    def _close(self, history: KeyHistory) -> Violation | None:
        if history.state != OK:
            return None
        return self._record(history, history.advance(0, final=True))

    def _record(self, history: KeyHistory, violation: Violation | None) -> Violation | None:
        if violation is not None and len(self.violations) < VIOLATIONS_MAX:
            self.violations.append(violation)
        if history.state == UNKNOWN and len(self.unknown) < VIOLATIONS_MAX:
            self.unknown[history.key] = history.reason
        return violation


def check(lines: Iterable[HistoryLine], bounds: Bounds = Bounds()) -> LiveChecker:  # noqa: B008 - frozen
    """Judge a finished history; ask the result for `state`, `checked`, `violations` and `unknown`."""
    checker = LiveChecker(bounds)
    for line in lines:
        checker.feed(line)
    checker.finish()
    return checker


_ARITIES = {"read": (0, 1), "write": (1,), "cas": (2,)}


def _op(line: HistoryLine) -> Op:
    """The operation that an invocation begins. Raises `ProtocolError` when the line is not of this history's shape."""
    if len(line.value) not in _ARITIES.get(line.f, ()):
        raise ProtocolError(f"{line.f} with {len(line.value)} values is no register operation")
    if line.f == "cas":
        return Op("cas", line.process, line.node, line.at_us, line.value[1], line.value[0])
    return Op(line.f, line.process, line.node, line.at_us, line.value[0] if line.f == "write" else None)


def _words(op: Op) -> str:
    if op.f == "cas":
        return f"cas {op.expect!r} → {op.value!r} by process {op.process}"
    return f"{op.f} {op.value!r} by process {op.process}"


def _line(op: Op, culprit: bool) -> str:
    """One operation for people: times in seconds, what, who answered, how it ended as far as the prefix goes."""
    ended = f"{op.returned_us / SECOND:.6f}" if op.judged else "…"
    outcome = op.outcome if op.judged else "open"
    mark = "  ← cannot be explained" if culprit else ""
    return f"{op.invoked_us / SECOND:.6f}–{ended}  {_words(op)}  {op.node or '?'}  {outcome}{mark}"
