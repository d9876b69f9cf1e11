"""One node's state as another knows it: version order, tombstones and their collection, resets."""

from __future__ import annotations

import pytest

from cluster.core.errors import UsageError
from cluster.core.gossip.messages import Delta, Digest, KeyValue
from cluster.core.gossip.state import GOSSIP_VALUE_BYTES_MAX, Known


def versions(known: Known) -> list[tuple[str, int]]:
    return [(entry.key, entry.version) for entry in known.keys.values()]


def delta(*keys: KeyValue, gc: int = 0, start: int = 0, top: int = 0, truncated: bool = False) -> Delta:
    return Delta("n1", 1, 1, gc, keys, start, top, truncated)


def test_keys_stand_in_version_order_however_often_they_change() -> None:
    known = Known("n1", 1)
    for key in ("a", "b", "a", "c", "b"):
        known.put(key, "x")
    assert versions(known) == [("a", 3), ("c", 4), ("b", 5)]
    assert [entry.version for entry in known.newer_than(3)] == [4, 5]
    assert known.newer_than(5) == []
    assert [entry.version for entry in known.newer_than(0)] == [3, 4, 5]


def test_a_tombstone_stays_for_its_grace_and_not_longer() -> None:
    known = Known("n1", 1)
    known.put("a", "x")
    known.put("b", "x")
    known.bury("a", collect_us=1_000)
    known.collect(999)
    assert versions(known) == [("b", 2), ("a", 3)]
    assert known.keys["a"].deleted
    known.collect(1_000)
    assert versions(known) == [("b", 2)]
    assert (known.gc_version, known.max_version) == (3, 3)


def test_a_key_written_again_leaves_its_grave() -> None:
    known = Known("n1", 1)
    known.put("a", "x")
    known.bury("a", collect_us=1_000)
    known.put("a", "y")
    known.collect(5_000)
    assert known.keys["a"].value == "y"
    assert known.gc_version == 0


def test_burying_the_absent_or_the_buried_changes_nothing() -> None:
    known = Known("n1", 1)
    known.bury("a", collect_us=1)
    known.put("a", "x")
    known.bury("a", collect_us=1_000)
    known.bury("a", collect_us=9_000)
    assert (known.max_version, known.graves) == (2, {"a": 1_000})


@pytest.mark.parametrize(
    ("receiver", "start"),
    [
        (Digest("n1", 1, 0, 2, 0), 0),  # behind the collection: reset
        (Digest("n1", 1, 0, 3, 0), 3),  # had seen the tombstone
        (Digest("n1", 1, 0, 1, 3), 1),  # was reset already, and is catching up
    ],
)
def test_from_where_a_receiver_must_be_told(receiver: Digest, start: int) -> None:
    known = Known("n1", 1)
    known.put("a", "x")
    known.put("b", "x")
    known.bury("a", collect_us=0)
    known.collect(0)
    known.put("c", "x")
    assert known.start_for(receiver) == start


def test_a_receiver_behind_the_collection_is_reset() -> None:
    known = Known("n1", 1)
    known.merge(delta(KeyValue("a", "x", 1), KeyValue("b", "x", 2), top=2), 0)
    known.merge(delta(KeyValue("b", "x", 2), KeyValue("c", "x", 4), gc=3, top=4), 0)
    assert versions(known) == [("b", 2), ("c", 4)]
    assert known.gc_version == 3


def test_a_reset_that_brings_nothing_yet_takes_nothing_away() -> None:
    known = Known("n1", 1)
    known.merge(delta(KeyValue("a", "x", 1), top=1), 0)
    known.merge(delta(gc=3, top=4, truncated=True), 0)
    assert versions(known) == [("a", 1)]


def test_the_same_reset_again_does_not_throw_back_who_is_catching_up() -> None:
    known = Known("n1", 1)
    known.merge(delta(KeyValue("a", "x", 1), top=1), 0)
    first = delta(KeyValue("b", "x", 2), gc=9, top=12, truncated=True)
    known.merge(first, 0)
    known.merge(delta(KeyValue("c", "x", 5), gc=9, start=2, top=12, truncated=True), 0)
    known.merge(first, 0)
    assert versions(known) == [("b", 2), ("c", 5)]


def test_a_complete_delta_reaches_the_senders_version_a_truncated_one_does_not() -> None:
    known = Known("n1", 1)
    known.merge(delta(KeyValue("a", "x", 1), top=7, truncated=True), 0)
    assert known.max_version == 1
    known.merge(delta(start=1, top=7), 0)
    assert known.max_version == 7


def test_only_news_is_reported() -> None:
    known = Known("n1", 1)
    both = (KeyValue("a", "x", 1), KeyValue("b", "x", 2))
    assert known.merge(delta(both[0], top=2, truncated=True), 0) == [both[0]]
    assert known.merge(delta(*both, top=2), 0) == [both[1]]
    assert known.merge(delta(*both, top=2), 0) == []


def test_bounds_are_in_bytes_not_characters() -> None:
    known = Known("n1", 1)
    known.put("a", "é" * (GOSSIP_VALUE_BYTES_MAX // 2))
    with pytest.raises(UsageError):
        known.put("a", "é" * (GOSSIP_VALUE_BYTES_MAX // 2 + 1))


def test_digest_and_pulse_follow_every_change() -> None:
    known = Known("n1", 1)
    known.put("a", "x")
    known.beat(5)
    assert known.digest() == Digest("n1", 1, 5, 1, 0)
    assert known.pulse() == Delta("n1", 1, 5, 0, (), 1, 1, False)
    known.bury("a", collect_us=0)
    known.collect(0)
    assert known.digest() == Digest("n1", 1, 5, 2, 2)
    assert known.pulse().max_version == 2
