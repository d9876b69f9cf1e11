"""A simulated disk under the real write-ahead log: bytes that are durable, bytes on their way, and what a crash makes of those.

Law 1: one thing at a time; what is handed in meanwhile goes into the next write together (group commit), as in a node.
Law 2: nothing is reported durable before its bytes are, and a snapshot is durable before anything that rests on it.
Law 3: a crash keeps everything durable, and of the write on its way anything: nothing, all, a prefix, or some of its sectors. A
       snapshot on its way is there or not (files are renamed). What a disk fault held up had not begun, and is gone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import msgspec

from cluster import wal
from cluster.core.raft.messages import Snapshot
from cluster.core.raft.ready import Persist
from cluster.core.types import Micros, NodeId
from cluster.sim.dice import SeededDice
from cluster.sim.stages import Forget, Recovered, Stage
from cluster.wal_writer import Writer

# Small segments, so that logs roll over in the middle of a run.
SEGMENT_BYTES = 32 * 1024
SECTOR_BYTES = 512


class Disk:
    """One node's. `later(delay_us, act, argument)` schedules; `durable(token)` is called when a group is done."""

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
        self._files = Files(node, dice.randrange(1 << 32))
        self._waiting: list[Persist] = []
        self._stages: deque[Stage] = deque()
        self._writing = b""
        self._token = 0
        self._life = 0  # rises with every stage and crash: an old completion means nothing
        self._mode, self._delay_us = "ok", 0
        self._held = False  # a group waits for the fault to end
        self.crashes_amid_write = 0

    @property
    def idle(self) -> bool:
        """Everything handed in is durable."""
        return not self._stages and not self._waiting

    def submit(self, persist: Persist) -> None:
        """Make it durable, after everything before it."""
        self._waiting.append(persist)
        if not self._stages and not self._held:
            self._begin()

    def set_fault(self, mode: str, delay_us: Micros) -> None:
        """`mode`: "ok" | "slow" | "hang" | "fail". What is held up by a hang goes on when it ends."""
        self._mode, self._delay_us = mode, delay_us
        if self._held and mode in ("ok", "slow"):
            self._held = False
            self._begin()

    def _begin(self) -> None:
        if self._mode in ("hang", "fail"):
            self._held = True
            return
        group, self._waiting = self._waiting, []
        self._token = group[-1].token
        self._stages.extend(_stages(group))
        self._begin_stage(self._delay_us)

    def _begin_stage(self, delay_us: Micros) -> None:
        stage = self._stages[0]
        if isinstance(stage, list):
            self._writing = self._files.encode(stage)
        self._life += 1
        self._later(self._dice.tailed_us(self._typical_us) + delay_us, self._done, self._life)

    def _done(self, life: int) -> None:
        if life != self._life:
            return
        self._finish(self._stages.popleft())
        if self._stages:
            self._begin_stage(0)
            return
        token = self._token
        if self._waiting:
            self._begin()
        self._durable(token)

    def _finish(self, stage: Stage) -> None:
        if isinstance(stage, list):
            self._files.append(self._writing)
            self._writing = b""
        elif isinstance(stage, Snapshot):
            self._files.snapshot = stage
        elif self._files.forget_one(stage.keep_from):
            self._stages.append(stage)

    # ---- crash and recovery -------------------------------------------------------------------------------------

    def crash(self) -> None:
        """Law 3."""
        if self._stages:
            self.crashes_amid_write += 1
            stage = self._stages[0]
            if isinstance(stage, list):
                self._files.append_torn(self._torn(self._writing))
            elif isinstance(stage, Snapshot) and self._dice.chance(0.5):
                self._files.snapshot = stage
        self._stages.clear()
        self._writing, self._waiting, self._held = b"", [], False
        self._life += 1

    def _torn(self, data: bytes) -> bytes:
        luck = self._dice.randrange(4)
        if luck == 0:
            return b""
        if luck == 1:
            return data
        if luck == 2:
            return data[: self._dice.randrange(len(data) + 1)]
        torn = bytearray(data)
        for at in range(0, len(data), SECTOR_BYTES):
            if self._dice.chance(0.5):
                torn[at : at + SECTOR_BYTES] = bytes(len(torn[at : at + SECTOR_BYTES]))
        return bytes(torn)

    def recover(self) -> Recovered:
        """Read everything back through the log's own codec. Raises `CorruptLog` if that finds damage, which would be a defect."""
        return self._files.recover()


