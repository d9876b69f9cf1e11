"""One explanation of a crowded stretch of a register's history, or proof that there is none (Wing & Gong 1993, Lowe's memo).

Where very many compare-and-sets overlap, keeping *all* explanations is hopeless while finding *one* is easy: see `search`. Here
are the register's own short cuts.

Law 1: the answer is a proof or it is `TooHard`: the budget never turns into a verdict.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cluster.check.register import Config, Op, Value
from cluster.check.search import Effort, Search, TooHard, shortest

BUDGET_STEPS = 4_000
NEVER = 1 << 62

# One event of a history: "invoke" | "ok" | "fail" | "info", and whose.
Happening = tuple[str, Op]
# What took effect, the value, and what may have unseen (`register`, Law 3).
Node = tuple[int, Value, int]


class Burst:
    """The operations of one stretch. `pending` were open when it began, with the bits that `starts` know them by."""

    def __init__(self, starts: Iterable[Config], pending: Sequence[Op], happenings: Sequence[Happening], effort: Effort) -> None:
        self._starts, self._effort = list(starts), effort
        self._ops = list(pending)
        begun = dict.fromkeys(pending, -1)
        self._ended = dict.fromkeys(pending, NEVER)
        for at, (kind, op) in enumerate(happenings):
            if kind == "invoke":
                self._ops.append(op)
                begun[op], self._ended[op] = at, NEVER
            elif kind == "ok":
                self._ended[op] = at
        refused = {op for kind, op in happenings if kind == "fail"}
        # A read that returned nothing constrains nothing, and what certainly failed is not there to take effect.
        self._ops = [op for op in self._ops if op not in refused and (op.f != "read" or self._ended[op] != NEVER)]
        self._bit = {op: 1 << number for number, op in enumerate(self._ops)}
        self._begun = [begun[op] for op in self._ops]
        self._owed = sorted((self._ended[op], self._bit[op]) for op in self._ops if self._ended[op] != NEVER)
        self._owed_mask = sum(bit for _, bit in self._owed)
        self._refused_pending = [op for op in pending if op not in self._bit]
        self._pending = [op for op in pending if op in self._bit]
        self._reads: dict[Value, list[tuple[int, int]]] = {}  # value -> (begun, bit) of the reads that saw it
        for op, at in zip(self._ops, self._begun, strict=True):
            if op.f == "read":
                self._reads.setdefault(op.value, []).append((at, self._bit[op]))
        self._pending_reads_of: dict[Value, int] = {}
        for op in self._pending:
            if op.f == "read":
                self._pending_reads_of[op.value] = self._pending_reads_of.get(op.value, 0) | self._bit[op]

    def explained(self) -> bool:
        """Whether some order of taking effect explains every return. Raises `TooHard` past the budget."""
        starts = [start for config in self._starts if (start := self._translated(config)) is not None]
        if not self._all_written(starts):
            return False
        search = Search(self, starts)
        answer = search.advance(BUDGET_STEPS)
        self._effort.steps += search.steps
        if answer is None:
            raise TooHard(f"more than {BUDGET_STEPS} steps to explain a burst")
        return answer

    def settled(self, node: Node) -> Node:
        """Let every open read of the present value take effect, and those that it lets in: it costs nothing."""
        done, state, tuck = node
        reads = self._reads.get(state, ())
        while True:
            limit, before = self._limit(done), done
            for begun, bit in reads:
                if begun < limit:
                    done |= bit
            if done == before:
                return done, state, tuck & ~done

    def complete(self, node: Node) -> bool:
        return not self._owed_mask & ~node[0]

    def _all_written(self, starts: list[Node]) -> bool:
        """Whether everything yet to be seen is there to be seen: the commonest violation needs no search."""
        values = {state for _, state, _ in starts} | {op.value for op in self._ops if op.f != "read"}
        settled = 0  # in some start: what those saw may be gone
        for done, _, _ in starts:
            settled |= done
        for op in self._ops:
            seen = op.value if op.f == "read" else op.expect
            if op.f != "write" and self._owed_mask & ~settled & self._bit[op] and seen not in values:
                return False
        return True

    def _translated(self, config: Config) -> Node | None:
        """A configuration's masks in this search's bits; None when it spent what turned out to have failed."""
        state, done, tuck = config
        if any(op.f != "read" and done & op.bit for op in self._refused_pending):
            return None
        here = {op.bit: self._bit[op] for op in self._pending}
        return (
            sum(bit for old, bit in here.items() if done & old),
            state,
            sum(bit for old, bit in here.items() if tuck & old),
        )

    def _limit(self, done: int) -> int:
        """The first return still owed: what begins after it cannot take effect yet."""
        return next((ended for ended, bit in self._owed if not done & bit), NEVER)

    def branches(self, node: Node) -> list[Node]:
        """What may take effect next; the most promising last, where the stack takes it first."""
        done, state, tuck = node
        limit, wanted = self._limit(done), self._wanted(done)
        ranked: list[tuple[int, int, Node]] = []
        for number, op in enumerate(self._ops):
            bit = 1 << number
            if done & bit or op.f == "read" or self._begun[number] >= limit:
                continue
            ended, useful = self._ended[op], op.value in wanted
            if op.f == "cas":
                if op.expect == state:
                    ranked.append((0 if ended != NEVER else 1 if useful else 4, ended, (done | bit, op.value, tuck & ~bit)))
                continue
            ranked.append((2 if useful else 3 if ended != NEVER else 4, ended, (done | bit, op.value, tuck & ~bit)))
            if tuck & bit:
                ranked.append((5, ended, self._tucked(done, state, tuck, op, bit)))
        ranked.sort(key=lambda choice: choice[:2], reverse=True)
        return [after for _, _, after in ranked]

    def _wanted(self, done: int) -> set[Value]:
        """Values that what must still return waits for, by way of swaps that need not return too."""
        wanted: set[Value] = set()
        optional: list[Op] = []
        for op in self._ops:
            if op.f != "write" and not done & self._bit[op]:
                if op.f == "read" or self._ended[op] != NEVER:
                    wanted.add(op.value if op.f == "read" else op.expect)
                else:
                    optional.append(op)
        growing = True
        while growing:
            useful = {op.expect for op in optional if op.value in wanted} - wanted
            wanted |= useful
            growing = bool(useful)
        return wanted

    def _tucked(self, done: int, state: Value, tuck: int, op: Op, bit: int) -> Node:
        taken = bit | (self._pending_reads_of.get(op.value, 0) & tuck)
        return done | taken, state, tuck & ~taken


def explains(starts: Iterable[Config], pending: Sequence[Op], happenings: Sequence[Happening], effort: Effort) -> bool:
    """Whether the stretch can be explained from one of `starts`. Raises `TooHard`."""
    return Burst(starts, pending, happenings, effort).explained()


def first_inexplicable(starts: Sequence[Config], pending: Sequence[Op], happenings: Sequence[Happening], effort: Effort) -> int:
    """Index of the happening that ends the shortest prefix without an explanation; the whole must have none. Raises `TooHard`."""
    return shortest(len(happenings), lambda length: explains(starts, pending, happenings[:length], effort)) - 1
