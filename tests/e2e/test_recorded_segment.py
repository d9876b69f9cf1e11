"""The log that a real node wrote, cut at every byte and with every byte flipped: a prefix of what it was, or a refusal with the offset."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from cluster import wal
from cluster.core.errors import CorruptLog
from tests.e2e import fronts

pytestmark = [pytest.mark.processes, pytest.mark.slow, pytest.mark.timeout(600)]

# Two losses of a leader, so that the log has several terms, and a snapshot beside it. Few writes: the work below is the square of them.
SCRIPT = b"""at 0 set snapshot_every 60
at 0 set snapshot_trailing 10
at 0.3 crash n1
at 1.2 restart n1
at 2 crash leader
at 3 restart all
at 3.5 pause leader 800ms
"""
Found = tuple[object, ...]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The longest segment that a node of a run left, up to the end of its last record."""
    data = tmp_path_factory.mktemp("data")
    done = fronts.faultline(
        tmp_path_factory.mktemp("runtime"), "live", "--headless", "-n", "3", "--rate", "30", "--for", "6s", "--json", "--data", str(data),
        "--script", "-", stdin=SCRIPT, within_s=60.0,
    )  # fmt: skip
    report = json.loads(done.stdout)
    assert report["acked"] > 20
    assert len(report["leaders"]) > 1
    return max((_written(path.read_bytes()) for path in data.rglob("wal-00000001.log")), key=len)


def _written(segment: bytes) -> bytes:
    return segment[: wal.Replay().segment(segment, "wal", last=True)]


def read(segment: bytes) -> Found:
    """What a node would have after a start; or the offset with which it refuses."""
    replay = wal.Replay()
    try:
        replay.segment(segment, "wal", last=True)
    except CorruptLog as corrupt:
        return ("refused", corrupt.offset)
    return (replay.hard, replay.first_index, replay.base_term, *replay.entries)


def ends_of_records(segment: bytes) -> Iterator[int]:
    """The ends of the header and of every whole record: found by the lengths alone."""
    at = wal.SEGMENT_HEADER_BYTES
    while at < len(segment):
        yield at
        at += wal.RECORD_HEADER_BYTES + int.from_bytes(segment[at + 8 : at + 12], "big")
    assert at == len(segment)
    yield at


def test_cut_at_every_byte_it_is_a_prefix(recorded: bytes) -> None:
    ends = list(ends_of_records(recorded))
    assert len(ends) > 50
    prefixes = [read(recorded[:end]) for end in ends]
    record = 0
    for cut in range(wal.SEGMENT_HEADER_BYTES, len(recorded) + 1):
        while record + 1 < len(ends) and cut >= ends[record + 1]:
            record += 1
        assert read(recorded[:cut]) == prefixes[record], f"cut at {cut}"
        # As a pre-zeroed segment shows it. A record whose missing bytes were zeros is there after all.
        whole = record + (record + 1 < len(ends) and not any(recorded[cut : ends[record + 1]]))
        assert read(recorded[:cut] + bytes(256)) == prefixes[whole], f"zeroed from {cut}"
    for cut in range(wal.SEGMENT_HEADER_BYTES):
        assert read(recorded[:cut]) == ("refused", 0)


def test_with_every_byte_flipped_it_is_a_prefix_or_refused_with_the_offset(recorded: bytes) -> None:
    ends = list(ends_of_records(recorded))
    prefixes = [read(recorded[:end]) for end in ends]
    refused = kept = 0
    record = 0
    for at in range(len(recorded)):
        while record + 1 < len(ends) and at >= ends[record + 1]:
            record += 1
        damaged = bytearray(recorded)
        damaged[at] ^= 0xFF if at % 2 else 1 << at % 8
        found = read(bytes(damaged))
        if found[0] == "refused":
            refused += 1
            assert found[1] == (ends[record] if at >= wal.SEGMENT_HEADER_BYTES else 0), f"byte {at}"
        else:
            kept += 1
            assert at >= wal.SEGMENT_HEADER_BYTES, f"byte {at} of the header"
            assert found == prefixes[record], f"byte {at}: the log ends before the record that was hit"
    assert refused > 10 * kept > 0, "all that a later write found durable is refused, the last write is cut"
