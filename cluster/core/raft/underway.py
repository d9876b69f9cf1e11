"""What is under way in a machine: writes, letters that wait for them, reads, a snapshot out or in, a handover.

Law 1: these are records. Who keeps them (`Mailbox`, `Reads`, `Progress`, `RaftState`) decides what they mean.
"""

from __future__ import annotations

import msgspec

from cluster.core.raft.messages import RaftMessage, Snapshot
from cluster.core.types import SNAPSHOT_PIECE_BYTES, SNAPSHOT_PIECES_MAX, Micros, NodeId


class Write(msgspec.Struct, gc=False):
    """One `Persist` on its way. The log is durable up to `covers` once it is done."""

    token: int
    since_us: Micros
    covers: int


class Held(msgspec.Struct, frozen=True, gc=False):
    """A message that waits for write `token`."""

    token: int
    to: NodeId
    message: RaftMessage


class Vow(msgspec.Struct, frozen=True, gc=False):
    """A message that says what this node holds: the log must be durable up to `promises` before it leaves."""

    to: NodeId
    message: RaftMessage
    promises: int


class Round(msgspec.Struct, frozen=True, gc=False):
    """Reads that share one confirmation: broadcast `seq` asks, and `index` was committed when it went out."""

    seq: int
    index: int
    contexts: tuple[int, ...]


class Stream(msgspec.Struct):
    """A snapshot on its way to one follower: `sent` and `held` count bytes from its beginning.

    `asked_seq`, `asked_sent`: the newest heartbeat, and how much had been sent before it. A follower that answers it and holds
    less than that has lost a piece.
    """

    snapshot: Snapshot
    sent: int = 0
    held: int = 0
    asked_seq: int = 0
    asked_sent: int = 0

    def asked(self, seq: int) -> None:
        self.asked_seq, self.asked_sent = seq, self.sent

    def answered(self, held: int, seq: int) -> None:
        """The follower holds `held` bytes: go on after them if something was lost."""
        self.held = held
        if held > self.sent or (seq >= self.asked_seq and held < self.asked_sent):
            self.sent = held

    def next_piece(self) -> tuple[int, bytes] | None:
        """(offset, bytes) of what may be sent now, None when all is sent or enough is under way."""
        data = self.snapshot.data
        if self.sent >= len(data) or self.sent - self.held >= SNAPSHOT_PIECES_MAX * SNAPSHOT_PIECE_BYTES:
            return None
        offset = self.sent
        piece = data[offset : offset + SNAPSHOT_PIECE_BYTES]
        self.sent += len(piece)
        return offset, piece


class Incoming(msgspec.Struct):
    """A leader's snapshot on its way in: `data` is what has come of it so far."""

    index: int
    term: int
    data: bytearray


class Handover(msgspec.Struct):
    """A leadership transfer under way (dissertation §3.10). `told`: the target was asked to campaign."""

    target: NodeId
    until_us: Micros
    told: bool = False
