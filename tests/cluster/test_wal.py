"""The write-ahead log's bytes: whatever happens to them, a reader gets a prefix of what was written, or a refusal."""

from __future__ import annotations

import pytest

from cluster import wal
from cluster.core.errors import CorruptLog
from cluster.core.raft.membership import Membership
from cluster.core.raft.messages import Entry, HardState, Snapshot
from cluster.core.raft.ready import Persist
from cluster.wal_writer import Writer

SALT = 77


def persist(token: int, first: int, *data: bytes, term: int = 1, cut: int | None = None, hard: bool = True) -> Persist:
    entries = tuple(Entry(term, 1, each) for each in data)
    return Persist(token, HardState(term, "n1") if hard else None, cut, first, entries)


HISTORY = [
    [persist(1, 1, b"a")],
    [persist(2, 2, b"b", b"c", hard=False), persist(3, 4, b"d", hard=False)],
    [persist(4, 3, b"C", term=2, cut=3)],
    [persist(5, 4, b"e" * 50, term=2, hard=False)],
    [Persist(6, HardState(3, None), None, 5, ())],
]


def segment(history: list[list[Persist]], zeros: int = 64) -> bytes:
    """One segment; every inner list is one write, durable before the next."""
    writer = Writer(SALT)
    data = wal.SegmentHeader(1, 1, SALT).encode()
    for batch in history:
        data += b"".join(writer.records(each) for each in batch)
        writer.all_synced()
    return data + bytes(zeros)


def read(data: bytes) -> tuple[HardState, list[bytes]]:
    replay = wal.Replay()
    replay.segment(data, "wal", last=True)
    return replay.hard, [entry.data for entry in replay.entries]


def snapshots() -> list[tuple[HardState, list[bytes]]]:
    """What may be read back: the state after every single record, oldest first."""
    data = segment(HISTORY, zeros=0)
    writer = Writer(SALT)
    ends = [wal.SEGMENT_HEADER_BYTES]
    for batch in HISTORY:
        for each in batch:
            at = ends[-1]
            block = writer.records(each)
            offset = 0
            while offset < len(block):
                offset += wal.RECORD_HEADER_BYTES + int.from_bytes(block[offset + 8 : offset + 12], "big")
                ends.append(at + offset)
        writer.all_synced()
    assert ends[-1] == len(data)
    return [read(data[:end]) for end in ends]


def test_what_was_written_is_read_back() -> None:
    assert read(segment(HISTORY)) == (HardState(3, None), [b"a", b"b", b"C", b"e" * 50])


def test_a_cut_at_every_byte_leaves_a_prefix() -> None:
    whole, allowed = segment(HISTORY, zeros=0), snapshots()
    seen = []
    for cut in range(wal.SEGMENT_HEADER_BYTES, len(whole) + 1):
        found = read(whole[:cut])
        assert found in allowed
        seen.append(found)
    assert len(set(map(repr, seen))) == len(allowed), "every prefix is reached by some cut"
    for cut in range(wal.SEGMENT_HEADER_BYTES):
        with pytest.raises(CorruptLog):
            read(whole[:cut])


def test_a_cut_in_a_zeroed_segment_leaves_a_prefix() -> None:
    """The same, as a pre-zeroed segment shows it: what was not written is zero, not missing."""
    whole, allowed = segment(HISTORY, zeros=0), snapshots()
    for cut in range(wal.SEGMENT_HEADER_BYTES, len(whole) + 1):
        assert read(whole[:cut] + bytes(len(whole) - cut + 64)) in allowed


@pytest.mark.parametrize("flip", [0x01, 0x80, 0xFF])
def test_a_flip_of_any_byte_leaves_a_prefix_or_is_refused(flip: int) -> None:
    whole, allowed = segment(HISTORY), snapshots()
    refused = 0
    for at in range(len(whole)):
        damaged = bytearray(whole)
        damaged[at] ^= flip
        try:
            assert read(bytes(damaged)) in allowed, f"byte {at}"
        except CorruptLog:
            refused += 1
    assert refused > len(whole) // 2, "most of this log was durable before its last write: damage there is refused"


