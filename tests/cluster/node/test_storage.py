"""The storage: grouped, in order, honest under disk faults and real errors, whoever of loop and thread writes."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from cluster.core.raft.messages import Entry, HardState
from cluster.core.raft.ready import Persist
from cluster.core.types import MS, SECOND
from cluster.monotonic import now_us as true_us
from cluster.node import storage as storage_module
from cluster.node.segments import Segments
from cluster.node.storage import Storage


class Disk:
    """A storage and what it has said."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.segments = Segments(directory)
        self.closed = False
        self.durable: list[int] = []
        self.complaints: list[str] = []
        self.failures: list[str] = []
        self.said = asyncio.Event()
        self.at_once = False  # whether the last write was done when it was asked for
        self.storage = Storage(self.segments, self._to(self.durable), self._to(self.complaints), self._to(self.failures))

    def write(self, *tokens: int) -> None:
        for token in tokens:
            self.storage.submit(Persist(token, HardState(token), None, token, (Entry(token, 1, b"x"),)))
        token = self.storage.write()
        self.at_once = token > 0
        if token:
            self.durable.append(token)

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not holds():
                self.said.clear()
                await self.said.wait()

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self.storage.close()

    def recover(self) -> int:
        """How many entries a restart would find."""
        log = Segments(self.directory)
        log.close()
        return len(log.recovered.entries)

    def _to(self, heard: list) -> Callable[[object], None]:
        def hear(what: object) -> None:
            heard.append(what)
            self.said.set()

        return hear


@pytest.fixture
async def disk(tmp_path: Path) -> AsyncIterator[Disk]:
    disk = Disk(tmp_path)
    yield disk
    disk.close()


async def test_writes_come_back_in_order_and_survive(disk: Disk) -> None:
    disk.write(*range(1, 101))
    assert disk.storage.busy_us(true_us()) >= 0
    await disk.until(lambda: disk.durable[-1:] == [100])
    assert disk.durable == sorted(disk.durable)
    assert disk.storage.busy_us(true_us()) == 0
    assert disk.storage.fsync_us() > 0
    disk.close()
    assert disk.recover() == 100


async def test_a_quick_disk_is_written_by_the_loop_itself(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage_module, "QUICK_US", 60 * SECOND)
    disk.write(1, 2, 3)
    assert disk.at_once
    assert disk.durable == [3]
    disk.close()
    assert disk.recover() == 3


async def test_after_a_slow_write_the_thread_takes_over(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage_module, "QUICK_US", -1)
    disk.write(1)
    assert disk.at_once
    disk.write(2)
    assert not disk.at_once
    await disk.until(lambda: disk.durable == [1, 2])


async def test_a_new_segment_is_made_by_the_thread(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage_module, "QUICK_US", 60 * SECOND)
    big = Entry(1, 1, bytes(200_000))
    for token in (1, 2):
        disk.storage.submit(Persist(token, None, None, token, (big,)))
        assert disk.storage.write() == (token if token == 1 else 0)
    await disk.until(lambda: disk.durable == [2])
    assert len(list(disk.directory.glob("wal-*.log"))) == 2


async def test_who_has_better_things_to_do_is_told_later(disk: Disk) -> None:
    disk.storage.submit(Persist(1, None, None, 1, (Entry(1, 1, b"x"),)))
    assert disk.storage.write(aside=True) == 0
    assert disk.durable == []
    await disk.until(lambda: disk.durable == [1])


async def test_nothing_overtakes_what_the_thread_still_holds(disk: Disk) -> None:
    disk.storage.set_fault("hang", 0)
    disk.write(1)
    disk.storage.set_fault("ok", 0)
    disk.write(2)
    assert not disk.at_once
    await disk.until(lambda: disk.durable[-1:] == [2])
    disk.close()
    assert disk.recover() == 2


async def test_what_waits_is_written_together(disk: Disk) -> None:
    """While the disk is slow fifty writes pile up; they need two group commits, not fifty."""
    disk.storage.set_fault("slow", 50 * MS)
    disk.write(*range(1, 51))
    await disk.until(lambda: disk.durable[-1:] == [50])
    assert len(disk.durable) <= 3


async def test_a_slow_disk_delays_completion(disk: Disk) -> None:
    disk.storage.set_fault("slow", 60 * MS)
    began = true_us()
    disk.write(1)
    await disk.until(lambda: disk.durable == [1])
    assert true_us() - began >= 60 * MS


async def test_a_hanging_disk_completes_nothing_until_it_is_healed(disk: Disk) -> None:
    disk.storage.set_fault("hang", 0)
    disk.write(1, 2)
    # Another disk of the same kind, in the same time: had the first one written, it would have been done first.
    other = Disk(disk.directory / "other")
    other.storage.set_fault("slow", 30 * MS)
    other.write(1)
    await other.until(lambda: other.durable == [1])
    other.storage.close()
    assert disk.durable == []
    assert disk.storage.busy_us(true_us()) >= 30 * MS
    disk.storage.set_fault("ok", 0)
    await disk.until(lambda: disk.durable[-1:] == [2])


async def test_what_a_hanging_disk_holds_is_lost_with_the_process(disk: Disk) -> None:
    disk.write(1)
    await disk.until(lambda: disk.durable == [1])
    disk.storage.set_fault("hang", 0)
    disk.write(2)
    disk.close()
    assert disk.recover() == 1


async def test_a_failing_disk_complains_acknowledges_nothing_and_recovers_when_healed(disk: Disk) -> None:
    disk.storage.set_fault("fail", 0)
    disk.write(1)
    await disk.until(lambda: len(disk.complaints) == 1)
    assert "input/output" in disk.complaints[0]
    assert disk.durable == []
    assert disk.failures == []
    disk.storage.set_fault("ok", 0)
    await disk.until(lambda: disk.durable == [1])


async def test_a_slow_disk_that_is_healed_finishes_at_once(disk: Disk) -> None:
    disk.storage.set_fault("slow", 3_600 * SECOND)
    disk.write(1)
    disk.storage.set_fault("ok", 0)
    await disk.until(lambda: disk.durable == [1])


async def test_a_real_error_is_final(disk: Disk) -> None:
    """ENOSPC from the kernel: reported once, and nothing is durable after it, whatever comes."""
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, disk.segments._tail.fd)
    os.close(full)
    disk.write(1)
    await disk.until(lambda: disk.failures != [])
    assert "No space left" in disk.failures[0]
    disk.write(2)
    assert disk.durable == []


async def test_the_mailbox_is_bounded(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage_module, "WAITING_MAX", 3)
    disk.storage.set_fault("hang", 0)
    disk.write(1, 2, 3)
    assert disk.failures == []
    disk.write(4)
    assert len(disk.failures) == 1
