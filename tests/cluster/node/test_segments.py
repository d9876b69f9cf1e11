"""The log's files: recovered, mended, rolled over, locked; and nothing reported durable is lost to SIGKILL."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cluster import wal
from cluster.core.errors import CorruptLog
from cluster.core.raft.membership import Membership
from cluster.core.raft.messages import Entry, HardState, Snapshot
from cluster.core.raft.ready import Persist
from cluster.node import snapfiles
from cluster.node.failures import StorageFailed
from cluster.node.segments import SEGMENT_BYTES_FIRST, Segments


def entry(index: int, size: int = 20) -> Persist:
    data = index.to_bytes(8, "big") + bytes([index % 251]) * size
    return Persist(index, HardState(index, "n1"), None, index, (Entry(index, 1, data),))


def recovered_indexes(segments: Segments) -> list[int]:
    return [int.from_bytes(each.data[:8], "big") for each in segments.recovered.entries]


def test_what_was_appended_is_recovered(tmp_path: Path) -> None:
    log = Segments(tmp_path / "n1")
    assert (log.recovered.hard, log.recovered.entries) == (HardState(), [])
    log.append([entry(1), entry(2)])
    log.append([entry(3)])
    log.close()
    log = Segments(tmp_path / "n1")
    assert recovered_indexes(log) == [1, 2, 3]
    assert log.recovered.hard == HardState(3, "n1")
    log.append([entry(4)])
    log.close()
    log = Segments(tmp_path / "n1")
    assert recovered_indexes(log) == [1, 2, 3, 4]
    log.close()


def test_a_full_segment_is_followed_by_the_next(tmp_path: Path) -> None:
    log = Segments(tmp_path)
    for index in range(1, 31):
        log.append([entry(index, size=40_000)])
    log.close()
    sizes = [path.stat().st_size for path in sorted(tmp_path.glob("wal-*"))]
    assert sizes[:2] == [SEGMENT_BYTES_FIRST, 4 * SEGMENT_BYTES_FIRST]
    log = Segments(tmp_path)
    assert recovered_indexes(log) == list(range(1, 31))
    log.close()


def test_a_write_larger_than_a_segment_gets_its_own(tmp_path: Path) -> None:
    log = Segments(tmp_path)
    log.append([entry(1, size=3_000_000)])
    log.append([entry(2)])
    log.close()
    log = Segments(tmp_path)
    assert recovered_indexes(log) == [1, 2]
    log.close()


def test_an_unfinished_write_is_cut_and_its_bytes_never_come_back(tmp_path: Path) -> None:
    log = Segments(tmp_path)
    log.append([entry(1)])
    log.append([entry(2), entry(3), entry(4)])
    log.close()
    (path,) = tmp_path.glob("wal-*")
    data = path.read_bytes()
    second = data.index(wal.MARKER, data.index(wal.MARKER, data.index(wal.MARKER) + 4) + 4)
    path.write_bytes(data[:second] + b"\xff" + data[second + 1 :])
    log = Segments(tmp_path)
    assert recovered_indexes(log) == [1]
    assert log.recovered.cut_bytes > 0
    # Of the same length as the records that were cut, so that stale ones would line up behind it.
    log.append([entry(2)])
    log.close()
    log = Segments(tmp_path)
    assert recovered_indexes(log) == [1, 2]
    assert log.recovered.cut_bytes == 0
    log.close()


def test_a_damaged_middle_is_refused_with_path_and_offset(tmp_path: Path) -> None:
    log = Segments(tmp_path)
    for index in range(1, 5):
        log.append([entry(index)])
    log.close()
    (path,) = tmp_path.glob("wal-*")
    data = bytearray(path.read_bytes())
    data[wal.SEGMENT_HEADER_BYTES + wal.RECORD_HEADER_BYTES + 1] ^= 1
    path.write_bytes(data)
    with pytest.raises(CorruptLog) as caught:
        Segments(tmp_path)
    assert str(path) in str(caught.value)
    assert caught.value.offset == wal.SEGMENT_HEADER_BYTES
    with pytest.raises(CorruptLog):
        Segments(tmp_path)  # the refusal has released the lock


def test_a_missing_segment_is_refused(tmp_path: Path) -> None:
    log = Segments(tmp_path)
    for index in range(1, 31):
        log.append([entry(index, size=80_000)])
    log.close()
    paths = sorted(tmp_path.glob("wal-*"))
    assert len(paths) >= 3
    paths[1].unlink()
    with pytest.raises(CorruptLog, match="follows segment"):
        Segments(tmp_path)


def test_a_half_made_segment_is_no_segment(tmp_path: Path) -> None:
    log = Segments(tmp_path)
    log.append([entry(1)])
    log.close()
    (tmp_path / "wal-00000002.new").write_bytes(b"half")
    log = Segments(tmp_path)
    assert recovered_indexes(log) == [1]
    log.close()


def test_two_processes_never_share_a_log(tmp_path: Path) -> None:
    log = Segments(tmp_path)
    with pytest.raises(StorageFailed, match="another process"):
        Segments(tmp_path)
    log.close()
    Segments(tmp_path).close()


def test_a_directory_that_cannot_be_made_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageFailed, match="file"):
        Segments(tmp_path / "file" / "n1")


WRITER = """
import os, sys
from pathlib import Path
from cluster.core.raft.membership import Membership
from cluster.core.raft.messages import Entry, HardState, Snapshot
from cluster.core.raft.ready import Persist
from cluster.node import snapfiles
from cluster.node.segments import Segments
def entry(index, size):
    data = index.to_bytes(8, "big") + bytes(size)
    return Persist(index, HardState(index, "n1"), None, index, (Entry(index, 1, data),))
