"""What a leader knows of one follower, and how much it may send before it hears back.

PROBE: the leader does not know where the logs agree: one message with entries, then empty heartbeats until one is answered.
SNAPSHOT: what the follower lacks is compacted away: it is sent the leader's snapshot, piece by piece, and no entries.
REPLICATE: they agree up to `next_index - 1` as far as anyone knows: messages are pipelined, at most `inflight_max` of them.

Law 1: `match_index < next_index`, and `match_index` rises only by what the follower itself called durable.
Law 2: a refusal that answers an older question changes nothing.
"""

from __future__ import annotations

from collections import deque

from cluster.core.raft.messages import Snapshot
from cluster.core.raft.underway import Stream
from cluster.core.types import Micros

PROBE = "probe"
REPLICATE = "replicate"
SNAPSHOT = "snapshot"


class Progress:
    """One follower, as its leader sees it. `acked_seq` is the newest broadcast it answered, at `acked_us`."""

    __slots__ = (
        "_in_flight",
        "_inflight_max",
        "_probed",
        "acked_seq",
        "acked_us",
        "match_index",
        "next_index",
        "state",
        "stream",
    )

    def __init__(self, next_index: int, inflight_max: int, now: Micros) -> None:
        self.state = PROBE
        self.stream: Stream | None = None
        self.next_index, self.match_index = next_index, 0
        self.acked_seq, self.acked_us = 0, now
        self._inflight_max = inflight_max
        self._in_flight: deque[int] = deque()  # the last index of each unanswered message
        self._probed = False

    def heard(self, seq: int, now: Micros) -> None:
        """Any answer proves that the follower was there, and still followed, after broadcast `seq`."""
        if seq > self.acked_seq:
            self.acked_seq = seq
        self.acked_us = now

    def may_send(self) -> bool:
        """Whether another message with entries may go out now."""
        if self.stream is not None:
            return False
        return not self._probed if self.state == PROBE else len(self._in_flight) < self._inflight_max

    def sent(self, last_index: int) -> None:
        """A message with entries up to `last_index` went out."""
        if self.state == PROBE:
            self._probed = True
        else:
            self._in_flight.append(last_index)
            self.next_index = last_index + 1

    def begin_stream(self, snapshot: Snapshot) -> Stream:
        """What the follower needs next is only in `snapshot`."""
        self.state, self.stream, self._probed = SNAPSHOT, Stream(snapshot), False
        self._in_flight.clear()
        return self.stream

    def accepted(self, match_index: int) -> bool:
        """The follower holds everything up to `match_index` durably. True when that is news."""
        in_flight = self._in_flight
        while in_flight and in_flight[0] <= match_index:
            in_flight.popleft()
        if self.stream is not None and match_index >= self.stream.snapshot.index:
            self.stream = None
        if self.stream is None:
            self.state, self._probed = REPLICATE, False
        if match_index <= self.match_index:
            return False
        self.match_index = match_index
        if self.next_index <= match_index:
            self.next_index = match_index + 1
        return True

    def refused(self, prev_index: int, seek_index: int, seq: int) -> bool:
        """The follower does not hold `prev_index`; `seek_index` is where to look next. True when that moves the probe.

        In REPLICATE the message that was refused is one of a pipeline, or a heartbeat that met a gap: anything above what is
        known to match may be refused. In PROBE only the present question counts.
        """
        if self.stream is not None:
            return False
        if prev_index <= self.match_index:
            if seq <= self.acked_seq:
                return False
            # It once held this durably and does not now: its disk was wiped. Believing less is always safe.
            self.match_index = max(0, min(prev_index, seek_index) - 1)
        elif self.state == PROBE and prev_index != self.next_index - 1:
            return False
        # Never beyond the refused index, so that every answer brings the probe closer to where the logs agree.
        self.next_index = max(self.match_index + 1, min(seek_index, prev_index))
        self.state, self._probed = PROBE, False
        self._in_flight.clear()
        return True
