"""Orders in which one key's operations can have taken effect, for any model: the maze of Wing & Gong's search (see `search`).

A node is `(state, first, ahead, spent)`: every operation that returned before the `first`th return has taken effect; of the others
those with a bit in `ahead` (relative to `first`); and of those whose outcome is unknown those with a bit in `spent`. What is behind
`first` needs no bits, so a node stays as small as the overlap, however long the history.

Law 1: an operation takes effect between its invocation and its return; what begins after the first return still owed cannot yet.
Law 2: a read changes nothing, so it takes effect as soon as its value stands.
Law 3: a state that nothing owed and nothing unknown can tell from others is as good as any: all of them are one, `UNSEEN`.
Law 4: a write hides what came just before it, so whatever nothing will see takes effect there: it is never a choice.
Law 5: what is unknown may take effect at any time from its invocation, or never.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

from cluster.check.models import UNSEEN, Impossible, State, flesh, last_sightings, may_become, step
from cluster.check.operations import NEVER, Operation
from cluster.check.search import Search, TooHard

Node = tuple[State, int, int, int]

# Pairs of overlapping operations that are listed: 150 at once on a key of ten thousand operations are 1.5 million.
OVERLAPS_MAX = 4_000_000
# At most so many things to be seen are looked at before a step is taken; enough are as many as operations overlap.
LOOK_AHEAD_MAX = 64
# So many parts looked at cost as much as a step; and so many steps are taken before the work is counted again.
PARTS_PER_STEP = 50
_SLICE_STEPS = 50


class Orders:
    """The maze of one key's operations. `furthest`: how many returns the best order so far explains. Raises `TooHard`."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        self.returned = sorted((o for o in operations if o.outcome == "ok"), key=lambda o: o.ended)
        self.adrift = [o for o in operations if o.constrains and o.ended == NEVER]
        self.furthest = self._parts = 0
        self._grows = any(o.f == "append" for o in operations)
        self._sees = [n for n, o in enumerate(self.returned) if o.f in ("read", "cas")]
        self._observed = self._observations()
        self._texts = sorted(self._observed)
        self._overlaps()
        self._makers_of: dict[int, _Makers] = {}
        self._seen_until = self._sightings()

    def _observations(self) -> dict[str, int]:
        """What is seen or expected -> the number of the last that does so; an unknown swap may at any time."""
        found: dict[str, int] = {}
        for number, operation in enumerate((*self.returned, *self.adrift)):
            if operation.f in ("read", "cas"):
                found[self._form(operation.value if operation.f == "read" else operation.expect)] = number
        return found

    def _form(self, state: State) -> str:
        """What a state and an observation have in common when they match: all of it, or, where keys grow, a beginning."""
        return flesh(state) if self._grows else state or ""

    def _unseen(self, state: State, first: int) -> bool:
        """Law 3."""
        return self._seen_last(self._form(state), first) < first

    def _seen_last(self, form: str, enough: int) -> int:
        """The number of the last operation that can see a state; or of one that is not before `enough`."""
        if not self._grows:
            return self._observed.get(form, -1)
        last = -1
        for place in range(bisect_left(self._texts, form), len(self._texts)):
            if last >= enough or not self._texts[place].startswith(form):
                break
            last = max(last, self._observed[self._texts[place]])
        return last

    def _sightings(self) -> list[int]:
        """For each returned operation the number of the last that may see its effect (Law 4)."""
        if not any(o.f == "write" for o in self.returned):
            return [NEVER] * len(self.returned)  # nothing hides anything
        pieces = last_sightings({flesh(o.value) for o in self.returned if o.f == "append"}, self._observed)
        return [
            pieces[flesh(o.value)] if o.f == "append" else NEVER if o.f != "write" else self._seen_last(self._form(o.value), NEVER)
            for o in self.returned
        ]

    @property
    def work(self) -> int:
        """What looking ahead has cost, in steps."""
        return self._parts // PARTS_PER_STEP

    def _overlaps(self) -> None:
        """For each return owed: the reads and the changes that are open then and have not returned before."""
        begins = sorted(range(len(self.returned)), key=lambda n: self.returned[n].begun)
        self._reads: list[list[int]] = []
        self._changes: list[list[int]] = []
        self._open_adrift: list[int] = []  # how many of the unknown ones have begun by then
        open_: dict[int, None] = {}
        begun = drifting = listed = 0
        for number, operation in enumerate(self.returned):
            while begun < len(begins) and self.returned[begins[begun]].begun < operation.ended:
                open_[begins[begun]] = None
                begun += 1
            while drifting < len(self.adrift) and self.adrift[drifting].begun < operation.ended:
                drifting += 1
            listed += len(open_)
            if listed > OVERLAPS_MAX:
                raise TooHard("too many operations overlap")
            self._reads.append([n for n in open_ if self.returned[n].f == "read"])
            self._changes.append(sorted(n for n in open_ if self.returned[n].f != "read"))
            self._open_adrift.append(drifting)
            del open_[number]
        # After the last return only what is unknown may still take effect.
        self._reads.append([])
        self._changes.append([])
        self._open_adrift.append(len(self.adrift))

    # ---- the maze ---------------------------------------------------------------------------------------------------

    def settled(self, node: Node) -> Node:
        """Laws 2 and 3."""
        state, first, ahead, spent = node
        while first < len(self.returned):
            for number in self._reads[first]:
                bit = 1 << (number - first)
                if not ahead & bit and self.returned[number].value == state:
                    ahead |= bit
            if not ahead & 1:
                break
            passed = (~ahead & (ahead + 1)).bit_length() - 1  # ones at the low end
            first, ahead = first + passed, ahead >> passed
        self.furthest = max(self.furthest, first)
        if state != UNSEEN and self._unseen(state, first):
            state = UNSEEN
        return state, first, ahead, spent

    def complete(self, node: Node) -> bool:
        return node[1] == len(self.returned)

    def branches(self, node: Node) -> list[Node]:
        state, first, ahead, spent = node
        goal = self._goal(first, ahead)
        hidden = sum(1 << (number - first) for number in self._changes[first] if self._seen_until[number] < first)
        ranked: list[tuple[int, int, Node]] = []
        for number in self._changes[first]:
            bit, operation = 1 << (number - first), self.returned[number]
            after = None if ahead & bit else self._after(state, operation)
            if after is not None:
                taken = bit | hidden if operation.f == "write" else bit
                ranked.append((self._rank(after[0], goal), number, (after[0], first, ahead | taken, spent)))
        for number, after in self._drifting(state, first, spent):
            ranked.append((2 + self._rank(after[0], goal), number, (after[0], first, ahead, spent | 1 << number)))
        if self._grows:
            ranked = [choice for choice in ranked if self._hopeful(choice[2])]
        ranked.sort(key=lambda choice: choice[:2], reverse=True)
        return [after for _, _, after in ranked]

    def _drifting(self, state: State, first: int, spent: int) -> list[tuple[int, tuple[State]]]:
        """Unknown operations that would change something now; of equal ones, which are interchangeable, the oldest."""
        found: dict[tuple[str, State, State], tuple[int, tuple[State]]] = {}
        for number in range(self._open_adrift[first]):
            operation = self.adrift[number]
            kind = (operation.f, operation.value, operation.expect)
            if spent >> number & 1 or kind in found:
                continue
            after = self._after(state, operation)
            if after is not None and after[0] != state:
                found[kind] = (number, after)
        return list(found.values())

    def _after(self, state: State, operation: Operation) -> tuple[State] | None:
        try:
            return (step(state, operation.f, operation.value, operation.expect),)
        except Impossible:
            return None

    # ---- what to try first, and what never --------------------------------------------------------------------------

    def _goal(self, first: int, ahead: int) -> int:
        """The number of the next operation owed that must see something; -1: none."""
        for place in range(bisect_left(self._sees, first), len(self._sees)):
            number = self._sees[place]
            if not ahead >> (number - first) & 1:
                return number
        return -1

    def _wanted(self, goal: int) -> State:
        operation = self.returned[goal]
        return operation.value if operation.f == "read" else operation.expect

    def _rank(self, state: State, goal: int) -> int:
        """0: brings the goal about, or nearer."""
        if goal < 0 or state == self._wanted(goal):
            return 0
        return 0 if self._grows and flesh(self._wanted(goal)).startswith(flesh(state)) else 1

    def _hopeful(self, node: Node) -> bool:
        """False: something that is to be seen soon never can be. Only for keys that grow, whose values tell how they came about."""
        _, first, ahead, _ = node
        place, looked = bisect_left(self._sees, first), 0
        far = min(len(self._reads[first]) + len(self._changes[first]), LOOK_AHEAD_MAX)
        while place < len(self._sees) and looked < far:
            goal = self._sees[place]
            if not ahead >> (goal - first) & 1:
                looked += 1
                if not self._reachable(node, goal):
                    return False
            place += 1
        return True

    def _reachable(self, node: Node, goal: int) -> bool:
        """Whether what the goal sees can still come about: from this state, or from what some write or swap may put there first."""
        state, first, ahead, spent = node
        makers = self._makers(goal, first)
        self._parts += 1 + len(makers.returned) + len(makers.adrift)
        left = [o for n, o in makers.returned if n >= first and not ahead >> (n - first) & 1]
        left += [o for n, o in makers.adrift if not spent >> n & 1]
        bases = [flesh(state), *(flesh(o.value) for o in left if o.f != "append")]
        pieces = [flesh(o.value) for o in left if o.f == "append"]
        return any(may_become(base, makers.wanted, pieces) for base in bases)

    def _makers(self, goal: int, first: int) -> _Makers:
        """Whatever may be part of what the goal sees, of all that may take effect from the `first` return on and before the goal."""
        makers = self._makers_of.get(goal)
        if makers is None or makers.first > first:
            wanted = flesh(self._wanted(goal))
            returned = [(n, self.returned[n]) for n in dict.fromkeys((*range(first, goal), *self._changes[goal]))]
            adrift = list(enumerate(self.adrift[: self._open_adrift[goal]]))
            parts = [[(n, o) for n, o in some if may_be_part(o, wanted)] for some in (returned, adrift)]
            makers = self._makers_of[goal] = _Makers(wanted, first, *parts)
        return makers


