"""Two-phase commit over two real banks: both or neither, wherever the coordinator dies and whoever comes after it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scenarios.kit.decisions import LocalDecisions, ReplicatedDecisions
from scenarios.kit.two_phase import TwoPhase
from tests.scenarios.kit.memory_kv import MemoryKv
from tests.scenarios.kit.two_banks import PARTS, Killed, Scene, SomeProcess, die, two_banks

TOO_MUCH = {**PARTS, "banka": {"account": "A1", "cents": -300}}
NOBODY = {**PARTS, "bankb": {"account": "B9", "cents": 30}}


def coordinator(scene: Scene, decisions: Any, process: Any = None) -> TwoPhase:
    return TwoPhase(process or SomeProcess(), decisions, scene.peers)  # type: ignore[arg-type]


async def test_both_banks_commit(tmp_path: Path) -> None:
    async with two_banks(tmp_path) as scene:
        assert await coordinator(scene, LocalDecisions(tmp_path / "log")).transfer("t1", PARTS)
        assert scene.states("t1") == ("committed", "committed")
        assert scene.balances() == (70, 130)


@pytest.mark.parametrize("parts", [TOO_MUCH, NOBODY])
async def test_one_no_is_enough(tmp_path: Path, parts: Any) -> None:
    async with two_banks(tmp_path) as scene:
        assert not await coordinator(scene, LocalDecisions(tmp_path / "log")).transfer("t1", parts)
        assert "committed" not in scene.states("t1")
        assert scene.balances() == (100, 100)
        assert [book.in_doubt() for book in scene.books.values()] == [[], []]


async def test_a_vote_that_never_came_is_no_and_its_promise_is_taken_back(tmp_path: Path) -> None:
    async with two_banks(tmp_path) as scene:
        deaf = scene.peers["bankb"]

        async def hear_again() -> None:
            deaf.deaf = False

        decisions = LocalDecisions(tmp_path / "log")
        deaf.deaf = True
        transferring = coordinator(scene, _After(decisions, hear_again))
        assert not await transferring.transfer("t1", PARTS)
        assert scene.states("t1") == ("aborted", "aborted")


class _After:
    """Decisions, and something that happens before each."""

    def __init__(self, decisions: Any, happens: Any) -> None:
        self._decisions, self._happens = decisions, happens

    async def decide(self, txn: str, wanted: Any) -> Any:
        await self._happens()
        return await self._decisions.decide(txn, wanted)


@pytest.mark.parametrize(
    ("at", "stands", "balances"), [("txn.all_votes_yes", "aborted", (100, 100)), ("txn.first_bank_told", "committed", (70, 130))]
)
@pytest.mark.parametrize("replicated", [True, False])
async def test_who_comes_after_a_dead_coordinator_finds_what_stands(
    tmp_path: Path, at: str, stands: str, balances: tuple[int, int], replicated: bool
) -> None:
    """With the file it is the dead one itself that comes again."""
    kv = MemoryKv()

    def decisions() -> Any:
        return ReplicatedDecisions(kv, "") if replicated else LocalDecisions(tmp_path / "log")

    async with two_banks(tmp_path) as scene:
        with pytest.raises(Killed):
            await coordinator(scene, decisions(), SomeProcess({at: die})).transfer("t1", PARTS)
        assert "prepared" in scene.states("t1")
        await coordinator(scene, decisions()).sweep()
        assert scene.states("t1") == (stands, stands)
        assert scene.balances() == balances


async def test_a_stand_in_without_the_log_tears_what_was_decided(tmp_path: Path) -> None:
    """The planted mistake: presumed abort by somebody who cannot know."""
    async with two_banks(tmp_path) as scene:
        with pytest.raises(Killed):
            await coordinator(scene, LocalDecisions(tmp_path / "c1"), SomeProcess({"txn.first_bank_told": die})).transfer("t1", PARTS)
        await coordinator(scene, LocalDecisions(tmp_path / "c2")).sweep()
        assert scene.states("t1") == ("committed", "aborted")
        assert sum(balance or 0 for balance in scene.balances()) == 170


async def test_one_that_was_only_slow_hears_what_the_other_decided(tmp_path: Path) -> None:
    kv = MemoryKv()
    async with two_banks(tmp_path) as scene:
        other = coordinator(scene, ReplicatedDecisions(kv, ""))
        slow = coordinator(scene, ReplicatedDecisions(kv, ""), SomeProcess({"txn.all_votes_yes": other.sweep}))
        assert not await slow.transfer("t1", PARTS)
        assert scene.states("t1") == ("aborted", "aborted")


async def test_a_sweep_leaves_alone_what_is_under_way_here(tmp_path: Path) -> None:
    async with two_banks(tmp_path) as scene:
        process = SomeProcess()
        one = coordinator(scene, LocalDecisions(tmp_path / "log"), process)
        process._at["txn.all_votes_yes"] = one.sweep
        assert await one.transfer("t1", PARTS)
        assert [event for event, _ in process.events] == ["txn.all_votes_yes", "txn.first_bank_told"]