def test_damage_to_what_was_durable_is_refused_with_its_offset() -> None:
    data = bytearray(segment(HISTORY))
    data[wal.SEGMENT_HEADER_BYTES + wal.RECORD_HEADER_BYTES] ^= 1
    with pytest.raises(CorruptLog) as caught:
        read(bytes(data))
    assert caught.value.offset == wal.SEGMENT_HEADER_BYTES
    assert "durable" in caught.value.reason


def test_a_zeroed_hole_in_the_middle_is_refused() -> None:
    data = bytearray(segment(HISTORY))
    data[wal.SEGMENT_HEADER_BYTES : wal.SEGMENT_HEADER_BYTES + 40] = bytes(40)
    with pytest.raises(CorruptLog):
        read(bytes(data))


def test_an_unfinished_write_whose_later_half_arrived_first_is_cut() -> None:
    """Sectors of one write reach a disk in any order: its bad first record is no damage, though its second is whole."""
    first, second = [persist(1, 1, b"a")], [persist(2, 2, b"b", hard=False), persist(3, 3, b"c", hard=False)]
    durable = len(segment([first], zeros=0))
    data = bytearray(segment([first, second]))
    data[durable + wal.RECORD_HEADER_BYTES] ^= 1
    assert read(bytes(data)) == (HardState(1, "n1"), [b"a"])


def test_zeros_are_a_clean_end() -> None:
    assert read(segment([], zeros=4_096)) == (HardState(), [])


def test_a_client_cannot_store_bytes_that_pass_for_a_record() -> None:
    forged = Writer(salt=SALT + 1).records(persist(1, 1, b"forged"))
    data = segment([[persist(1, 1, b"x" + forged)]], zeros=0)
    assert read(data[:-1]) == (HardState(1, "n1"), [])


def test_large_batches_are_spread_over_records() -> None:
    entries = tuple(Entry(1, 1, bytes([n]) * 300_000) for n in range(12))
    data = segment([[Persist(1, None, None, 1, entries)]])
    assert data.count(wal.MARKER) >= 4
    assert read(data)[1] == [entry.data for entry in entries]


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ([persist(1, 2, b"a")], "follows entry"),
        ([persist(1, 1, b"a"), persist(2, 9, b"b", cut=9)], "truncates"),
        ([persist(1, 1, b"a", term=2), persist(2, 2, b"b", term=1)], "term falls"),
    ],
)
def test_records_that_contradict_each_other_are_refused(wrong: list[Persist], reason: str) -> None:
    with pytest.raises(CorruptLog, match=reason):
        read(segment([wrong]))


def test_segments_must_follow_each_other() -> None:
    first = segment([[persist(1, 1, b"a")]])
    writer = Writer(SALT, 2, wal.Origin(1, 1, HardState(1, "n1")))
    second = wal.SegmentHeader(2, 3, SALT).encode() + writer.opening() + writer.records(persist(2, 2, b"b"))
    replay = wal.Replay()
    replay.segment(first, "1", last=False)
    replay.segment(second, "2", last=True)
    assert [entry.data for entry in replay.entries] == [b"a", b"b"]
    third = wal.SegmentHeader(3, 3, SALT).encode()
    replay = wal.Replay()
    replay.segment(first, "1", last=False)
    with pytest.raises(CorruptLog, match="segment 3 follows segment 1"):
        replay.segment(third, "3", last=True)


def test_the_oldest_segment_says_what_came_before_it() -> None:
    data = wal.SegmentHeader(2, 3, SALT).encode() + Writer(SALT, 2).records(persist(2, 2, b"b"))
    with pytest.raises(CorruptLog, match="begins without an origin"):
        wal.Replay().segment(data, "2", last=True)


