"""Round trips from the node's own messages."""

from __future__ import annotations

from cluster.core.gossip.messages import Ack, Syn
from cluster.core.raft.messages import Append, Appended, Entry
from cluster.core.types import SECOND
from cluster.node.round_trips import RoundTrips


def beat(seq: int) -> Append:
    return Append(1, 0, 0, (), 0, seq)


def answer(seq: int) -> Appended:
    return Appended(1, True, 0, 0, 0, seq)


def test_a_heartbeat_and_its_answer_are_a_sample() -> None:
    trips = RoundTrips()
    trips.sent("n2", beat(1), 1_000)
    trips.sent("n2", beat(2), 1_200)
    trips.heard("n2", answer(1), 1_800)
    assert trips.smoothed == {"n2": 800}
    trips.heard("n2", answer(2), 9_000)
    assert trips.smoothed == {"n2": 800}, "one sample at a time"


def test_samples_are_smoothed() -> None:
    trips = RoundTrips()
    for seq, took in ((1, 800), (2, 1_600)):
        trips.sent("n2", beat(seq), seq * 10_000)
        trips.heard("n2", answer(seq), seq * 10_000 + took)
    assert trips.smoothed == {"n2": 900}


def test_entries_are_no_sample_for_they_include_a_disk() -> None:
    trips = RoundTrips()
    trips.sent("n2", Append(1, 0, 0, (Entry(1, 1, b""),), 0, 1), 0)
    trips.heard("n2", answer(1), 500)
    assert trips.smoothed == {}


def test_a_lost_answer_is_no_sample_and_blocks_nothing() -> None:
    trips = RoundTrips()
    trips.sent("n2", beat(1), 0)
    trips.heard("n2", answer(2), 900)
    assert trips.smoothed == {}
    trips.sent("n2", beat(3), 1_000)
    trips.sent("n2", beat(4), 1_000 + 6 * SECOND)
    trips.heard("n2", answer(4), 1_700 + 6 * SECOND)
    assert trips.smoothed == {"n2": 700}


def test_gossip_gives_samples_too() -> None:
    trips = RoundTrips()
    trips.heard("n3", Ack((), ()), 5)
    trips.sent("n3", Syn(()), 10)
    trips.heard("n3", Ack((), ()), 310)
    assert trips.smoothed == {"n3": 300}