log = Segments(Path(sys.argv[1]))
index = len(log.recovered.entries)
while True:
    batch = [entry(index + n, size=(index * 37 + n) % 3000) for n in range(1, 2 + index % 5)]
    log.append(batch)
    index += len(batch)
    os.write(1, index.to_bytes(8, "big"))
"""


@pytest.mark.processes
def test_sigkill_loses_nothing_that_was_reported_durable(tmp_path: Path) -> None:
    """Four lives of one log; each ends by SIGKILL at a moment of the writer's, not of our choosing."""
    promised = 0
    for life in range(4):
        process = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, bufsize=0, cwd=Path.cwd())
        assert process.stdout is not None
        for _ in range(40 + 7 * life):
            promised = int.from_bytes(process.stdout.read(8), "big")
        os.kill(process.pid, signal.SIGKILL)
        rest = process.stdout.read()
        process.wait()
        process.stdout.close()
        whole = len(rest) // 8 * 8
        if whole:
            promised = int.from_bytes(rest[whole - 8 : whole], "big")
        log = Segments(tmp_path)
        indexes = recovered_indexes(log)
        log.close()
        assert indexes == list(range(1, len(indexes) + 1))
        assert len(indexes) >= promised > 0


# ---- snapshots -----------------------------------------------------------------------------------------------------


def taken(index: int, keep_from: int, *, installed: bool = False, term: int | None = None) -> Persist:
    """A snapshot up to `index` (`entry(index)` has its index as its term)."""
    snapshot = Snapshot(index, index if term is None else term, Membership(("n1", "n2")), b"state %d" % index)
    return Persist(1_000 + index, None, None, index + 1, (), snapshot, installed, keep_from)


def reopened(log: Segments, directory: Path) -> Segments:
    log.close()
    return Segments(directory)


def test_a_snapshot_and_the_log_after_it_are_recovered_together(tmp_path: Path) -> None:
    log = Segments(tmp_path)
    log.append([entry(1), entry(2), taken(2, keep_from=2), entry(3)])
    log = reopened(log, tmp_path)
    assert log.recovered.snapshot == taken(2, 2).snapshot
    assert (log.recovered.base, recovered_indexes(log)) == ((0, 0), [1, 2, 3])
    log.close()


