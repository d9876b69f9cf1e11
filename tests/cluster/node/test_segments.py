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
from cluster.core.raft.messages import Entry, HardState
from cluster.core.raft.ready import Persist
from cluster.node.segments import SEGMENT_BYTES_FIRST, Segments, StorageFailed


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
from cluster.core.raft.messages import Entry, HardState
from cluster.core.raft.ready import Persist
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
