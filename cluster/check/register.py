"""All the ways in which one register's history can still be explained (just-in-time linearization: Lowe 2017, §4).

A configuration is `(state, done, tuck)`: the register's value; the pending operations that already took effect; and the pending
reads and writes that *may* have, unseen, just before the last blind write did. Masks hold one bit per pending operation.

Law 1: an operation takes effect between its invocation and its return; it is made to, if need be, when it returns, and no sooner.
Law 2: reads change nothing, so a read takes effect as soon as its value stands. Its value must be known when it is invoked here:
whoever feeds the configurations holds a read back until it has returned.
Law 3: a blind write hides whatever came just before it. Every write pending then may have been hidden there, and reads of its
value with it: `tuck` keeps that choice open, which saves the 2ⁿ subsets of n concurrent writes.
Law 4: what returned unknown stays pending for ever; it takes effect only where that explains something.
Law 5: past the bounds `TooHard` is raised and nothing has changed.
"""

from __future__ import annotations

from collections.abc import Iterable

from cluster.check.search import Effort, TooHard
from cluster.core.types import Micros

Value = str | None
Config = tuple[Value, int, int]

PENDING_MAX = 1_024
# Configurations kept, and steps taken to explain one return. In a crowd, keeping all explanations soon becomes hopeless and
# costs more than looking for one (see `burst`): give up early there.
CONFIGS_MAX, STEPS_MAX = 1_024, 4_000
CROWD = 32
CROWD_CONFIGS_MAX, CROWD_STEPS_MAX = 64, 500


class Op:
    """One operation. `value` is what it wrote, would set, or saw; `expect` is a compare-and-set's condition."""

    __slots__ = ("bit", "expect", "f", "invoked_us", "judged", "node", "outcome", "process", "returned_us", "value")

    def __init__(self, f: str, process: int, node: str, invoked_us: Micros, value: Value, expect: Value = None) -> None:
        self.f, self.process, self.node, self.invoked_us = f, process, node, invoked_us
        self.value, self.expect = value, expect
        self.outcome = ""  # "" while open, then "ok" | "fail" | "info"
        self.returned_us: Micros = 0
        self.judged = False  # its return was taken into account
        self.bit = 0