def later_segment(*bodies: Persist, origin: wal.Origin) -> bytes:
    writer = Writer(SALT, 40, origin)
    return wal.SegmentHeader(5, 41, SALT).encode() + writer.opening() + b"".join(map(writer.records, bodies))


ORIGIN = wal.Origin(8, 3, HardState(4, "n2"))


def image(index: int, term: int) -> Snapshot:
    return Snapshot(index, term, Membership(("n1",)), b"")


def test_a_log_may_begin_with_a_later_segment() -> None:
    """Those before it went when a snapshot stood for them."""
    replay = wal.Replay()
    replay.segment(later_segment(persist(1, 9, b"i", b"j", hard=False), origin=ORIGIN), "5", last=True)
    assert (replay.first_index, replay.base_term, replay.last_index, replay.hard) == (9, 3, 10, HardState(4, "n2"))


@pytest.mark.parametrize(
    ("index", "term", "void"),
    [(8, 3, False), (10, 1, False), (8, 2, True), (10, 2, True), (11, 1, True)],
)
def test_a_log_counts_beside_a_snapshot_whose_last_entry_it_holds(index: int, term: int, void: bool) -> None:
    replay = wal.Replay()
    replay.segment(later_segment(persist(1, 9, b"i", b"j", hard=False), origin=ORIGIN), "5", last=True)
    assert replay.meet(image(index, term), "5") is void
    assert (replay.first_index, replay.base_term, replay.last_index) == ((index + 1, term, index) if void else (9, 3, 10))


def test_a_gap_between_snapshot_and_log_is_refused() -> None:
    for snapshot, reason in ((image(7, 3), "the snapshot ends with 7"), (None, "no snapshot")):
        replay = wal.Replay()
        replay.segment(later_segment(origin=ORIGIN), "5", last=True)
        with pytest.raises(CorruptLog, match=reason):
            replay.meet(snapshot, "5")


def test_a_cut_into_what_went_leaves_the_term_before_it_unknown_until_the_snapshot_tells() -> None:
    replay = wal.Replay()
    replay.segment(later_segment(persist(1, 6, b"f", b"g", term=4, cut=6), origin=ORIGIN), "5", last=True)
    assert (replay.first_index, replay.base_term, replay.last_index) == (6, None, 7)
    assert not replay.meet(image(6, 4), "5")
    assert (replay.first_index, replay.base_term, [entry.data for entry in replay.entries]) == (7, 4, [b"g"])


def test_an_installed_snapshot_voids_the_log_before_it() -> None:
    snapshot = image(20, 3)
    install = Persist(2, HardState(3, None), None, 21, (), snapshot, installed=True, keep_from=21)
    replay = wal.Replay()
    replay.segment(segment([[persist(1, 1, b"a", b"b")], [install], [persist(3, 21, b"u", term=3, hard=False)]]), "1", last=True)
    assert (replay.first_index, replay.base_term, [entry.data for entry in replay.entries]) == (21, 3, [b"u"])


def test_an_origin_that_contradicts_the_log_before_it_is_refused() -> None:
    replay = wal.Replay()
    replay.segment(segment([[persist(1, 1, b"a")]]), "1", last=False)
    writer = Writer(SALT, 2, wal.Origin(7, 1, HardState(1, "n1")))
    with pytest.raises(CorruptLog, match="follows entry 1"):
        replay.segment(wal.SegmentHeader(2, 3, SALT).encode() + writer.opening(), "2", last=True)


def test_a_bad_end_of_a_segment_that_has_a_successor_is_refused() -> None:
    data = segment([[persist(1, 1, b"a")]], zeros=0)
    with pytest.raises(CorruptLog, match="later segment"):
        wal.Replay().segment(data[:-1], "1", last=False)


def test_another_version_is_refused() -> None:
    header = bytearray(wal.SegmentHeader(1, 1, SALT).encode())
    header[9] += 1
    with pytest.raises(CorruptLog):
        wal.decode_header(bytes(header), "wal")
