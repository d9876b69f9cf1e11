"""Clients that a replica owes an answer."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

from cluster.core.kv.ops import Read, Reply

# Only a replica told to apply before commit meets this: an older entry was applied at that index, then cut off.
SKIPPED = Reply("unknown", error="another entry was applied in its place")

Token = int
# A linearizable read that waits for confirmation.
Reading = tuple[Token, Read]


class Proposals:
    """Writes in the log, as runs: what was proposed together lies together in the log. All are of the present reign.

    Law: indexes rise, and each token is handed out once.
    """

    __slots__ = ("_count", "_runs")

    def __init__(self) -> None:
        self._runs: deque[tuple[int, Sequence[Token]]] = deque()  # (index of the first, tokens)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, first: int, tokens: Sequence[Token]) -> None:
        """The entries from `first` on are what these clients wait for."""
        self._runs.append((first, tokens))
        self._count += len(tokens)

    def settle(self, first: int, replies: Sequence[Reply]) -> Iterable[tuple[Token, Reply]]:
        """The entries from `first` on were applied, with these replies: who is to hear which."""
        runs = self._runs
        if runs and runs[0][0] == first and len(runs[0][1]) == len(replies):  # by far the most frequent
            tokens = runs.popleft()[1]
            self._count -= len(tokens)
            return zip(tokens, replies, strict=True)
        return self._settle_some(first, replies)

    def _settle_some(self, first: int, replies: Sequence[Reply]) -> list[tuple[Token, Reply]]:
        """Runs may begin before what was applied, end after it, or lie beyond it."""
        runs, end = self._runs, first + len(replies)
        settled: list[tuple[Token, Reply]] = []
        while runs and runs[0][0] < end:
            start, tokens = runs.popleft()
            if start + len(tokens) > end:
                runs.appendleft((end, tokens[end - start :]))
                tokens = tokens[: end - start]
            settled += [(token, replies[at - first] if at >= first else SKIPPED) for at, token in enumerate(tokens, start)]
        self._count -= len(settled)
        return settled

    def forsake(self) -> list[Token]:
        """The reign is over: all who wait, oldest first."""
        tokens = [token for _, some in self._runs for token in some]
        self._runs.clear()
        self._count = 0
        return tokens