class Configurations:
    """The configurations of one register that begins with `state`; `effort` is told of every step."""

    __slots__ = ("_cas_from", "_effort", "_info", "_masks", "_ops", "_reads_of", "_writes_of", "configs")

    def __init__(self, state: Value = None, effort: Effort | None = None) -> None:
        self._effort = effort or Effort()
        self.configs: set[Config] = {(state, 0, 0)}
        self._ops: dict[int, Op] = {}
        self._masks = {"read": 0, "write": 0, "cas": 0}
        self._info = 0
        # Indexes over pending operations, by the value that they write, expect or saw.
        self._writes_of: dict[Value, int] = {}
        self._cas_from: dict[Value, int] = {}
        self._reads_of: dict[Value, int] = {}

    @property
    def pending(self) -> Iterable[Op]:
        return self._ops.values()

    @property
    def quiet(self) -> bool:
        """Nothing is pending but what returned unknown."""
        return len(self._ops) == self._info.bit_count()

    @property
    def _crowded(self) -> bool:
        return len(self._ops) - self._info.bit_count() > CROWD

    @property
    def certain(self) -> bool:
        """Exactly one explanation is left, and nothing is pending: what came before no longer matters."""
        return not self._ops and len(self.configs) == 1

    @property
    def value(self) -> Value:
        """The one value left; only while `certain`."""
        assert self.certain
        return next(iter(self.configs))[0]

    def invoke(self, op: Op) -> None:
        """`op` begins. A read carries the value that it will return (Law 2)."""
        if len(self._ops) >= PENDING_MAX:
            raise TooHard(f"more than {PENDING_MAX} operations pending")
        used = self._masks["read"] | self._masks["write"] | self._masks["cas"]
        op.bit = ~used & (used + 1)  # the lowest free bit
        self._ops[op.bit] = op
        self._masks[op.f] |= op.bit
        index, value = self._index(op)
        index[value] = index.get(value, 0) | op.bit
        if op.f == "read":
            self.configs = {(s, d | op.bit if s == op.value else d, t) for s, d, t in self.configs}

    def ok(self, op: Op) -> bool:
        """`op` returned, having taken effect. False: no configuration explains it (and none is left)."""
        bit = op.bit
        survivors: set[Config] = set()
        open_configs: list[Config] = []
        for config in self.configs:
            state, done, tuck = config
            if done & bit:
                survivors.add((state, done ^ bit, tuck))
                continue
            open_configs.append(config)
            if tuck & bit:
                survivors.update(self._tucked(config, op))
        if open_configs:
            survivors.update(self._reach(open_configs, op))
        self._leave(op, self._pruned(survivors))
        return bool(self.configs)

    def fail(self, op: Op) -> bool:
        """`op` certainly never took effect. False: every explanation needed it."""
        bit = op.bit
        self._leave(op, {(s, d, t & ~bit) for s, d, t in self.configs if not d & bit})
        return bool(self.configs)

    def info(self, op: Op) -> None:
        """`op` returned unknown: a read constrains nothing and is dropped, a mutator stays for ever (Law 4)."""
        if op.f == "read":
            bit = op.bit
            self._leave(op, {(s, d & ~bit, t & ~bit) for s, d, t in self.configs})
        else:
            self._info |= op.bit
            self.configs = self._pruned(self.configs)

    # ---- bookkeeping ------------------------------------------------------------------------------------------------

    def _index(self, op: Op) -> tuple[dict[Value, int], Value]:
        if op.f == "read":
            return self._reads_of, op.value
        if op.f == "write":
            return self._writes_of, op.value
        return self._cas_from, op.expect

    def _leave(self, op: Op, configs: set[Config]) -> None:
        self.configs = configs
        del self._ops[op.bit]
        self._masks[op.f] &= ~op.bit
        index, value = self._index(op)
        left = index[value] & ~op.bit
        if left:
            index[value] = left
        else:
            del index[value]

    # ---- taking effect ----------------------------------------------------------------------------------------------

    def _tucked(self, config: Config, op: Op) -> list[Config]:
        """`op` took effect before the last blind write: a write unseen, or a read together with a hidden write of its value."""
        if op.f == "write":
            return [_without(self._tuck(config, op.bit, op.value), op.bit)]
        hidden = self._writes_of.get(op.value, 0) & config[2]
        unknowns = hidden & self._info
        # Equal writes that never return are interchangeable.
        choices = (hidden & ~self._info) | (unknowns & -unknowns)
        return [_without(self._tuck(config, bit, op.value), op.bit) for bit in _bits(choices)]

    def _tuck(self, config: Config, bit: int, value: Value) -> Config:
        state, done, tuck = config
        taken = bit | (self._reads_of.get(value, 0) & tuck)
        return state, done | taken, tuck & ~taken

    def _write(self, config: Config, bit: int, value: Value) -> Config:
        """A blind write: everything pending may have been hidden just before it (Law 3)."""
        done = config[1] | bit | self._reads_of.get(value, 0)
        return value, done, (self._masks["read"] | self._masks["write"]) & ~done

    def _swap(self, config: Config, op: Op) -> Config:
        _, done, tuck = config
        taken = self._reads_of.get(op.value, 0) & ~done
        return op.value, done | op.bit | taken, tuck & ~taken

    def _reach(self, starts: list[Config], goal: Op) -> set[Config]:
        """Every configuration in which `goal` took effect now, after as few others as that needs (Law 1)."""
        swaps, target = self._useful_swaps(goal), self._target(goal)
        bit, found, steps_max = goal.bit, set[Config](), CROWD_STEPS_MAX if self._crowded else STEPS_MAX
        seen, stack = set(starts), list(starts)
        while stack:
            config = stack.pop()
            if goal.f == "read":
                if config[1] & bit:
                    found.add(_without(config, bit))
                    continue
            elif goal.f == "write":
                found.add(_without(self._write(config, bit, goal.value), bit))
            elif config[0] == goal.expect:
                found.add(_without(self._swap(config, goal), bit))
            for after in self._steps(config, bit, swaps, target):
                if after not in seen:
                    seen.add(after)
                    stack.append(after)
            self._effort.steps += 1
            if len(seen) > steps_max:
                raise TooHard(f"more than {steps_max} steps to explain one operation")
        return found

    def _target(self, goal: Op) -> tuple[Value, ...]:
        """Values that help `goal` itself."""
        if goal.f == "write":
            return ()
        return (goal.value if goal.f == "read" else goal.expect,)

    def _steps(self, config: Config, goal_bit: int, swaps: int, target: tuple[Value, ...]) -> Iterable[Config]:
        """Configurations after one pending operation that is of use: a swap, or a write that feeds a swap or the goal."""
        state, done, _ = config
        for bit in _bits(self._cas_from.get(state, 0) & swaps & ~done):
            yield self._swap(config, self._ops[bit])
        wanted = dict.fromkeys(target)
        for bit in _bits(swaps & ~done):
            wanted[self._ops[bit].expect] = None
        for value in wanted:
            writes = self._writes_of.get(value, 0) & ~done & ~goal_bit
            unknowns = writes & self._info
            for bit in _bits((writes & ~self._info) | (unknowns & -unknowns)):
                yield self._write(config, bit, value)

    def _useful_swaps(self, goal: Op) -> int:
        """Pending compare-and-sets worth trying: those that must return, and unknown ones whose result something wants."""
        everyone = self._masks["cas"] & ~goal.bit
        unknown = everyone & self._info
        useful = everyone & ~unknown
        if not unknown:
            return useful
        wanted = set(self._target(goal)) | set(self._reads_of) | {self._ops[bit].expect for bit in _bits(useful)}
        growing = True
        while growing:
            growing = False
            for bit in _bits(unknown & ~useful):
                if self._ops[bit].value in wanted:
                    useful |= bit
                    wanted.add(self._ops[bit].expect)
                    growing = True
        return useful

    # ---- dominance --------------------------------------------------------------------------------------------------

    def _pruned(self, configs: set[Config]) -> set[Config]:
        """Without those that another one can do everything for. Raises `TooHard` when too many are left."""
        if len(configs) < 2:
            return configs
        configs_max = CROWD_CONFIGS_MAX if self._crowded else CONFIGS_MAX
        kept: list[Config] = []
        by_state: dict[Value, list[Config]] = {}
        # Fewest mutators done first: they dominate.
        mutators = self._masks["write"] | self._masks["cas"]
        for config in sorted(configs, key=lambda c: ((c[1] & mutators).bit_count(), -c[2].bit_count())):
            rivals = by_state.setdefault(config[0], [])
            self._effort.steps += 1 + len(rivals)
            if not any(self._dominates(rival, config) for rival in rivals):
                rivals.append(config)
                kept.append(config)
                if len(kept) > configs_max:
                    raise TooHard(f"more than {configs_max} configurations")
        return set(kept)

    def _dominates(self, one: Config, other: Config) -> bool:
        """Whether `one` (same state) can become `other`, or do without what `other` has spent."""
        reads = self._masks["read"]
        done, others_done = one[1], other[1]
        spent_more = done & ~others_done & ~reads
        lacks_reads = others_done & ~done & reads
        # What the other has spent and this one has not: never needed, or tucked in when it is.
        stuck = others_done & ~done & ~reads & ~self._info & ~(one[2] & self._masks["write"])
        lacks_choice = other[2] & ~one[2] & ~(done & reads)
        return not (spent_more or lacks_reads or stuck or lacks_choice)


def _without(config: Config, bit: int) -> Config:
    return config[0], config[1] & ~bit, config[2] & ~bit


def _bits(mask: int) -> list[int]:
    bits: list[int] = []
    while mask:
        low = mask & -mask
        bits.append(low)
        mask ^= low
    return bits
