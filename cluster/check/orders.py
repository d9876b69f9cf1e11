"""Orders in which one key's operations can have taken effect, for any model: the maze of Wing & Gong's search (see `search`).

A node is `(state, first, ahead, spent)`: every operation that returned before the `first`th return has taken effect; of the others
those with a bit in `ahead` (relative to `first`); and of those whose outcome is unknown those with a bit in `spent`. What is behind
`first` needs no bits, so a node stays as small as the overlap, however long the history.

Law 1: an operation takes effect between its invocation and its return; what begins after the first return still owed cannot yet.
Law 2: a read changes nothing, so it takes effect as soon as its value stands.
Law 3: what is unknown may take effect at any time from its invocation, or never.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from cluster.check.models import Impossible, State, may_become, step
from cluster.check.operations import NEVER, Operation
from cluster.check.search import Search, TooHard

Node = tuple[State, int, int, int]

# Pairs of overlapping operations that are listed: 150 at once on a key of ten thousand operations are 1.5 million.
OVERLAPS_MAX = 4_000_000


class Orders:
    """The maze of one key's operations. `furthest`: how many returns the best order so far explains. Raises `TooHard`."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        self.returned = sorted((o for o in operations if o.outcome == "ok"), key=lambda o: o.ended)
        self.adrift = [o for o in operations if o.constrains and o.ended == NEVER]
        self.furthest = 0
        self._grows = any(o.f == "append" for o in operations)
        self._sees = [n for n, o in enumerate(self.returned) if o.f in ("read", "cas")]
        self._overlaps()

    def search(self, state: State = None) -> Search[Node]:
        return Search(self, [(state, 0, 0, 0)])

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
        """Law 2."""
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
        return state, first, ahead, spent

    def complete(self, node: Node) -> bool:
        return node[1] == len(self.returned)

    def branches(self, node: Node) -> list[Node]:
        state, first, ahead, spent = node
        goal = self._goal(first, ahead)
        ranked: list[tuple[int, int, Node]] = []
        for number in self._changes[first]:
            bit = 1 << (number - first)
            after = None if ahead & bit else self._after(state, self.returned[number])
            if after is not None:
                ranked.append((self._rank(after[0], goal), number, (after[0], first, ahead | bit, spent)))
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
        if goal < 0:
            return 0
        wanted = self._wanted(goal)
        return 0 if state == wanted or (self._grows and may_become(state, wanted)) else 1

    def _hopeful(self, node: Node) -> bool:
        """False: the next thing to be seen never can be, since only appends can take effect before its return."""
        state, first, ahead, spent = node
        goal = self._goal(first, ahead)
        if goal < 0 or may_become(state, self._wanted(goal)):
            return True
        could_come_before = (*range(first, goal), *self._changes[goal])
        if any(self.returned[number].f in ("write", "cas") and not ahead >> (number - first) & 1 for number in could_come_before):
            return True
        return any(self.adrift[number].f != "append" and not spent >> number & 1 for number in range(self._open_adrift[goal]))


class Tour(Orders):
    """Goes everywhere: `states` are all that the key can be in at some time, `last` those after the last return."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        super().__init__(operations)
        self.states: dict[State, None] = {}
        self.last: dict[State, None] = {}

    def complete(self, node: Node) -> bool:
        """Never, so that the search goes on."""
        self.states[node[0]] = None
        if super().complete(node):
            self.last[node[0]] = None
        return False
