"""The open end of a log: bytes behind bytes, whichever way they get to the device."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from cluster.node.tail import BLOCK, Tail

HEAD = b"head of a segment"
SIZE = 40 * BLOCK


@pytest.fixture(params=["direct", "cached"])
def path(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    if request.param == "cached":
        monkeypatch.delattr(os, "O_DIRECT", raising=False)
    path = tmp_path / "segment"
    path.write_bytes(HEAD + bytes(SIZE - len(HEAD)))
    return path


@pytest.mark.parametrize("length", [1, 511, BLOCK - len(HEAD), BLOCK - len(HEAD) + 1, BLOCK, 3 * BLOCK + 7, 20 * BLOCK])
def test_what_is_appended_lies_behind_what_was_there_and_zeros_follow(path: Path, length: int) -> None:
    tail = Tail(path, 1, SIZE, len(HEAD))
    wanted = HEAD
    for number in range(3):
        data = bytes([65 + number]) * (length if number != 1 else 10)
        if len(wanted) + len(data) <= SIZE:
            tail.append(data)
            wanted += data
        assert path.read_bytes() == wanted + bytes(SIZE - len(wanted))
    assert tail.offset == len(wanted)
    tail.close()


def test_a_tail_goes_on_where_another_ended(path: Path) -> None:
    wanted = HEAD
    for number in range(5):
        tail = Tail(path, 1, SIZE, len(wanted))
        data = bytes([65 + number]) * (BLOCK // 2 + number)
        tail.append(data)
        tail.close()
        wanted += data
    assert path.read_bytes() == wanted + bytes(SIZE - len(wanted))


def test_the_last_byte_can_be_written(path: Path) -> None:
    tail = Tail(path, 1, SIZE, len(HEAD))
    tail.append(b"x" * (SIZE - len(HEAD)))
    tail.close()
    assert path.read_bytes() == HEAD + b"x" * (SIZE - len(HEAD))
    Tail(path, 1, SIZE, SIZE).close()


def test_a_segment_of_odd_size_is_written_through_the_cache(path: Path) -> None:
    path.write_bytes(HEAD + bytes(100))
    tail = Tail(path, 1, len(HEAD) + 100, len(HEAD))
    tail.append(b"odd")
    tail.close()
    assert path.read_bytes() == HEAD + b"odd" + bytes(97)


def test_a_device_that_is_full_says_so(path: Path) -> None:
    tail = Tail(path, 1, SIZE, len(HEAD))
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, tail.fd)
    os.close(full)
    with pytest.raises(OSError, match="No space left"):
        tail.append(b"x")
    tail.close()


@pytest.mark.skipif(not hasattr(os, "O_DIRECT"), reason="everything goes through the page cache here")
@pytest.mark.parametrize("number", [errno.EINVAL, errno.EOPNOTSUPP])
def test_a_file_system_that_refuses_the_way_around_the_cache_is_written_through_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    tail = _opened_when_direct_writes_fail(tmp_path, monkeypatch, number)
    tail.append(b"more")
    tail.close()
    assert (tmp_path / "segment").read_bytes().startswith(HEAD + b"more\0")


@pytest.mark.skipif(not hasattr(os, "O_DIRECT"), reason="everything goes through the page cache here")
@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC, errno.EROFS])
def test_other_errors_are_the_disks_own_and_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    open_before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    with pytest.raises(OSError, match=os.strerror(number)):
        _opened_when_direct_writes_fail(tmp_path, monkeypatch, number)
    assert (len(os.listdir("/proc/self/fd")) if open_before else 0) == open_before


def _opened_when_direct_writes_fail(folder: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> Tail:
    def refuse(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    path = folder / "segment"
    path.write_bytes(HEAD + bytes(SIZE - len(HEAD)))
    monkeypatch.setattr(os, "pwritev", refuse)
    return Tail(path, 1, SIZE, len(HEAD))
