"""A simulated disk under the real write-ahead log: bytes that are durable, bytes on their way, and what a crash makes of those.

Law 1: one write at a time; what is handed in meanwhile goes into the next one together (group commit), as in a node.
Law 2: nothing is reported durable before its bytes are.
Law 3: a crash keeps everything durable, and of the write on its way anything: nothing, all, a prefix, or some of its sectors.
       What a disk fault held up had not begun, and is gone.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from cluster import wal
from cluster.core.raft.messages import Entry, HardState
from cluster.core.raft.ready import Persist
from cluster.core.types import Micros, NodeId
from cluster.sim.dice import SeededDice

# Small segments, so that logs roll over in the middle of a run.
SEGMENT_BYTES = 32 * 1024
SECTOR_BYTES = 512


class Recovered(msgspec.Struct, frozen=True):
    """What a node finds when it starts. `cut_bytes` of an unfinished write were thrown away."""

    hard: HardState
    entries: list[Entry]
    cut_bytes: int


class Disk:
    """One node's. `later(delay_us, act, argument)` schedules; `durable(token)` is called when a write is done."""

    def __init__(
        self,
        node: NodeId,
        typical_us: Micros,
        dice: SeededDice,
        later: Callable[[Micros, Callable[[int], None], int], None],
        durable: Callable[[int], None],
    ) -> None:
        self._node, self._typical_us, self._dice = node, typical_us, dice
        self._later, self._durable = later, durable
        self._salt = dice.randrange(1 << 32)
        self._segments: list[bytearray] = []
        self._writer = wal.Writer(self._salt)
        self._waiting: list[Persist] = []
        self._writing = b""
        self._token = 0
        self._life = 0  # rises with every write and crash: an old completion means nothing
        self._mode, self._delay_us = "ok", 0
        self._held = False  # a write waits for the fault to end
        self.crashes_amid_write = 0
        self._roll_over(1)

    @property
    def idle(self) -> bool:
        """Everything handed in is durable."""
        return not self._writing and not self._waiting

    def submit(self, persist: Persist) -> None:
        """Make it durable, after everything before it."""
        self._waiting.append(persist)
        if not self._writing and not self._held:
            self._begin()

    def set_fault(self, mode: str, delay_us: Micros) -> None:
        """`mode`: "ok" | "slow" | "hang" | "fail". A write that is held up by a hang goes on when it ends."""
        self._mode, self._delay_us = mode, delay_us
        if self._held and mode in ("ok", "slow"):
            self._held = False
            self._begin()

    def _begin(self) -> None:
        if self._mode in ("hang", "fail"):
            self._held = True
            return
        group = self._waiting
        self._waiting = []
        first_sequence = self._writer.sequence + 1
        data = b"".join([self._writer.records(persist) for persist in group])
        if len(self._segments[-1]) + len(data) > SEGMENT_BYTES:
            self._roll_over(first_sequence)
        self._writing, self._token = data, group[-1].token
        self._life += 1
        self._later(self._dice.tailed_us(self._typical_us) + self._delay_us, self._done, self._life)

    def _done(self, life: int) -> None:
        if life != self._life:
            return
        self._segments[-1] += self._writing
        self._writing = b""
        self._writer.all_synced()
        if self._waiting:
            token = self._token
            self._begin()
            self._durable(token)
        else:
            self._durable(self._token)

    def _roll_over(self, first_sequence: int) -> None:
        """A new segment; its header is durable before anything is written to it."""
        header = wal.SegmentHeader(len(self._segments) + 1, first_sequence, self._salt)
        self._segments.append(bytearray(header.encode()))

    # ---- crash and recovery -------------------------------------------------------------------------------------

    def crash(self) -> None:
        """Law 3."""
        if self._writing:
            self.crashes_amid_write += 1
            self._segments[-1] += self._torn(self._writing)
        self._writing, self._waiting, self._held = b"", [], False
        self._life += 1

    def _torn(self, data: bytes) -> bytes:
        luck = self._dice.randrange(4)
        if luck == 0:
            return b""
        if luck == 1:
            return data
        if luck == 2:
            return data[: self._dice.randrange(len(data))]
        torn = bytearray(data)
        for at in range(0, len(data), SECTOR_BYTES):
            if self._dice.chance(0.5):
                torn[at : at + SECTOR_BYTES] = bytes(len(torn[at : at + SECTOR_BYTES]))
        return bytes(torn)

    def recover(self) -> Recovered:
        """Read everything back through the log's own codec. Raises `CorruptLog` if that finds damage, which would be a defect."""
        replay, offset = wal.Replay(), 0
        for number, segment in enumerate(self._segments, 1):
            last = number == len(self._segments)
            offset = replay.segment(bytes(segment), f"{self._node}/wal-{number}", last=last)
        tail = self._segments[-1]
        cut_bytes = len(bytes(tail[offset:]).rstrip(b"\x00"))
        del tail[offset:]
        self._writer = wal.Writer(self._salt, replay.sequence)
        return Recovered(replay.hard, replay.entries, cut_bytes)