def _stages(group: list[Persist]) -> list[Stage]:
    """As a node's storage does it: the term, then a snapshot, then what rests on it, then what it makes needless."""
    if all(persist.snapshot is None for persist in group):
        return [group]
    stages: list[Stage] = []
    begin, last = 0, None
    for at, persist in enumerate(group):
        if persist.snapshot is not None:
            term = msgspec.structs.replace(persist, truncate_from=None, entries=(), installed=False)
            stages += [[*group[begin:at], term], persist.snapshot]
            begin, last = at, persist
    stages.append(group[begin:])
    if last is not None:
        stages.append(Forget(last.keep_from))
    return stages


class Files:
    """What lies on the disk: segments by number, the oldest first, and the newest snapshot."""

    def __init__(self, node: NodeId, salt: int) -> None:
        self._node, self._salt = node, salt
        self.snapshot: Snapshot | None = None
        self._writer = Writer(salt)
        self._segments: dict[int, bytearray] = {}
        self._tail = 0  # the newest segment
        self._origins: dict[int, int] = {}  # segment -> the last index before it
        self._create(1, 1)

    def _create(self, number: int, first_sequence: int) -> None:
        """A new segment; its header is durable before anything is written to it."""
        self._tail = number
        self._segments[number] = bytearray(wal.SegmentHeader(number, first_sequence, self._salt).encode())

    def encode(self, persists: list[Persist]) -> bytes:
        """The bytes of one write, in a new segment if the last one has no room."""
        records = self._writer.records
        if len(persists) == 1:
            return self._placed(lambda: records(persists[0]))
        return self._placed(lambda: b"".join(map(records, persists)))

    def _placed(self, encode: Callable[[], bytes]) -> bytes:
        writer, number = self._writer, self._tail
        size = len(self._segments[number])
        sequence, origin = writer.sequence, writer.origin
        data = encode()
        if not data:
            return data
        full = size + len(data) > SEGMENT_BYTES
        if full or (size == wal.SEGMENT_HEADER_BYTES and number > 1):
            writer.take_back(sequence, origin)
            data = writer.opening() + encode()
        if full:
            number += 1
            self._create(number, sequence + 1)
        self._origins.setdefault(number, origin.last_index)
        return data

    def append(self, data: bytes) -> None:
        """`data` is durable now, and all before it."""
        self._segments[self._tail] += data
        self._writer.all_synced()

    def append_torn(self, data: bytes) -> None:
        """What a crash left of a write; whoever reads it will see where it ends."""
        self._segments[self._tail] += data

    def forget_one(self, keep_from: int) -> bool:
        """Remove the oldest segment if the next begins early enough; whether it did."""
        oldest = next(iter(self._segments))
        if self._origins.get(oldest + 1, keep_from) >= keep_from:
            return False
        del self._segments[oldest]
        self._origins.pop(oldest, None)
        return True

    def recover(self) -> Recovered:
        """Read it back, cut off what was torn, and go on."""
        replay, offset = wal.Replay(), 0
        for number, segment in self._segments.items():
            offset = replay.segment(bytes(segment), f"{self._node}/wal-{number}", last=number == self._tail)
        del self._segments[self._tail][offset:]
        last_term = replay.entries[-1].term if replay.entries else replay.base_term or 0
        self._writer = Writer(self._salt, replay.sequence, wal.Origin(replay.last_index, last_term, replay.hard))
        self._origins = dict(replay.origins)
        snapshot = self.snapshot
        if replay.meet(snapshot, self._node) and snapshot is not None:
            self.append(self._placed(lambda: self._writer.reset(snapshot.index, snapshot.term)))
        return Recovered(replay.hard, replay.entries, snapshot, (replay.first_index - 1, replay.base_term or 0))
