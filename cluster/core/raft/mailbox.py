"""Storage as a mailbox: what was handed out to be made durable, and the messages that must wait for it.

Law 1: a message that promises something leaves only after what it promises is durable (figure 2: "respond after updating").
Law 2: writes become durable in the order they were handed out, so one token stands for all before it.
Law 3: overwriting the log makes older writes stand for less: what they covered beyond the cut is no longer there.
"""

from __future__ import annotations

from collections import deque

from cluster.core.raft.messages import HardState, RaftMessage
from cluster.core.raft.underway import Held, Write
from cluster.core.types import Micros, NodeId

# A hung disk must not collect answers for ever; to drop one is only a lost message, which Raft survives.
HELD_MAX = 4_096


class Mailbox:
    """Writes in flight, and how much of the log is durable (`durable_index`)."""

    __slots__ = ("_done", "_hard", "_held", "_token", "durable_index", "handed_out", "vouched", "writes")

    def __init__(self, hard: HardState, durable_index: int) -> None:
        self.handed_out = hard  # newest term and vote that storage was given
        self.durable_index = durable_index
        self.vouched = True  # term and vote as last handed out are durable
        self._token = 0  # the newest write
        self._hard = 0  # the newest write that carries term and vote
        self._done = 0  # this write and all before it are durable
        self.writes: deque[Write] = deque()
        self._held: deque[Held] = deque(maxlen=HELD_MAX)

    def post(self, hard: HardState | None, covers: int, now: Micros) -> int:
        """A write is handed out; returns its token."""
        self._token += 1
        self.writes.append(Write(self._token, now, covers))
        if hard is not None:
            self.handed_out, self._hard, self.vouched = hard, self._token, False
        return self._token

    def truncated(self, from_index: int) -> None:
        """The log in memory lost `from_index` and what follows; entries written there later are not yet durable."""
        self.durable_index = min(self.durable_index, from_index - 1)
        for write in self.writes:
            write.covers = min(write.covers, from_index - 1)

    def done(self, token: int) -> list[Held]:
        """Everything up to `token` is durable: returns the messages that waited for it, oldest first."""
        writes, held = self.writes, self._held
        while writes and writes[0].token <= token:
            write = writes.popleft()
            self._done = write.token
            if write.covers > self.durable_index:
                self.durable_index = write.covers
        self.vouched = self._hard <= self._done
        freed = [each for each in held if each.token <= token] if held else []
        if len(freed) == len(held):
            held.clear()
        elif freed:
            self._held = deque((each for each in held if each.token > token), HELD_MAX)
        return freed

    def hold_all(self, letters: list[tuple[NodeId, RaftMessage]]) -> None:
        """These wait for term and vote."""
        self._held.extend([Held(self._hard, to, message) for to, message in letters])

    def hold(self, token: int, to: NodeId, message: RaftMessage) -> None:
        self._held.append(Held(token, to, message))

    def awaited(self, index: int) -> int:
        """The token after which the log is durable up to `index` and term and vote are too; 0 when they are now."""
        token = self._hard if self._hard > self._done else 0
        if index <= self.durable_index:
            return token
        for write in self.writes:
            if write.covers >= index:
                return write.token if write.token > token else token
        return self._token

    def waits(self, token: int) -> bool:
        """Write `token` is not yet durable."""
        return bool(self.writes) and self.writes[0].token <= token

    def oldest_us(self) -> Micros | None:
        """When the oldest write that is not yet durable was handed out."""
        return self.writes[0].since_us if self.writes else None

    def stalled(self, now: Micros, limit_us: Micros) -> bool:
        """No write finished for `limit_us` although one was waiting."""
        return bool(self.writes) and now - self.writes[0].since_us >= limit_us
