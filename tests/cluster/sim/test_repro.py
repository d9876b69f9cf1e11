"""Repro files: written, read back, refused when they are none; sweeps that count alike however they are played."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest

from cluster.core.errors import EnvironmentFailed, UsageError
from cluster.sim.repro import read, replay, repro_of, written
from cluster.sim.run import Outcome, run
from cluster.sim.setup import Setup, check_setup
from cluster.sweep import CHUNK, Chunk, document, play, processes, sweep

FAILING = Setup(seed=0, mistakes=("apply_before_commit",), steps=2_000)
SMALL = Setup(seed=0, steps=800)


def test_a_repro_is_read_back_as_it_was() -> None:
    repro = repro_of(run(FAILING))
    assert read(written(repro), "file") == repro


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (b"", "not a repro"),
        (b"[]", "not a repro"),
        (b'{"format": "\x80"}', "not a repro"),
        (b'{"format": "x"}', "not a repro"),
    ],
)
def test_what_is_no_repro_is_refused(change: bytes, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        read(change, "file")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"schedule": ("at 1 explode n1",)}, "explode"),
        ({"nodes": 0}, "1 to 100 nodes"),
        ({"mistakes": ("optimism",)}, "optimism"),
        ({"steps": 0}, "steps"),
        ({"clients": -1}, "0 to 1000 clients"),
        ({"clients": 10**9}, "0 to 1000 clients"),
        ({"think_us": -1}, "thinks for less"),
        ({"election_us": (5, 4)}, "between 5 and 4"),
        ({"election_us": (0, 0)}, "between 0 and 0"),
    ],
)
def test_a_repro_of_what_cannot_be_is_refused(changes: dict[str, object], words: str) -> None:
    repro = repro_of(run(FAILING))
    spoilt = msgspec.structs.replace(repro, setup=msgspec.structs.replace(repro.setup, **changes))
    with pytest.raises(UsageError, match=words):
        read(written(spoilt), "file")


def test_a_fault_that_means_nothing_when_its_time_comes_does_not_spoil_a_repro() -> None:
    schedule = ("at 0.01 crash leader for 50ms", "at 0.900000 cut minority | rest for 2s")
    failing = run(Setup(seed=0, mistakes=("check_quorum",), schedule=schedule))
    assert failing.schedule == schedule[1:]
    assert replay(repro_of(failing))[1]


@pytest.mark.parametrize("change", ["add n9", "add n9 learner", "replace n2 n9"])
def test_a_node_that_is_not_there_does_not_join(change: str) -> None:
    crash = "at 1 crash n1 for 50ms"
    changed, plain = (run(Setup(seed=0, nodes=3, schedule=schedule)) for schedule in ((f"at 0.9 {change}", crash), (crash,)))
    assert changed.violation is None
    assert changed.exercised == plain.exercised
    assert plain.exercised.crashes == 1


def test_unknown_faults_are_refused() -> None:
    with pytest.raises(UsageError, match="crush"):
        check_setup(Setup(seed=0, faults=("crush",)))


def test_a_sweep_counts_the_same_on_one_process_and_on_two() -> None:
    alone, together = sweep(SMALL, 0, 9), sweep(SMALL, 0, 9, processes(2))
    assert alone.seeds == together.seeds == 10
    assert alone.trace_hash == together.trace_hash
    assert alone.exercised == together.exercised


def test_a_sweep_stops_after_as_many_failures_as_wanted() -> None:
    totals = sweep(FAILING, 0, 40, stop_after=2)
    assert totals.violating == 2
    assert totals.seeds < 40
    assert totals.verdict == "violated"


def test_a_sweep_that_exercised_nothing_is_vacuous() -> None:
    totals = sweep(Setup(seed=0, steps=3), 0, 3)
    totals.exercised.acked = 0
    assert totals.verdict == "vacuous"


def test_an_interrupt_loses_nothing_that_was_found() -> None:
    def engine(chunks: Iterator[Chunk]) -> Iterator[list[Outcome]]:
        yield play(next(chunks))
        raise KeyboardInterrupt

    totals = sweep(FAILING, 0, 99, engine)
    assert totals.interrupted
    assert totals.seeds == CHUNK
    assert totals.violating == len(totals.failures) > 0
    assert all(failure.smallest == failure.outcome for failure in totals.failures)  # there was no time to shrink
    assert document(totals, {})["interrupted"] is True


def test_an_interrupt_while_failures_are_shrunk_leaves_them_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    def shrink(_outcome: Outcome, _runs_max: int) -> Outcome:
        raise KeyboardInterrupt

    monkeypatch.setattr("cluster.sweep.shrink", shrink)
    totals = sweep(FAILING, 0, 3)
    assert totals.interrupted
    assert totals.violating == len(totals.failures) > 0


def test_the_document_has_what_was_promised() -> None:
    totals = sweep(FAILING, 0, 3, stop_after=1)
    report = document(totals, {0: "repro-0.json"})
    promised = {"seeds", "steps", "messages", "messages_per_s", "virtual_s", "wall_s", "violations", "exercised", "trace_hash"}
    assert promised <= set(report)
    exercised = msgspec.convert(report["exercised"], dict[str, int])
    assert {"crashes", "cuts", "pauses", "disk_faults", "snapshots", "config_changes", "truncations", "leader_changes"} <= set(exercised)
    (violation,) = msgspec.convert(report["violations"], list[dict[str, str | int]])
    assert {"seed", "monitor", "at_step", "repro"} <= set(violation)
    assert violation["repro"] == "repro-0.json"


def test_a_player_that_is_lost_is_no_end_of_what_was_found() -> None:
    def engine(chunks: Iterator[Chunk]) -> Iterator[list[Outcome]]:
        yield play(next(chunks))
        raise EnvironmentFailed("a process was ended")

    totals = sweep(FAILING, 0, 99, engine)
    assert (totals.interrupted, totals.trouble, totals.seeds) == (True, "a process was ended", CHUNK)
    assert totals.violating == len(totals.failures) > 0


def test_a_sweep_that_played_nothing_says_only_why() -> None:
    def engine(_chunks: Iterator[Chunk]) -> Iterator[list[Outcome]]:
        raise EnvironmentFailed("nobody answers")
        yield []

    with pytest.raises(EnvironmentFailed, match="nobody answers"):
        sweep(FAILING, 0, 99, engine)