def test_segments_behind_a_snapshot_go_and_what_is_left_is_enough(tmp_path: Path) -> None:
    log = Segments(tmp_path)
    for index in range(1, 200):
        log.append([entry(index, size=40_000)])
    before = sorted(path.name for path in tmp_path.glob("wal-*"))
    log.append([taken(190, keep_from=180)])
    after = sorted(path.name for path in tmp_path.glob("wal-*"))
    assert 1 <= len(after) < len(before)
    assert after == before[-len(after) :]
    log.append([entry(200)])
    log = reopened(log, tmp_path)
    base_index, base_term = log.recovered.base
    assert base_index == base_term < 180
    assert recovered_indexes(log) == list(range(base_index + 1, 201))
    assert log.recovered.hard == HardState(200, "n1")
    log.append([taken(200, keep_from=201)])
    log.append([entry(201)])
    log = reopened(log, tmp_path)
    assert log.recovered.snapshot is not None
    assert log.recovered.snapshot.index == 200
    assert [path.name for path in tmp_path.glob("snap-*")] == ["snap-0000000000000200.bin"]
    assert recovered_indexes(log)[-1] == 201
    log.close()


def test_an_installed_snapshot_takes_the_place_of_the_log(tmp_path: Path) -> None:
    log = Segments(tmp_path)
    log.append([entry(1), entry(2)])
    log.append([taken(50, keep_from=51, installed=True), entry(51)])
    log = reopened(log, tmp_path)
    assert (log.recovered.base, recovered_indexes(log)) == ((50, 50), [51])
    log.close()


def test_a_snapshot_that_came_alone_voids_a_log_that_does_not_reach_it(tmp_path: Path) -> None:
    """The process died between the file and the log's own record of it."""
    log = Segments(tmp_path)
    log.append([entry(1), entry(2)])
    log.close()
    alone = taken(50, 51).snapshot
    assert alone is not None
    descriptor = os.open(tmp_path, os.O_RDONLY)
    snapfiles.save(tmp_path, descriptor, alone)
    os.close(descriptor)
    log = Segments(tmp_path)
    assert (log.recovered.base, log.recovered.entries) == ((50, 50), [])
    log.append([entry(51)])
    log = reopened(log, tmp_path)
    assert (log.recovered.base, recovered_indexes(log)) == ((50, 50), [51])
    log.close()


def test_an_unfinished_snapshot_file_is_nothing(tmp_path: Path) -> None:
    log = Segments(tmp_path)
    log.append([entry(1), taken(1, keep_from=1)])
    (tmp_path / "snap-0000000000000009.new").write_bytes(b"half")
    log = reopened(log, tmp_path)
    assert log.recovered.snapshot == taken(1, 1).snapshot
    log.append([entry(2), taken(2, keep_from=2)])
    assert not list(tmp_path.glob("*.new"))
    log.close()


def test_a_damaged_snapshot_is_refused_at_every_byte(tmp_path: Path) -> None:
    log = Segments(tmp_path)
    log.append([entry(1), taken(1, keep_from=1)])
    log.close()
    (path,) = tmp_path.glob("snap-*")
    whole = path.read_bytes()
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        if whole[10:16] != path.read_bytes()[10:16]:
            continue  # the header's padding says nothing
        with pytest.raises(CorruptLog):
            Segments(tmp_path)
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(CorruptLog):
            Segments(tmp_path)


def test_a_log_without_its_snapshot_is_refused(tmp_path: Path) -> None:
    log = Segments(tmp_path)
    for index in range(1, 60):
        log.append([entry(index, size=40_000)])
    log.append([taken(59, keep_from=60)])
    log.close()
    (path,) = tmp_path.glob("snap-*")
    path.unlink()
    with pytest.raises(CorruptLog, match="no snapshot of those before it"):
        Segments(tmp_path)


def test_a_snapshot_is_too_long_in_the_making_for_the_loop(tmp_path: Path) -> None:
    log = Segments(tmp_path)
    assert log.fits([entry(1)])
    assert not log.fits([entry(1), taken(1, keep_from=1)])
    log.close()
