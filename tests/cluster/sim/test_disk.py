"""The simulated disk: durable means durable, and a crash may do its worst to the rest."""

from __future__ import annotations

from collections.abc import Callable

from cluster.core.raft.messages import Entry, HardState
from cluster.core.raft.ready import Persist
from cluster.sim.dice import SeededDice
from cluster.sim.disk import SEGMENT_BYTES, Disk


class Bench:
    """A disk, the completions it waits for, and the tokens it called durable."""

    def __init__(self, seed: int = 1) -> None:
        self.due: list[tuple[int, Callable[[int], None], int]] = []
        self.durable: list[int] = []
        self.disk = Disk("n1", 100, SeededDice(seed, "disk"), lambda *what: self.due.append(what), self.durable.append)

    def tick(self) -> None:
        _, act, argument = self.due.pop(0)
        act(argument)


def entry(index: int, size: int = 10) -> Persist:
    return Persist(index, HardState(1, "n1") if index == 1 else None, None, index, (Entry(1, 1, bytes(size)),))


def test_a_write_is_durable_when_its_time_has_come_and_not_before() -> None:
    bench = Bench()
    bench.disk.submit(entry(1))
    assert bench.durable == []
    assert not bench.disk.idle
    bench.tick()
    assert bench.durable == [1]
    assert bench.disk.idle
    assert len(bench.disk.recover().entries) == 1


def test_what_comes_in_during_a_write_goes_into_the_next_one_together() -> None:
    bench = Bench()
    for index in (1, 2, 3):
        bench.disk.submit(entry(index))
    bench.tick()
    bench.tick()
    assert bench.durable == [1, 3]
    assert bench.due == []


def test_a_crash_keeps_what_is_durable_and_any_part_of_the_rest_that_is_a_prefix() -> None:
    kept = set()
    for seed in range(60):
        bench = Bench(seed)
        bench.disk.submit(entry(1))
        bench.tick()
        for index in (2, 3, 4, 5):
            bench.disk.submit(entry(index, 700))
        bench.tick()  # 2 is durable, 3 to 5 are on their way
        bench.disk.crash()
        recovered = bench.disk.recover()
        assert recovered.hard == HardState(1, "n1")
        assert [len(e.data) for e in recovered.entries] == [10, *[700] * (len(recovered.entries) - 1)]
        kept.add(len(recovered.entries))
        bench.tick()
        assert bench.durable == [1, 2], "a dead process hears nothing"
    assert kept == {2, 3, 4, 5}


def test_a_hung_disk_loses_what_it_held_and_goes_on_when_it_is_healed() -> None:
    bench = Bench()
    bench.disk.set_fault("hang", 0)
    bench.disk.submit(entry(1))
    assert bench.due == []
    bench.disk.set_fault("ok", 0)
    bench.tick()
    assert bench.durable == [1]
    bench.disk.set_fault("hang", 0)
    bench.disk.submit(entry(2))
    bench.disk.crash()
    assert len(bench.disk.recover().entries) == 1


def test_logs_roll_over_and_are_read_back_whole() -> None:
    bench = Bench()
    count = 3 * SEGMENT_BYTES // 1_000
    for index in range(1, count + 1):
        bench.disk.submit(entry(index, 1_000))
        bench.tick()
    assert len(bench.disk.recover().entries) == count