class _Makers(NamedTuple):
    wanted: str
    first: int
    returned: list[tuple[int, Operation]]
    adrift: list[tuple[int, Operation]]


def may_be_part(operation: Operation, wanted: str) -> bool:
    """Whether a change can have had a part in making `wanted` (as `flesh`): never a wrong no."""
    if operation.f == "append":
        return flesh(operation.value) in wanted
    return operation.f != "read" and wanted.startswith(flesh(operation.value))


class Tour(Orders):
    """Goes everywhere: `states` are all that the key can be in at some time, `last` those after the last return."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        super().__init__(operations)
        self.states: dict[State, None] = {}
        self.last: dict[State, None] = {}

    def _unseen(self, state: State, first: int) -> bool:
        """Every state matters here."""
        return False

    def complete(self, node: Node) -> bool:
        """Never, so that the search goes on."""
        self.states[node[0]] = None
        if super().complete(node):
            self.last[node[0]] = None
        return False


class Trial:
    """The search of `orders` from `state`; `steps` counts what looking ahead has cost as well."""

    def __init__(self, orders: Orders, state: State = None) -> None:
        self._orders = orders
        self._search = Search[Node](orders, [(state, 0, 0, 0)])

    @property
    def steps(self) -> int:
        return self._search.steps + self._orders.work

    @property
    def stuck(self) -> int:
        """The place of the return that no order has got past so far."""
        return self._orders.returned[self._orders.furthest].ended

    def advance(self, steps: int) -> bool | None:
        """As `Search.advance`; it may take a few steps more."""
        limit = self.steps + steps
        while self.steps < limit:
            answer = self._search.advance(_SLICE_STEPS)
            if answer is not None:
                return answer
        return None
