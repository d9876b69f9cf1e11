"""A search that can be put down and taken up again: depth first, every place visited once (Wing & Gong 1993, Lowe's memo).

A *node* is (what took effect, state); a `Maze` knows where a node leads to. Whoever searches keeps one explanation in hand at a
time, which costs memory in steps taken instead of in explanations possible.

Law 1: None means "not yet": the answer is a proof or it is no answer.
Law 2: nothing here depends on time or on the order of hashes: the same maze takes the same steps everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Generic, Protocol, TypeVar

Node = TypeVar("Node", bound=Hashable)


class TooHard(Exception):
    """The bounds are reached: say unknown, never guess."""


class Effort:
    """Work done, in steps: nodes expanded and configurations compared. The measure that is the same on every machine."""

    __slots__ = ("steps",)

    def __init__(self) -> None:
        self.steps = 0


class Maze(Protocol[Node]):
    """What there is to search."""

    def settled(self, node: Node) -> Node:
        """The node after everything that may as well take effect at once."""

    def complete(self, node: Node) -> bool:
        """Whether everything that must have taken effect has."""

    def branches(self, node: Node) -> list[Node]:
        """Where a node leads; the most promising last, where the search takes it first."""


class Search(Generic[Node]):
    """`advance(steps)` until it answers. `steps` counts the nodes expanded, each of which is remembered."""

    __slots__ = ("_maze", "_seen", "_stack")

    def __init__(self, maze: Maze[Node], starts: Iterable[Node]) -> None:
        self._maze = maze
        self._stack = list(starts)
        self._seen: set[Node] = set()

    @property
    def steps(self) -> int:
        return len(self._seen)

    def advance(self, steps: int) -> bool | None:
        """Expand at most `steps` more nodes. True: a complete node was reached; False: there is none; None: not yet."""
        maze, stack, seen = self._maze, self._stack, self._seen
        limit = len(seen) + steps
        while stack:
            if len(seen) >= limit:
                return None
            node = maze.settled(stack.pop())
            if maze.complete(node):
                return True
            if node in seen:
                continue
            seen.add(node)
            stack.extend(maze.branches(node))
        return False


def shortest(length: int, explained: Callable[[int], bool]) -> int:
    """The length of the shortest prefix that is not `explained`; the whole, of `length`, must not be.

    What has no explanation gets none by going on, so the prefix is found by bisection.
    """
    low, high = 1, length
    while low < high:
        middle = (low + high) // 2
        if explained(middle):
            low = middle + 1
        else:
            high = middle
    return low
