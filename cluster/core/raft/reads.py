"""ReadIndex: linearizable reads without a log entry (dissertation §6.4).

Law 1: a read is answered only by acknowledgements of a broadcast that went out after the read arrived.
Law 2: no read before the leader's own no-op is committed: until then it may not know what is committed.
Law 3: a context belongs to one read and is never asked about twice (reused contexts gave etcd stale reads after a pause).
"""

from __future__ import annotations

from collections import deque

from cluster.core.raft.ready import ReadReady, ReadRefused
from cluster.core.raft.underway import Round


class Reads:
    """Reads that wait for a broadcast (`waiting`), and rounds that wait for a majority."""

    __slots__ = ("_rounds", "waiting")

    def __init__(self) -> None:
        self.waiting: list[int] = []
        self._rounds: deque[Round] = deque()

    def __len__(self) -> int:
        return len(self.waiting) + sum(len(asked.contexts) for asked in self._rounds)

    @property
    def asked(self) -> bool:
        """A round waits for its majority."""
        return bool(self._rounds)

    def ask(self, context: int) -> None:
        self.waiting.append(context)

    def wants_broadcast(self) -> bool:
        """A broadcast of their own is due only when none is under way: reads that arrive meanwhile share the next one."""
        return bool(self.waiting) and not self._rounds

    def bind(self, seq: int, commit: int) -> None:
        """Broadcast `seq` is going out: it will answer for every read that waits now."""
        if self.waiting:
            self._rounds.append(Round(seq, commit, tuple(self.waiting)))
            self.waiting = []

    def confirm(self, seq: int) -> list[ReadReady | ReadRefused]:
        """A majority answered broadcast `seq` or a later one."""
        ready: list[ReadReady | ReadRefused] = []
        while self._rounds and self._rounds[0].seq <= seq:
            asked = self._rounds.popleft()
            ready.extend(ReadReady(context, asked.index) for context in asked.contexts)
        return ready

    def unbind(self) -> None:
        """The evidence of every open round is void (the process was frozen): ask again, with a new broadcast."""
        self.waiting = [c for asked in self._rounds for c in asked.contexts] + self.waiting
        self._rounds.clear()

    def refuse(self, reason: str) -> list[ReadReady | ReadRefused]:
        """This node leads no more."""
        self.unbind()
        refused: list[ReadReady | ReadRefused] = [ReadRefused(context, reason) for context in self.waiting]
        self.waiting = []
        return refused
